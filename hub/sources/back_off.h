// How long to wait before the next try: longer each time, never the same twice.
//
// Jitter keeps sources that failed together from trying together for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace vesta::hub {

class BackOff {
 public:
  BackOff(int64_t first_us, int64_t last_us);

  // 3/4 to 5/4 of a step that doubles from first to last, never more than last.
  std::chrono::microseconds Next();
  // The next step is the first again.
  void Reset() { step_us_ = first_us_; }

 private:
  int64_t first_us_;
  int64_t last_us_;
  int64_t step_us_;
  std::minstd_rand random_;
};

}  // namespace vesta::hub
