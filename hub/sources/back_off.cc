#include "hub/sources/back_off.h"

#include <algorithm>

namespace vesta::hub {

BackOff::BackOff(int64_t first_us, int64_t last_us)
    : first_us_(first_us), last_us_(last_us), step_us_(first_us), random_(std::random_device()()) {}

std::chrono::microseconds BackOff::Next() {
  const int64_t spread = step_us_ / 4;
  const int64_t wait_us = std::uniform_int_distribution<int64_t>(step_us_ - spread, step_us_ + spread)(random_);
  step_us_ = std::min(step_us_ * 2, last_us_);
  return std::chrono::microseconds(std::min(wait_us, last_us_));
}

}  // namespace vesta::hub
