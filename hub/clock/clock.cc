#include "hub/clock/clock.h"

#include <sys/timex.h>
#include <time.h>

namespace vesta::hub {
namespace {

int64_t ReadUs(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * kUsPerSecond + t.tv_nsec / 1000;
}

}  // namespace

Now SystemClock::Read() const {
  Now now;
  now.monotonic_us = ReadUs(CLOCK_BOOTTIME);
  now.utc_us = ReadUs(CLOCK_REALTIME);
  if (now.monotonic_us - quality_read_us_ >= kQualityAge_us) {
    timex state{};
    const int status = adjtimex(&state);
    const bool synchronised = status != -1 && status != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    quality_ = synchronised ? ClockQuality::kSynchronised : ClockQuality::kNotSynchronised;
    quality_read_us_ = now.monotonic_us;
  }
  now.clock = quality_;
  return now;
}

}  // namespace vesta::hub
