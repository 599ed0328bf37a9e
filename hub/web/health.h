// Whether the hub does its work. "Running" means that data flows: an open port that has gone silent is not ok.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/web/api.h"

namespace vesta::hub {

struct Verdict {
  // ok: everything flows. degraded: a part does not; the rest does. failing: readings can't be kept.
  enum class Status : uint8_t { kOk, kDegraded, kFailing } status = Status::kOk;
  std::vector<std::string> reasons;  // for people, the worst first
};
Verdict JudgeHealth(const ApiContext& context);
std::string_view StatusName(Verdict::Status status);

// What the kernel says of this process.
struct ProcessFacts {
  uint64_t resident_bytes = 0;
  uint64_t cpu_us = 0;
  uint64_t open_files = 0;
};
ProcessFacts ReadProcessFacts();

}  // namespace vesta::hub
