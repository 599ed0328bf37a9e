// A battery with panels and loads, as on a boat or in a hut, as its Victron devices see it: a day of sun and clouds, a
// fridge, lights in the evening, kettle and laptop on the inverter.
//
// It lives in steps, since a battery remembers; the same seed and start give the same life. Twelve volts, 200 Ah lead.
#pragma once

#include <cstdint>

#include "model/time.h"

namespace vesta::simulators {

enum class ChargeStage : uint8_t { kOff = 0, kBulk = 3, kAbsorption = 4, kFloat = 5 };

struct DcSystemOptions {
  uint64_t seed = 1;
  int32_t panel_peak_w = 380;
};

class DcSystem {
 public:
  // Begins a day before, so that today and yesterday have a history.
  DcSystem(const DcSystemOptions& options, UtcUs start_us);

  // Lives on to `us`; going back does nothing.
  void Advance(UtcUs us);

  int32_t battery_mv() const { return static_cast<int32_t>(battery_v_ * 1000); }
  int32_t battery_ma() const { return static_cast<int32_t>(battery_a_ * 1000); }  // positive: charging
  int32_t consumed_mah() const { return static_cast<int32_t>((charge_ah_ - kCapacity_ah) * 1000); }  // zero or negative
  int32_t soc_permille() const;
  int32_t minutes_to_go() const;  // -1: not discharging
  int32_t charger_ma() const { return static_cast<int32_t>(charger_a_ * 1000); }
  int32_t panel_mv() const { return static_cast<int32_t>(panel_v_ * 1000); }
  int32_t panel_w() const { return static_cast<int32_t>(panel_w_); }
  int32_t load_ma() const { return static_cast<int32_t>(load_a_ * 1000); }  // of the DC loads
  int32_t inverter_w() const { return static_cast<int32_t>(inverter_w_); }
  int32_t inverter_mv() const { return 230000 + static_cast<int32_t>(wobble_ * 900); }
  int32_t charger_centi_c() const { return 2100 + static_cast<int32_t>(panel_w_ * 3); }
  ChargeStage stage() const { return stage_; }

  struct Day {
    double yield_wh = 0;
    double peak_w = 0;
    double bulk_s = 0, absorption_s = 0, float_s = 0;
    double battery_v_min = 100, battery_v_max = 0, panel_v_max = 0, charger_a_max = 0;
  };
  const Day& today() const { return today_; }
  const Day& yesterday() const { return yesterday_; }
  int32_t day_number() const { return day_number_; }
  double yield_total_wh() const { return yield_total_wh_; }
  double drawn_ah() const { return drawn_ah_; }
  double discharged_wh() const { return discharged_wh_; }
  double charged_wh() const { return charged_wh_; }
  double deepest_ah() const { return deepest_ah_; }
  int64_t seconds_since_full() const { return since_full_s_; }

  static constexpr double kCapacity_ah = 200;

 private:
  void Step(int64_t utc_s, int64_t length_s);
  double SunWatts(int64_t utc_s) const;
  void Loads(int64_t utc_s);
  void Charge(double wanted_a);

  DcSystemOptions options_;
  int64_t at_s_;
  int64_t local_day_;
  double charge_ah_ = 150;
  double battery_v_ = 12.7, battery_a_ = 0;
  double charger_a_ = 0, panel_v_ = 0, panel_w_ = 0;
  double load_a_ = 0, inverter_w_ = 0, wobble_ = 0;
  double held_s_ = 0;  // time in absorption
  ChargeStage stage_ = ChargeStage::kOff;
  Day today_, yesterday_;
  int32_t day_number_ = 100;
  double yield_total_wh_ = 412340, drawn_ah_ = 5210, discharged_wh_ = 66100, charged_wh_ = 71900, deepest_ah_ = -96;
  int64_t since_full_s_ = 30000;
};

}  // namespace vesta::simulators
