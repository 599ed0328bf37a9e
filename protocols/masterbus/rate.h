// Frames per second over whole windows of ten seconds.
#pragma once

#include <cstdint>

#include "model/time.h"

namespace vesta::masterbus {

class Rate {
 public:
  void Add(int64_t now_us) {
    if (now_us - start_us_ >= kWindow_us) Turn(now_us);
    ++count_;
  }
  // Of the last whole window; 0 when that is long ago.
  double per_second(int64_t now_us) const {
    const bool old = now_us - start_us_ >= 2 * kWindow_us;
    return old ? 0 : static_cast<double>(last_) / (static_cast<double>(kWindow_us) / 1e6);
  }

 private:
  static constexpr int64_t kWindow_us = 10 * kUsPerSecond;
  void Turn(int64_t now_us) {
    last_ = now_us - start_us_ < 2 * kWindow_us ? count_ : 0;
    count_ = 0;
    start_us_ = now_us;
  }
  int64_t start_us_ = INT64_MIN / 2;
  uint32_t count_ = 0;
  uint32_t last_ = 0;
};

}  // namespace vesta::masterbus
