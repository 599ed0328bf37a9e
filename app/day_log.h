// The day files of the original server, taken into the history of a hub that is stopped.
//
// A file is {"Data":[rows]}: UID is the UTC time of the write, each other key NAME_peer_device with the mean of a
// quarter of an hour as text. Means are derived readings with that time. What a switch or a heating was on average is
// taken only when it was the same all the time. Each reading is imported once, however often the command is run.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/nodes/network.h"

namespace vesta::app {

struct DayLogReport {
  uint64_t rows = 0;
  uint64_t imported = 0;
  uint64_t already_there = 0;
  uint64_t left_out = 0;  // rows without a time, keys and values that say nothing
};

tl::expected<DayLogReport, std::string> ImportDayLogs(const std::vector<std::string>& files,
                                                      const std::string& directory, const hub::Network& network);

}  // namespace vesta::app
