#include "simulators/household.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "simulators/day.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr uint8_t kAllPhases = 3;

// What a random number is for; the values only have to differ.
enum Purpose : uint64_t {
  kFridge = 100,
  kFreezer,
  kBaseLoad,
  kFlicker,
  kVoltageWalk,
  kDayClearness,
  kCloud,
  kThinCloud,
  kOutdoors,
  kHabits = 1000,  // + place in the table, times the numbers each habit needs
};

// What people do on a day, in minutes after local midnight.
struct Habit {
  double chance;  // of happening on a given day
  int32_t from_min, to_min;
  int32_t shortest_s, longest_s;
  int32_t watts;
  int32_t period_s, on_s;  // a thermostat: on for on_s of each period_s
  uint8_t phase;
  int32_t gas_ml_s, water_ml_s;
};

constexpr Habit kHabitTable[] = {
    {0.95, 400, 470, 120, 220, 2000, 1, 1, 0, 0, 0},        // kettle in the morning
    {0.60, 620, 700, 120, 200, 2000, 1, 1, 0, 0, 0},        // kettle at coffee time
    {0.90, 1170, 1260, 120, 240, 2000, 1, 1, 0, 0, 0},      // kettle in the evening
    {0.80, 410, 480, 180, 420, 1200, 1, 1, 1, 0, 0},        // toaster
    {0.95, 1030, 1110, 1500, 2700, 2400, 40, 26, 1, 0, 0},  // hob
    {0.45, 1020, 1090, 2100, 3600, 2300, 90, 50, 2, 0, 0},  // oven
    {0.40, 720, 780, 240, 480, 1100, 1, 1, 0, 0, 0},        // microwave
    {0.75, 1170, 1290, 1300, 1500, 2100, 1, 1, 1, 0, 45},   // dishwasher, heating
    {0.75, 1290, 1320, 700, 900, 2100, 1, 1, 1, 0, 30},     // dishwasher, drying
    {0.50, 540, 840, 700, 1000, 2000, 1, 1, 2, 0, 60},      // washing machine, heating
    {0.50, 860, 900, 600, 900, 420, 8, 5, 2, 0, 40},        // washing machine, spinning
    {0.98, 1050, 1090, 16000, 21000, 170, 1, 1, 0, 0, 0},   // lights, living room
    {0.90, 1140, 1180, 9000, 13000, 120, 1, 1, 2, 0, 0},    // television
    {0.70, 520, 560, 14000, 26000, 90, 1, 1, 1, 0, 0},      // desk at home
    {0.92, 390, 450, 300, 540, 0, 1, 1, 0, 560, 130},       // first shower
    {0.75, 430, 480, 300, 600, 0, 1, 1, 0, 560, 130},       // second shower
    {0.50, 1260, 1350, 300, 700, 0, 1, 1, 0, 560, 120},     // evening shower
    {0.95, 430, 520, 20, 60, 0, 1, 1, 0, 0, 100},           // wash-basin
    {0.90, 1110, 1170, 120, 300, 0, 1, 1, 0, 400, 90},      // washing up
    {0.90, 700, 1000, 60, 90, 0, 1, 1, 0, 0, 95},           // cistern
};

// The rest of the evening and night: starts late enough to run over midnight.
constexpr double kCarChance = 0.4;
constexpr int32_t kCarPhase_w = 3680;  // 16 A

// Compressors: the same length for life, a bit of their own for each house.
int32_t Compressor(uint64_t seed, uint64_t purpose, int64_t utc_s, int32_t watts) {
  const int64_t period_s = 2400 + static_cast<int64_t>(900 * Unit(seed, purpose, 0));
  const int64_t on_s = period_s * 38 / 100;
  const int64_t shifted_s = utc_s + static_cast<int64_t>(Mix(seed, purpose, 1) % 3600);
  const int64_t into_s = ((shifted_s % period_s) + period_s) % period_s;
  if (into_s >= on_s) return 0;
  return into_s < 2 ? watts * 3 : watts;  // the start of the motor
}

int64_t FloorDivide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace

void Household::PlanDay(int64_t local_day, std::vector<Run>* runs) const {
  const auto day = static_cast<uint64_t>(local_day);
  for (size_t i = 0; i < std::size(kHabitTable); ++i) {
    const Habit& habit = kHabitTable[i];
    const uint64_t what = kHabits + i * 4;
    if (Unit(options_.seed, what, day) >= habit.chance) continue;
    const double start_min = Between(habit.from_min, habit.to_min, Unit(options_.seed, what + 1, day));
    const double length_s = Between(habit.shortest_s, habit.longest_s, Unit(options_.seed, what + 2, day));
    Run run = {};
    run.start_s = local_day * kSecondsPerDay + static_cast<int64_t>(start_min * 60);
    run.end_s = run.start_s + static_cast<int64_t>(length_s);
    run.watts = habit.watts;
    run.period_s = habit.period_s;
    run.on_s = habit.on_s;
    run.phase = habit.phase;
    run.gas_ml_s = habit.gas_ml_s;
    run.water_ml_s = habit.water_ml_s;
    runs->push_back(run);
  }

  const uint64_t car = kHabits + std::size(kHabitTable) * 4;
  if (options_.electric_car && Unit(options_.seed, car, day) < kCarChance) {
    Run run = {};
    run.start_s =
        local_day * kSecondsPerDay + static_cast<int64_t>(60 * Between(1080, 1380, Unit(options_.seed, car + 1, day)));
    run.end_s = run.start_s + static_cast<int64_t>(3600 * Between(1.5, 4.5, Unit(options_.seed, car + 2, day)));
    run.watts = kCarPhase_w;
    run.period_s = run.on_s = 1;
    run.phase = options_.three_phase ? kAllPhases : 0;
    runs->push_back(run);
  }

  // The boiler: hard in the morning, in shorter burns through the evening, not at all in summer.
  const double cold = ColdOutside(local_day);
  if (cold > 0) {
    const struct { int32_t from_min, to_min, on_s; } kBurns[] = {{380, 530, 620}, {530, 990, 180}, {990, 1330, 400}};
    for (const auto& burn : kBurns) {
      Run run = {};
      run.start_s = local_day * kSecondsPerDay + burn.from_min * 60;
      run.end_s = local_day * kSecondsPerDay + burn.to_min * 60;
      run.period_s = 1200;
      run.on_s = static_cast<int32_t>(burn.on_s * cold);
      run.gas_ml_s = 480;
      run.watts = 60;  // its pump
      runs->push_back(run);
    }
  }
}

