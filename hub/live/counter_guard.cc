#include "hub/live/counter_guard.h"

namespace vesta::hub {
namespace {

// A restart begins at zero: below one hundredth of where the counter stood.
bool NearZero(Decimal value, Decimal before) { return Compare(Scale(value, 2), before) < 0; }

}  // namespace

CounterGuard::Verdict CounterGuard::Judge(Decimal value, int64_t monotonic_us) {
  if (!known_ || Compare(value, good_) >= 0) {
    good_ = value;
    known_ = true;
    held_count_ = 0;
    return Verdict::kOk;
  }
  if (held_count_ == 0 || Compare(value, held_) < 0) {
    // The first step back, or one below the value that was being insisted on: start counting anew.
    held_count_ = 0;
    held_since_us_ = monotonic_us;
  }
  held_ = value;
  if (held_count_ < UINT8_MAX) ++held_count_;
  const bool insists = NearZero(value, good_)
                           ? held_count_ >= kInsistCountNearZero
                           : held_count_ >= kInsistCount && monotonic_us - held_since_us_ >= kInsistTime_us;
  if (!insists) return Verdict::kHeld;
  good_ = value;
  held_count_ = 0;
  return Verdict::kRestarted;
}

}  // namespace vesta::hub
