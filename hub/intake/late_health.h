// What the page and the API show of the late decode: how far it is and what came of it.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::hub {

struct LateHealth {
  bool running = false;
  uint64_t runs = 0;     // finished
  uint64_t tried = 0;    // frames
  uint64_t decoded = 0;  // frames that are understood now
  uint64_t readings = 0;
  std::string error;  // of the last read, "" when it went well
};

}  // namespace vesta::hub
