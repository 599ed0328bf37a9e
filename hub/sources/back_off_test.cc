#include "hub/sources/back_off.h"

#include <gtest/gtest.h>

#include <set>

namespace vesta::hub {
namespace {

TEST(BackOff, DoublesWithJitterUpToTheLast) {
  std::set<int64_t> first_steps;
  for (int run = 0; run < 20; ++run) {
    BackOff back_off(1000000, 60000000);
    int64_t step_us = 1000000;
    for (int i = 0; i < 12; ++i) {
      const int64_t wait_us = back_off.Next().count();
      if (i == 0) first_steps.insert(wait_us);
      EXPECT_GE(wait_us, step_us * 3 / 4);
      EXPECT_LE(wait_us, std::min<int64_t>(step_us * 5 / 4, 60000000));
      step_us = std::min<int64_t>(step_us * 2, 60000000);
    }
    back_off.Reset();
    EXPECT_LE(back_off.Next().count(), 1250000);
  }
  EXPECT_GT(first_steps.size(), 10U);
}

}  // namespace
}  // namespace vesta::hub
