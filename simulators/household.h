// A house with people in it, as its meters feel it: what it draws, what its roof yields, how much gas and water flows.
//
// A pure function of the seed and of UTC seconds: no history is needed to know any second, and the same second is
// always the same. Plausible rather than statistical: base load, fridge and freezer that cycle, kettle, hob and oven
// around meals, dishwasher, washing machine, some evenings an electric car, sun with clouds, heating that works
// mornings and evenings in the cold months, showers. Powers in W per phase, voltages in tenths of a volt, flows in
// ml/s.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/calendar.h"

namespace vesta::simulators {

struct HouseholdOptions {
  uint64_t seed = 1;
  bool three_phase = true;
  int32_t sun_peak_w = 0;  // of the roof; 0 = no panels
  bool electric_car = false;
  Zone zone = {60, true};  // people live by local time
};

struct HouseholdMoment {
  std::array<int32_t, 3> net_w = {};         // drawn minus yielded, per phase; negative flows into the grid
  std::array<int32_t, 3> reactive_var = {};  // positive: inductive
  std::array<int32_t, 3> voltage_dv = {};    // 0 on phases that are not there
  int32_t gas_ml_s = 0;
  int32_t water_ml_s = 0;
};

class Household {
 public:
  explicit Household(const HouseholdOptions& options) : options_(options) {}

  HouseholdMoment At(int64_t utc_s);

 private:
  // One run of an appliance: between start and end it draws watts during the first `on_s` of each `period_s`.
  struct Run {
    int64_t start_s;
    int64_t end_s;
    int32_t watts;
    int32_t period_s;
    int32_t on_s;
    uint8_t phase;  // 3 = all of them
    int32_t gas_ml_s;
    int32_t water_ml_s;
  };

  void PlanDay(int64_t local_day, std::vector<Run>* runs) const;
  void AddRuns(std::array<int32_t, 3>* drawn_w, int64_t local_s, HouseholdMoment* moment) const;
  double SunWatts(int64_t utc_s) const;
  double ColdOutside(int64_t local_day) const;

  HouseholdOptions options_;
  int64_t planned_day_ = INT64_MIN;  // local day that runs_ is for, with the evening before
  std::vector<Run> runs_;
};

}  // namespace vesta::simulators
