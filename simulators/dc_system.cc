#include "simulators/dc_system.h"

#include <algorithm>
#include <cmath>

#include "simulators/day.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr int64_t kLongStep_s = 60;  // through the past; the present goes by seconds
constexpr double kResistance_ohm = 0.012;
constexpr double kAbsorption_v = 14.4, kFloat_v = 13.8;
constexpr double kChargerMax_a = 30;
constexpr double kAbsorptionLimit_s = 2 * 3600;
constexpr double kFullTail_a = 4;

enum Purpose : uint64_t { kClearness = 500, kThick, kThin, kWobble, kKettle, kLaptop };

double RestVolts(double charge_ah) { return 11.8 + 1.0 * charge_ah / DcSystem::kCapacity_ah; }

}  // namespace

DcSystem::DcSystem(const DcSystemOptions& options, UtcUs start_us) : options_(options) {
  const int64_t start_s = start_us / kUsPerSecond;
  at_s_ = start_s - kSecondsPerDay;
  local_day_ = at_s_ / kSecondsPerDay;
  while (at_s_ < start_s) {
    const int64_t length_s = std::min(kLongStep_s, start_s - at_s_);
    Step(at_s_, length_s);
    at_s_ += length_s;
  }
}

void DcSystem::Advance(UtcUs us) {
  const int64_t until_s = us / kUsPerSecond;
  while (at_s_ < until_s) {
    const int64_t length_s = until_s - at_s_ > kLongStep_s ? kLongStep_s : 1;
    Step(at_s_, length_s);
    at_s_ += length_s;
  }
}

double DcSystem::SunWatts(int64_t utc_s) const {
  const double hour = static_cast<double>(utc_s % kSecondsPerDay) / 3600;
  const double height = std::sin(kPi * (hour - 5) / 14);  // up from 5 to 19 h
  if (hour < 5 || hour > 19 || height <= 0) return 0;
  const double clearness = 0.3 + 0.7 * Unit(options_.seed, kClearness, static_cast<uint64_t>(utc_s / kSecondsPerDay));
  const double thin = SmoothNoise(options_.seed, kThin, utc_s, 45);
  const bool clear = SmoothNoise(options_.seed, kThick, utc_s, 900) < clearness;
  return options_.panel_peak_w * std::pow(height, 1.2) * (clear ? 1 - 0.06 * thin : 0.25 + 0.2 * thin);
}

void DcSystem::Loads(int64_t utc_s) {
  const double hour = static_cast<double>(utc_s % kSecondsPerDay) / 3600;
  const double fridge_w = utc_s % 2700 < 1000 ? 55 : 0;
  const double lights_w = hour > 18.5 && hour < 23 ? 28 : 0;
  wobble_ = Unit(options_.seed, kWobble, static_cast<uint64_t>(utc_s)) - 0.5;
  load_a_ = (9 + fridge_w + lights_w + wobble_) / battery_v_;
  const bool laptop = SmoothNoise(options_.seed, kLaptop, utc_s, 7200) > 0.55 && hour > 7 && hour < 23;
  const bool kettle = SmoothNoise(options_.seed, kKettle, utc_s, 240) > 0.93 && hour > 7 && hour < 21;
  inverter_w_ = (laptop ? 48 + 6 * wobble_ : 0) + (kettle ? 420 : 0);
}

void DcSystem::Charge(double wanted_a) {
  const double drawn_a = load_a_ + (inverter_w_ > 0 ? inverter_w_ / 0.92 / battery_v_ + 0.6 : 0.2);
  charger_a_ = std::max(0.0, wanted_a);
  battery_a_ = charger_a_ - drawn_a;
  const bool nearly_full = charge_ah_ > 0.9 * kCapacity_ah;
  const double lift = battery_a_ > 0 ? (nearly_full ? 0.06 : 0.035) * battery_a_ + 0.6 : 0;
  battery_v_ = RestVolts(charge_ah_) + battery_a_ * kResistance_ohm + lift;
}

void DcSystem::Step(int64_t utc_s, int64_t length_s) {
  const auto seconds = static_cast<double>(length_s);
  if (utc_s / kSecondsPerDay != local_day_) {
    local_day_ = utc_s / kSecondsPerDay;
    yesterday_ = today_;
    today_ = {};
    day_number_ = (day_number_ + 1) % 365;
  }
  Loads(utc_s);
  const double sun_w = SunWatts(utc_s);
  const bool light = sun_w > 4;
  if (!light) {
    stage_ = ChargeStage::kOff;
  } else if (stage_ == ChargeStage::kOff) {
    stage_ = ChargeStage::kBulk;
    held_s_ = 0;
  }
  Charge(light ? std::min(kChargerMax_a, sun_w * 0.96 / battery_v_) : 0);
  const double target_v = stage_ == ChargeStage::kFloat ? kFloat_v : kAbsorption_v;
  if (light && battery_v_ > target_v) {
    // Holds the voltage: takes only what the battery lets in.
    const double surplus_a = (battery_v_ - target_v) / 0.07;
    Charge(std::max(0.0, charger_a_ - surplus_a));
    battery_v_ = target_v + wobble_ * 0.02;
    if (stage_ == ChargeStage::kBulk) stage_ = ChargeStage::kAbsorption;
    held_s_ += seconds;
    const bool full = charge_ah_ > 0.99 * kCapacity_ah && battery_a_ < kFullTail_a;
    if (stage_ == ChargeStage::kAbsorption && (held_s_ > kAbsorptionLimit_s || full)) stage_ = ChargeStage::kFloat;
  }
  panel_w_ = charger_a_ * battery_v_ / 0.96;
  panel_v_ = light ? 32 + 4 * (1 - panel_w_ / options_.panel_peak_w) + wobble_ * 0.1 : 0.02;

  charge_ah_ = std::clamp(charge_ah_ + battery_a_ * seconds / 3600, 20.0, kCapacity_ah);
  deepest_ah_ = std::min(deepest_ah_, charge_ah_ - kCapacity_ah);
  since_full_s_ = charge_ah_ >= kCapacity_ah ? 0 : since_full_s_ + length_s;
  const double wh = battery_a_ * battery_v_ * seconds / 3600;
  (wh > 0 ? charged_wh_ : discharged_wh_) += std::abs(wh);
  if (battery_a_ < 0) drawn_ah_ -= battery_a_ * seconds / 3600;
  today_.yield_wh += panel_w_ * seconds / 3600;
  yield_total_wh_ += panel_w_ * seconds / 3600;
  today_.peak_w = std::max(today_.peak_w, panel_w_);
  today_.battery_v_min = std::min(today_.battery_v_min, battery_v_);
  today_.battery_v_max = std::max(today_.battery_v_max, battery_v_);
  today_.panel_v_max = std::max(today_.panel_v_max, panel_v_);
  today_.charger_a_max = std::max(today_.charger_a_max, charger_a_);
  if (stage_ == ChargeStage::kBulk) today_.bulk_s += seconds;
  if (stage_ == ChargeStage::kAbsorption) today_.absorption_s += seconds;
  if (stage_ == ChargeStage::kFloat) today_.float_s += seconds;
}

int32_t DcSystem::soc_permille() const { return static_cast<int32_t>(1000 * charge_ah_ / kCapacity_ah); }

int32_t DcSystem::minutes_to_go() const {
  if (battery_a_ > -0.05) return -1;
  return static_cast<int32_t>(std::min(14400.0, 60 * charge_ah_ / -battery_a_));
}

}  // namespace vesta::simulators
