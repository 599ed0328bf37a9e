#include "simulators/household.h"

#include <gtest/gtest.h>

namespace vesta::simulators {
namespace {

constexpr int64_t kMay_s = 1747000800;      // 2025-05-11T22:00:00Z, a local midnight
constexpr int64_t kJanuary_s = 1736982000;  // 2025-01-15T23:00:00Z
constexpr int64_t kDay_s = 86400;

struct Totals {
  int64_t drawn_wh = 0, yielded_wh = 0, gas_l = 0, water_l = 0;
  int32_t highest_w = 0, lowest_w = 0, lowest_dv = INT32_MAX, highest_dv = 0;
};

Totals LiveFor(const HouseholdOptions& options, int64_t from_s, int days) {
  Household house(options);
  int64_t drawn_ws = 0, yielded_ws = 0, gas_ml = 0, water_ml = 0;
  Totals t;
  for (int64_t s = from_s; s < from_s + days * kDay_s; ++s) {
    const HouseholdMoment moment = house.At(s);
    const int32_t net_w = moment.net_w[0] + moment.net_w[1] + moment.net_w[2];
    (net_w > 0 ? drawn_ws : yielded_ws) += std::abs(net_w);
    t.highest_w = std::max(t.highest_w, net_w);
    t.lowest_w = std::min(t.lowest_w, net_w);
    t.lowest_dv = std::min(t.lowest_dv, moment.voltage_dv[0]);
    t.highest_dv = std::max(t.highest_dv, moment.voltage_dv[0]);
    gas_ml += moment.gas_ml_s;
    water_ml += moment.water_ml_s;
  }
  t.drawn_wh = drawn_ws / 3600;
  t.yielded_wh = yielded_ws / 3600;
  t.gas_l = gas_ml / 1000;
  t.water_l = water_ml / 1000;
  return t;
}

TEST(Household, AWeekInSpringIsPlausible) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    HouseholdOptions options;
    options.seed = seed;
    options.sun_peak_w = 5000;
    const Totals week = LiveFor(options, kMay_s, 7);
    EXPECT_GT(week.drawn_wh, 7 * 2500) << seed;
    EXPECT_LT(week.drawn_wh, 7 * 16000) << seed;
    EXPECT_GT(week.yielded_wh, 7 * 3000) << seed;
    EXPECT_LT(week.yielded_wh, 7 * 40000) << seed;
    EXPECT_GT(week.highest_w, 2000) << seed;
    EXPECT_LT(week.highest_w, 17000) << seed;
    EXPECT_LT(week.lowest_w, -1500) << seed;
    EXPECT_GT(week.lowest_w, -5000) << seed;
    EXPECT_GT(week.lowest_dv, 2070) << seed;
    EXPECT_LT(week.highest_dv, 2530) << seed;
    EXPECT_GT(week.water_l, 7 * 80) << seed;
    EXPECT_LT(week.water_l, 7 * 500) << seed;
  }
}

TEST(Household, HeatsInWinterOnly) {
  HouseholdOptions options;
  const Totals winter = LiveFor(options, kJanuary_s, 7);
  const Totals summer = LiveFor(options, kMay_s + 60 * kDay_s, 7);
  EXPECT_GT(winter.gas_l, 7 * 2500);
  EXPECT_LT(winter.gas_l, 7 * 16000);
  EXPECT_GT(summer.gas_l, 7 * 100);  // hot water
  EXPECT_LT(summer.gas_l, 7 * 1500);
}

TEST(Household, OneSecondDoesNotDependOnThoseBefore) {
  HouseholdOptions options;
  options.sun_peak_w = 5000;
  options.electric_car = true;
  Household lived(options);
  for (int64_t s = kMay_s; s < kMay_s + 3 * kDay_s; s += 60) {
    Household entered(options);
    const HouseholdMoment a = lived.At(s);
    const HouseholdMoment b = entered.At(s);
    ASSERT_EQ(a.net_w, b.net_w) << s;
    ASSERT_EQ(a.voltage_dv, b.voltage_dv) << s;
    ASSERT_EQ(a.gas_ml_s, b.gas_ml_s) << s;
  }
}

}  // namespace
}  // namespace vesta::simulators
