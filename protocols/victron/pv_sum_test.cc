#include "protocols/victron/pv_sum.h"

#include <gtest/gtest.h>

namespace vesta::victron {
namespace {

constexpr int64_t kSecond = kUsPerSecond;

TEST(PvSum, SharesAddUpToTheWhole) {
  PvSum sum;
  sum.SetPower(0, 8123, 0);
  sum.SetPower(3, 7990, 0);
  sum.SetPower(5, 0, 0);
  sum.Refresh(kSecond);
  EXPECT_EQ(sum.member_count(), 3u);
  EXPECT_EQ(sum.power_cW(), 16113);
  EXPECT_EQ(sum.share(0), 5041);
  EXPECT_EQ(sum.share(3), 4959);
  EXPECT_EQ(sum.share(5), 0);
  EXPECT_EQ(sum.share(1), 0);
  EXPECT_EQ(sum.share(PvSum::kMaxMembers), 0);
}

TEST(PvSum, IsZeroInTheDark) {
  PvSum sum;
  sum.SetPower(0, 0, 0);
  sum.SetPower(1, 0, 0);
  sum.Refresh(0);
  EXPECT_EQ(sum.power_cW(), 0);
  EXPECT_EQ(sum.share(0), 0);
}

TEST(PvSum, ASilentChargerDropsOutAndStopsTheYield) {
  PvSum sum;
  sum.SetPower(0, 1000, 0);
  sum.SetYield(0, 50, 0);
  sum.SetPower(1, 3000, 100 * kSecond);
  sum.SetYield(1, 70, 100 * kSecond);
  sum.Refresh(100 * kSecond);
  EXPECT_EQ(sum.power_cW(), 3000);
  EXPECT_EQ(sum.share(0), 0);
  EXPECT_EQ(sum.share(1), 10000);
  int64_t yield = 0;
  EXPECT_FALSE(sum.yield(&yield)) << "a sum without one charger would fall";
  sum.SetYield(0, 51, 101 * kSecond);
  sum.Refresh(101 * kSecond);
  EXPECT_TRUE(sum.yield(&yield));
  EXPECT_EQ(yield, 121);
  // Taken down for good: after a day it is forgotten.
  sum.SetYield(1, 71, 101 * kSecond + PvSum::kForgetMember_us + kSecond);
  sum.Refresh(101 * kSecond + PvSum::kForgetMember_us + kSecond);
  EXPECT_TRUE(sum.yield(&yield));
  EXPECT_EQ(yield, 71);
}

TEST(PvSum, ANewDayBeginsOnceForAll) {
  PvSum sum;
  const auto at = [&sum](int64_t us) {
    sum.Refresh(us);
    int64_t yield = -1;
    EXPECT_TRUE(sum.yield(&yield));
    return yield;
  };
  sum.SetYield(0, 500, 0);
  sum.SetYield(1, 300, 0);
  EXPECT_EQ(at(0), 800);
  sum.SetYield(0, 0, 10 * kSecond);  // the first charger sees the sun
  EXPECT_EQ(at(10 * kSecond), 0);
  sum.SetYield(1, 300, 20 * kSecond);
  sum.SetYield(0, 2, 20 * kSecond);
  EXPECT_EQ(at(20 * kSecond), 2);
  sum.SetYield(1, 0, 30 * kSecond);  // and the second
  EXPECT_EQ(at(30 * kSecond), 2);
  sum.SetYield(1, 5, 40 * kSecond);
  EXPECT_EQ(at(40 * kSecond), 7);
}

TEST(PvSum, NumbersBeyondItsTableAreIgnored) {
  PvSum sum;
  sum.SetPower(PvSum::kMaxMembers, 1000, 0);
  sum.SetYield(PvSum::kMaxMembers, 1000, 0);
  sum.Refresh(0);
  EXPECT_EQ(sum.member_count(), 0u);
}

}  // namespace
}  // namespace vesta::victron
