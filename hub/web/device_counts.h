// What became of each device's readings in this run of the hub.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hub/web/api.h"

namespace vesta::hub {

struct DeviceCounts {
  uint64_t received = 0;  // readings taken
  uint64_t stored = 0;    // of these, on disk
  std::optional<uint64_t>
      delivered;  // acknowledged to the slowest output that promises every reading; empty: there is none
  std::optional<uint64_t> waiting;   // for that output, those of earlier runs included
  std::optional<uint64_t> rejected;  // frames of its source not believed; empty: the source has several devices
};

// By device id - 1.
std::vector<DeviceCounts> CountDevices(const ApiContext& context);

}  // namespace vesta::hub
