// How long something took, many times: counts by upper bound, as Prometheus wants them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

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

  // Not cumulative; [kBounds_us.size()] is beyond the last bound.
  const std::array<uint64_t, kBounds_us.size() + 1>& counts() const { return counts_; }
  int64_t sum_us() const { return sum_us_; }

 private:
  std::array<uint64_t, kBounds_us.size() + 1> counts_ = {};
  int64_t sum_us_ = 0;
};

}  // namespace vesta::hub
