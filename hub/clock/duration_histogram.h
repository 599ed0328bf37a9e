// How long something took, many times: counts by upper bound, as Prometheus wants them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace vesta::hub {

class DurationHistogram {
 public:
  // Upper bounds in microseconds; one more count holds what is longer.
  static constexpr std::array<int64_t, 12> kBounds_us = {10,    30,    100,    300,    1000,    3000,
                                                         10000, 30000, 100000, 300000, 1000000, 10000000};

  void Add(int64_t us) {
    size_t i = 0;
    while (i < kBounds_us.size() && us > kBounds_us[i]) ++i;
    ++counts_[i];
    sum_us_ += us;
  }

  void Add(const DurationHistogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_us_ += other.sum_us_;
  }

  // The bound that this share of the times did not exceed (the longest bound for what is beyond it); empty when there
  // was none.
  std::optional<int64_t> AtMost_us(double share) const {
    uint64_t total = 0;
    for (const uint64_t count : counts_) total += count;
    if (total == 0) return std::nullopt;
    uint64_t seen = 0;
    for (size_t i = 0; i < kBounds_us.size(); ++i) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= share * static_cast<double>(total)) return kBounds_us[i];
    }
    return kBounds_us.back();
  }

  // Not cumulative; [kBounds_us.size()] is beyond the last bound.
  const std::array<uint64_t, kBounds_us.size() + 1>& counts() const { return counts_; }
  int64_t sum_us() const { return sum_us_; }

 private:
  std::array<uint64_t, kBounds_us.size() + 1> counts_ = {};
  int64_t sum_us_ = 0;
};

}  // namespace vesta::hub
