#include "hub/live/interval.h"

#include <algorithm>

namespace vesta::hub {

void IntervalLearner::Add(int64_t time_us) {
  if (last_us_ != INT64_MIN) {
    if (time_us <= last_us_) return;
    const int64_t gap_ms = (time_us - last_us_) / 1000;
    gaps_ms_[next_] = static_cast<uint32_t>(std::min<int64_t>(gap_ms, UINT32_MAX));
    next_ = static_cast<uint8_t>((next_ + 1) % kGaps);
    if (count_ < kGaps) ++count_;
  }
  last_us_ = time_us;
}

std::optional<int64_t> IntervalLearner::interval_us() const {
  if (count_ < kNeeded) return std::nullopt;
  std::array<uint32_t, kGaps> sorted = gaps_ms_;
  std::nth_element(sorted.begin(), sorted.begin() + count_ / 2, sorted.begin() + count_);
  return static_cast<int64_t>(sorted[count_ / 2]) * 1000;
}

}  // namespace vesta::hub
