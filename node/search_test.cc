#include "node/search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vesta::node {
namespace {

class Zeros final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override { std::fill(out.begin(), out.end(), uint8_t{0}); }
};

// The known channel twice, then the others, each for as long as the radio needs.
TEST(Search, StaysOnEachChannelForTheRadiosTime) {
  Zeros random;
  for (const int64_t dwell_us : {kDwell_us, int64_t{150000}}) {
    Search search(random, dwell_us);
    search.Begin(11, 0, false);
    int64_t now_us = 0;
    for (const int wanted : {11, 11, 1, 6, 2}) {
      EXPECT_EQ(search.Next(now_us), wanted);
      EXPECT_EQ(search.next_us(), now_us + dwell_us);
      EXPECT_EQ(search.Next(now_us + dwell_us - 1), 0);
      now_us += dwell_us;
    }
  }
}

}  // namespace
}  // namespace vesta::node
