// The hub's only view of time: monotonic and UTC together, and whether UTC can be trusted.
//
// SystemClock asks the kernel (adjtimex) whether the clock is synchronised. Tests pass a ManualClock.
#pragma once

#include "model/time.h"

namespace vesta::hub {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now Read() const = 0;
};

// Used on one thread.
class SystemClock final : public Clock {
 public:
  Now Read() const override;

 private:
  // The two clocks are read without a system call, their quality with one: it is asked again only this often.
  static constexpr int64_t kQualityAge_us = kUsPerSecond;
  mutable int64_t quality_read_us_ = -kQualityAge_us;
  mutable ClockQuality quality_ = ClockQuality::kNotSynchronised;
};

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UtcUs utc_us, ClockQuality quality = ClockQuality::kSynchronised) {
    now_.utc_us = utc_us;
    now_.clock = quality;
  }
  Now Read() const override { return now_; }
  void Advance(int64_t us) {
    now_.monotonic_us += us;
    now_.utc_us += us;
  }
  // A step of the wall clock, as NTP or a user makes it; monotonic time does not move.
  void StepUtc(int64_t us) { now_.utc_us += us; }
  void SetQuality(ClockQuality quality) { now_.clock = quality; }

 private:
  Now now_;
};

}  // namespace vesta::hub
