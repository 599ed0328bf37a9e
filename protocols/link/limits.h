// How often the hub does something costly for strangers: a bucket for everybody together and a short memory of who was
// answered last. Both are checked before any cryptography. Times are monotonic microseconds.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "protocols/link/wire.h"

namespace vesta::link {

class TokenBucket {
 public:
  constexpr TokenBucket(int64_t per_second, int64_t burst) : interval_us_(1000000 / per_second), burst_(burst) {}
  bool Take(int64_t now_us) {
    // `free_us_` is when the next token would be due if all were spent.
    free_us_ = std::max(free_us_, now_us - burst_ * interval_us_);
    if (free_us_ > now_us - interval_us_) return false;
    free_us_ += interval_us_;
    return true;
  }

 private:
  int64_t interval_us_;
  int64_t burst_;
  int64_t free_us_ = INT64_MIN / 2;
};

class RecentSources {
 public:
  // False when this source was let through less than interval_us ago.
  bool Take(const Address& source, int64_t now_us, int64_t interval_us) {
    Entry* oldest = &entries_[0];
    for (Entry& e : entries_) {
      if (e.source == source) {
        if (now_us - e.at_us < interval_us) return false;
        e.at_us = now_us;
        return true;
      }
      if (e.at_us < oldest->at_us) oldest = &e;
    }
    *oldest = {source, now_us};
    return true;
  }

 private:
  struct Entry {
    Address source = {};
    int64_t at_us = INT64_MIN / 2;
  };
  // A house full of nodes that start together; more sources than this are held by the bucket.
  std::array<Entry, 64> entries_;
};

}  // namespace vesta::link
