#include "node/screens/screens.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta::node {
namespace {

constexpr int64_t kNow_us = 1000000000;

ShownValues All(int64_t milli) {
  ShownValues shown;
  for (ShownValue& v : shown) v = {milli, kNow_us};
  return shown;
}

// Draws it; nothing may fall beside the display or run into something else.
std::string Drawn(Screen screen, const ShownValues& shown, const NodeStatus& status) {
  DisplayDots dots;
  Canvas canvas(&dots);
  Draw(screen, shown, status, kNow_us, canvas);
  EXPECT_EQ(canvas.clipped(), 0u);
  EXPECT_EQ(canvas.overdrawn(), 0u);
  return {dots.begin(), dots.end()};
}

TEST(Screens, NothingIsCutOffWhateverTheValues) {
  for (const int64_t milli : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{99950}, int64_t{-99950}, int64_t{9999999},
                              int64_t{-9999999}, int64_t{123456789012}, int64_t{-123456789012}, INT64_MAX, INT64_MIN}) {
    for (const Screen screen : {Screen::kVictron, Screen::kMeter, Screen::kStatus}) {
      Drawn(screen, All(milli), {});
      for (size_t missing = 0; missing < kShownCount; ++missing) {
        ShownValues shown = All(milli);
        shown[missing].at_us = INT64_MIN;
        Drawn(screen, shown, {});
      }
    }
  }
}

TEST(Screens, TheStatusFitsInEveryState) {
  for (int bits = 0; bits < 64; ++bits) {
    NodeStatus s;
    s.is_joined = (bits & 1) != 0;
    s.is_linked = (bits & 2) != 0;
    s.is_waiting = (bits & 4) != 0;
    s.code = 999999;
    s.channel = 13;
    s.rssi_dbm = -128;
    s.refusal = static_cast<uint8_t>(bits % 9);
    s.backlog = s.lost = (bits & 8) != 0 ? UINT32_MAX : 0;
    s.heard_us = (bits & 16) != 0 ? 1 - INT64_MAX / 2 : 0;
    s.has_utc = (bits & 32) != 0;
    s.name.Set(bits % 2 == 0 ? "WWWWWWWWWWWWWWWWWWWWWWWW" : "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
    Problem problem;
    for (int i = 0; i < 20 && bits % 3 == 0; ++i) problem.Add("a long problem ");
    s.problem = problem.view();
    Drawn(Screen::kStatus, All(0), s);
  }
}

TEST(Screens, StaleValuesAreNotShown) {
  ShownValues fresh = All(12345);
  ShownValues stale = fresh;
  for (ShownValue& v : stale) v.at_us = kNow_us - kStale_us - 1;
  const std::string nothing = Drawn(Screen::kVictron, ShownValues(), {});
  EXPECT_EQ(Drawn(Screen::kVictron, stale, {}), nothing);
  EXPECT_NE(Drawn(Screen::kVictron, fresh, {}), nothing);
}

TEST(Screens, AmountsKeepToTheirWidth) {
  EXPECT_EQ(Amount(12650, 1, "V", 6).view(), "12.7V");
  EXPECT_EQ(Amount(-12650, 2, "V", 7).view(), "-12.65V");
  EXPECT_EQ(Amount(123456789, 0, "W", 7).view(), "123457W");
  EXPECT_EQ(Amount(123456789, 0, "W", 6).view(), "123kW") << "rounded, in thousands";
  EXPECT_EQ(Amount(0, 1, "A", 7).view(), "0.0A");
  for (size_t width = 6; width < 16; ++width) {
    for (int shift = 0; shift < 63; ++shift) {
      EXPECT_LE(Amount(int64_t{1} << shift, 3, "kWh", width).view().size(), width);
      EXPECT_LE(Amount(-(int64_t{1} << shift), 3, "kWh", width).view().size(), width);
    }
  }
}

}  // namespace
}  // namespace vesta::node
