// What the page and the API show of frames that are decoded again: what runs, how far it is and what came of it.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::hub {

struct LateHealth {
  bool running = false;
  std::string source;       // that it runs over
  std::string why;          // "key", "decoder" (it is another one than before), "asked"
  uint64_t run_frames = 0;  // to be tried in this run, as far as can be told before
  uint64_t run_tried = 0;   // so far
  uint64_t waiting = 0;     // runs

  uint64_t runs = 0;     // finished
  uint64_t tried = 0;    // frames, of all runs
  uint64_t decoded = 0;  // frames that are understood now
  uint64_t readings = 0;
  std::string error;  // of the last read, "" when it went well
};

}  // namespace vesta::hub
