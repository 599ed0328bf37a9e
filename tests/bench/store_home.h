// The readings of a home's smart meter, 28 fields each second, for the benchmarks of the store: the household of the
// simulators, stamped by the meter's clock in whole seconds, received with the jitter of a USB serial adapter (their
// latency timer is 16 ms). Arrival order: all fields of a second, then those of the next.
#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "hub/store/store.h"
#include "simulators/household.h"

namespace vesta::tests {

inline constexpr hub::SeriesId kMeterFields = 28;
inline constexpr UtcUs kHomeStart_us = 1754956800 * kUsPerSecond;  // 2025-08-12T00:00:00Z

class HomeMeter {
 public:
  HomeMeter() : household_({.sun_peak_w = 4000, .electric_car = true}) {}

  static hub::CommitUnit Directory() {
    hub::CommitUnit unit;
    unit.devices.resize(1);
    unit.devices[0].id = 1;
    unit.devices[0].key = "p1_home";
    for (hub::SeriesId id = 1; id <= kMeterFields; ++id) {
      hub::Series& series = unit.series.emplace_back();
      series.id = id;
      series.device = 1;
      series.field.key = "field" + std::to_string(id);
      series.field.kind = id <= 5 ? FieldKind::kCounter : FieldKind::kGauge;
    }
    return unit;
  }

  // The 28 readings of the second that begins then.
  void Second(int64_t second, hub::JournalNumber* number, std::vector<hub::Record>* records) {
    const UtcUs time_us = kHomeStart_us + second * kUsPerSecond;
    const simulators::HouseholdMoment moment = household_.At(time_us / kUsPerSecond);
    const int64_t received_us = time_us + 300000 + static_cast<int64_t>(random_() % 16000);
    int64_t net_w = 0;
    std::array<int64_t, 3> drawn{};
    std::array<int64_t, 3> fed{};
    for (size_t i = 0; i < 3; ++i) {
      net_w += moment.net_w[i];
      (moment.net_w[i] >= 0 ? drawn : fed)[i] = std::abs(moment.net_w[i]);
    }
    const bool night = second / 3600 % 24 >= 21 || second / 3600 % 24 < 5;
    const size_t tariff = night ? 0 : 1;
    energy_mws_[net_w >= 0 ? tariff : 2 + tariff] += std::abs(net_w) * 1000;
    gas_ml_ += moment.gas_ml_s;
    size_t field = 0;
    const auto add = [&](int64_t mantissa, int8_t exponent) {
      hub::Record& record = records->emplace_back();
      record.number = ++*number;
      record.series = static_cast<hub::SeriesId>(++field);
      record.time_us = time_us;
      record.received_us = received_us;
      record.time_quality = TimeQuality::kDeviceClock;
      record.value = Value::OfDecimal(mantissa, exponent);
    };
    for (const int64_t energy : energy_mws_) add(energy / 3600000, -3);  // kWh with three decimals: Wh
    add(gas_ml_ / 1000, -3);
    add(net_w > 0 ? net_w : 0, -3);
    add(net_w < 0 ? -net_w : 0, -3);
    add(night ? 1 : 2, 0);
    for (const int64_t watts : drawn) add(watts, -3);
    for (const int64_t watts : fed) add(watts, -3);
    for (const int32_t voltage : moment.voltage_dv) add(voltage, -1);
    for (size_t i = 0; i < 3; ++i) add((drawn[i] + fed[i]) * 10 / std::max(moment.voltage_dv[i], 1), 0);
    for (const int constant : {7, 3, 2, 0, 1, 4, 0}) add(constant, 0);
  }

 private:
  simulators::Household household_;
  std::mt19937 random_{1};
  std::array<int64_t, 4> energy_mws_{4321000000000, 2345000000000, 123000000000, 345000000000};
  int64_t gas_ml_ = 812345000;
};

}  // namespace vesta::tests