void Household::AddRuns(std::array<int32_t, 3>* drawn_w, int64_t local_s, HouseholdMoment* moment) const {
  for (const Run& run : runs_) {
    if (local_s < run.start_s || local_s >= run.end_s) continue;
    if ((local_s - run.start_s) % run.period_s >= run.on_s) continue;
    if (run.phase == kAllPhases) {
      for (int32_t& watts : *drawn_w) watts += run.watts;
    } else {
      (*drawn_w)[options_.three_phase ? run.phase : 0] += run.watts;
    }
    moment->gas_ml_s += run.gas_ml_s;
    moment->water_ml_s += run.water_ml_s;
  }
}

// 0 = nobody heats, 1 = a hard winter's day.
double Household::ColdOutside(int64_t local_day) const {
  const double year_part = std::fmod(static_cast<double>(local_day), 365.2425) / 365.2425;
  const double season = std::cos(2 * kPi * (year_part - 0.045));  // coldest in the middle of January
  const double weather = Unit(options_.seed, kOutdoors, static_cast<uint64_t>(local_day)) * 0.5 - 0.25;
  return std::clamp(season * 0.6 + 0.3 + weather, 0.0, 1.0);
}

// Height of the sun over 52 degrees north, 5 degrees east, through the clouds of the hour.
double Household::SunWatts(int64_t utc_s) const {
  if (options_.sun_peak_w == 0) return 0;
  const int64_t day = FloorDivide(utc_s, kSecondsPerDay);
  const double declination =
      -0.409 * std::cos(2 * kPi * (std::fmod(static_cast<double>(day), 365.2425) + 10) / 365.2425);
  const double hour_angle =
      2 * kPi * (static_cast<double>(utc_s - day * kSecondsPerDay) / kSecondsPerDay - 0.5 + 5.0 / 360);
  constexpr double kSinLatitude = 0.788;
  constexpr double kCosLatitude = 0.616;
  const double height =
      kSinLatitude * std::sin(declination) + kCosLatitude * std::cos(declination) * std::cos(hour_angle);
  if (height <= 0) return 0;
  const double clearness = Unit(options_.seed, kDayClearness, static_cast<uint64_t>(day));
  const double thick = SmoothNoise(options_.seed, kCloud, utc_s, 900);
  const double thin = SmoothNoise(options_.seed, kThinCloud, utc_s, 45);
  const double through = thick < clearness ? 1.0 - 0.06 * thin : 0.22 + 0.18 * thin;
  return options_.sun_peak_w * std::pow(height, 1.2) * through;
}

HouseholdMoment Household::At(int64_t utc_s) {
  const uint64_t seed = options_.seed;
  const int64_t local_s = utc_s + OffsetUs(options_.zone, utc_s * kUsPerSecond) / kUsPerSecond;
  const int64_t local_day = FloorDivide(local_s, kSecondsPerDay);
  if (local_day != planned_day_) {
    runs_.clear();
    PlanDay(local_day - 1, &runs_);
    PlanDay(local_day, &runs_);
    // Yesterday matters only as far as it runs into today.
    const int64_t midnight_s = local_day * kSecondsPerDay;
    std::erase_if(runs_, [midnight_s](const Run& run) { return run.end_s <= midnight_s; });
    planned_day_ = local_day;
  }

  HouseholdMoment moment;
  const size_t phases = options_.three_phase ? 3 : 1;
  std::array<int32_t, 3> drawn_w = {};
  drawn_w[0] = 70 + static_cast<int32_t>(70 * Unit(seed, kBaseLoad, 0)) + Compressor(seed, kFridge, utc_s, 85);
  drawn_w[phases > 1 ? 1 : 0] += 25 + Compressor(seed, kFreezer, utc_s, 110);
  if (phases > 2) drawn_w[2] += 18;
  AddRuns(&drawn_w, local_s, &moment);

  const auto sun_w = static_cast<int32_t>(SunWatts(utc_s));
  for (size_t i = 0; i < phases; ++i) {
    const uint64_t flicker = Mix(seed, kFlicker + i, static_cast<uint64_t>(utc_s));
    const int32_t wobble_w =
        static_cast<int32_t>(flicker % 9) - 4 + static_cast<int32_t>((flicker >> 8) % 1000) * drawn_w[i] / 100000;
    const int32_t drawn = std::max(0, drawn_w[i] + wobble_w);
    moment.net_w[i] = drawn - sun_w / static_cast<int32_t>(phases);
    moment.reactive_var[i] = drawn / 9 + 12 - sun_w / 40;
    // The street: a slow walk of its own, pulled down by what the house draws and lifted by its panels.
    const double walk = SmoothNoise(seed, kVoltageWalk + 10 * i, utc_s, 700) * 60 - 30;
    moment.voltage_dv[i] =
        2312 + static_cast<int32_t>(walk) - moment.net_w[i] / 300 + static_cast<int32_t>((flicker >> 24) % 5) - 2;
  }
  return moment;
}

}  // namespace vesta::simulators
