// Decides whether a counter that stepped back is a bad reading or a true restart.
//
// One frame with a counter that is too low, followed by the right one, would be booked by receivers as a whole meter's
// worth of fresh consumption. So a step back is held as suspect until the device insists: twice in a row when the
// counter restarted near zero, kInsistCount times over kInsistTime_us else. A new device (other identity) is another
// series and never comes here.
#pragma once

#include <cstdint>

#include "model/value.h"

namespace vesta::hub {

class CounterGuard {
 public:
  enum class Verdict : uint8_t { kOk, kHeld, kRestarted };

  // The last good value of an earlier run.
  void Restore(Decimal value) {
    good_ = value;
    known_ = true;
  }
  Verdict Judge(Decimal value, int64_t monotonic_us);

 private:
  static constexpr int kInsistCount = 5;
  static constexpr int64_t kInsistTime_us = 60 * 1000000ll;
  static constexpr int kInsistCountNearZero = 2;

  Decimal good_;
  Decimal held_;
  int64_t held_since_us_ = 0;
  uint8_t held_count_ = 0;
  bool known_ = false;
};

}  // namespace vesta::hub
