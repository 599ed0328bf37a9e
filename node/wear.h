// How often the non-volatile memory is written: flash bears some 100,000 erasures a page.
//
// One write an hour in the long run, kBurst in a row: with wear levelling over the smallest usual store (5 pages of 4
// KB, some 15 records a page) that is 1.6 erasures of a page a day, and decades of life. Writes that can't wait (a new
// hub) are always made; they are counted as well.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vesta::node {

class WearBudget {
 public:
  static constexpr int64_t kEvery_us = int64_t{3600} * 1000000;
  static constexpr int64_t kBurst = 24;
  static constexpr int64_t kLazy_us = 2 * kEvery_us;

  // Whether one more write is within the budget.
  bool MayWrite(int64_t now_us) const { return Spent(now_us) <= (kBurst - 1) * kEvery_us; }
  bool MayWriteLazily(int64_t now_us) const { return MayWrite(now_us) && now_us - last_us_ >= kLazy_us; }
  void Wrote(int64_t now_us) {
    last_us_ = now_us;
    spent_until_us_ = std::max(spent_until_us_, now_us) + kEvery_us;
    ++writes_;
  }
  uint32_t writes() const { return writes_; }

 private:
  int64_t Spent(int64_t now_us) const { return std::max<int64_t>(spent_until_us_ - now_us, 0); }

  int64_t spent_until_us_ = INT64_MIN / 2;
  int64_t last_us_ = INT64_MIN / 2;
  uint32_t writes_ = 0;
};

}  // namespace vesta::node
