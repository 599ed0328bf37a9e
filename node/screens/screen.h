// The screens of the display and the values that they show, wherever those come from: a function of this node or the
// hub.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/value.h"

namespace vesta::node {

enum class Screen : uint8_t { kVictron, kMeter, kStatus };
inline constexpr std::string_view kScreenNames[] = {"victron", "meter", "status"};
inline constexpr uint8_t kAllScreens = 0x07;

// All in thousandths of their unit.
enum class Shown : uint8_t {
  kBatteryVoltage,
  kBatteryCurrent,
  kBatteryCharge,  // percent
  kBatteryPower,
  kSolarVoltage,
  kSolarCurrent,
  kSolarPower,
  kChargerVoltage,
  kChargerCurrent,
  kGridPower,  // taken; negative = given back
  kEnergyIn,   // kWh
  kEnergyOut,
  // Of a meter at this node only.
  kPowerL1,
  kPowerL2,
  kPowerL3,
  kGas,
  kCount,
};
inline constexpr size_t kShownCount = static_cast<size_t>(Shown::kCount);
// The first ones can be written by the hub.
inline constexpr size_t kShownFromHub = 12;

struct ShownValue {
  int64_t milli = 0;
  int64_t at_us = INT64_MIN;  // when it was heard
};
// Thousandths of a number times 10^power, bounded: it may come from anywhere.
inline int64_t MilliOf(Decimal d, int power = 0) {
  constexpr int64_t kMost = 999999999999999;
  int digits = d.exponent + power + 3;
  for (; digits > 0 && d.mantissa < kMost && d.mantissa > -kMost; --digits) d.mantissa *= 10;
  for (; digits < 0 && d.mantissa != 0; ++digits) d.mantissa /= 10;
  return d.mantissa > kMost ? kMost : d.mantissa < -kMost ? -kMost : d.mantissa;
}

using ShownValues = std::array<ShownValue, kShownCount>;

}  // namespace vesta::node
