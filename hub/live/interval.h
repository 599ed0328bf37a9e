// Learns how often something comes, from the times at which it came.
//
// Keeps the last few gaps and answers with their median, so one outage or one burst does not move it. Portable, 48
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace vesta::hub {

class IntervalLearner {
 public:
  // Times must not run backwards; one that does is ignored.
  void Add(int64_t time_us);
  // Empty until three gaps were seen.
  std::optional<int64_t> interval_us() const;

 private:
  static constexpr size_t kGaps = 9;  // odd, so that the median is one of them
  static constexpr size_t kNeeded = 3;
  std::array<uint32_t, kGaps> gaps_ms_{};
  int64_t last_us_ = INT64_MIN;
  uint8_t count_ = 0;
  uint8_t next_ = 0;
};

}  // namespace vesta::hub
