#include "simulators/p1_meter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "simulators/day.h"
#include "simulators/frame_cipher.h"
#include "simulators/p1_telegram.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr int64_t kQuarter_s = 900;
constexpr size_t kPeaksMax = 13;  // months that a Belgian meter keeps

enum Purpose : uint64_t {
  kMeterNumber = 1,
  kGasNumber,
  kWaterNumber,
  kFirstCounters,
  kFirstPeaks,
  kFailures,
  kGasSecond,
  kWaterSecond,
};

constexpr P1KindInfo kKinds[] = {
    {P1Kind::kDsmr2, "dsmr2", "Dutch 2.2: every 10 s, 10 W steps, no clock, no CRC, gas on two lines", "nl", 10, false,
     false},
    {P1Kind::kDsmr4, "dsmr4", "Dutch 4.2: every 10 s, single phase, gas by the hour", "nl", 10, true, false},
    {P1Kind::kDsmr5SinglePhase, "dsmr5-single-phase", "Dutch 5.0: every second, single phase, gas each 5 minutes", "nl",
     1, true, false},
    {P1Kind::kDsmr5ThreePhase, "dsmr5-three-phase",
     "Dutch 5.0: every second, three phases, sun on the roof, an electric car, gas", "nl", 1, true, false},
    {P1Kind::kBelgian, "belgian", "e-MUCS: every second, three phases, sun, gas, water, quarter-hour peaks and history",
     "be", 1, true, false},
    {P1Kind::kLuxembourg, "luxembourg", "Smarty: every 10 s, three phases, sun, encrypted frames", "nl", 10, true,
     true},
};

HouseholdOptions HouseOf(const P1MeterOptions& options) {
  HouseholdOptions house;
  house.seed = options.seed;
  house.zone = P1Meter::zone();
  switch (options.kind) {
    case P1Kind::kDsmr2:
    case P1Kind::kDsmr4:
    case P1Kind::kDsmr5SinglePhase:
      house.three_phase = false;
      break;
    case P1Kind::kDsmr5ThreePhase:
      house.sun_peak_w = 5200;
      house.electric_car = true;
      break;
    case P1Kind::kBelgian:
      house.sun_peak_w = 4100;
      break;
    case P1Kind::kLuxembourg:
      house.sun_peak_w = 6000;
      break;
    case P1Kind::kCountOfKinds:
      break;
  }
  return house;
}

std::string Numbered(const char* prefix, uint64_t number, int digits) {
  uint64_t bound = 1;
  for (int i = 0; i < digits; ++i) bound *= 10;
  char text[40];
  std::snprintf(text, sizeof text, "%s%0*llu", prefix, digits, static_cast<unsigned long long>(number % bound));
  return text;
}

CivilTime LocalCivil(UtcUs us) { return CivilFromUs(us + OffsetUs(P1Meter::zone(), us)); }

UtcUs LocalMonthStart(int32_t year, int32_t month) {
  while (month < 1) {
    month += 12;
    --year;
  }
  CivilTime civil;
  civil.year = year;
  civil.month = static_cast<uint8_t>(month);
  return LocalToUtc(P1Meter::zone(), civil).utc_us;
}

}  // namespace

const P1KindInfo& InfoOf(P1Kind kind) { return kKinds[static_cast<size_t>(kind)]; }

const P1KindInfo* FindP1Kind(std::string_view name) {
  for (const P1KindInfo& info : kKinds) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

P1Meter::P1Meter(const P1MeterOptions& options) : options_(options), household_(HouseOf(options)) {
  now_s_ = options.installed_us / kUsPerSecond;
  HangUp();
  StartHistory();
  LiveOneSecond();
}

bool P1Meter::three_phase() const { return HouseOf(options_).three_phase; }

// The numbers of the meter that now hangs there, its counters at zero.
void P1Meter::HangUp() {
  const auto kind = static_cast<uint64_t>(options_.kind);
  meter_seed_ = Mix(options_.seed, kind, hung_up_);
  const uint64_t number = Mix(meter_seed_, kMeterNumber, 0);
  const uint64_t gas = Mix(options_.seed, kGasNumber, kind);  // sub-meters stay when the main meter goes
  switch (options_.kind) {
    case P1Kind::kBelgian:
      equipment_id_ = Numbered("1SAG11", number, 8);
      gas_id_ = Numbered("7FLO21", gas, 8);
      water_id_ = Numbered("8SAG10", Mix(options_.seed, kWaterNumber, kind), 8);
      break;
    case P1Kind::kLuxembourg:
      equipment_id_ = Numbered("SAG103007", number, 7);
      gas_id_ = Numbered("FLO18990", gas, 8);
      break;
    default:
      equipment_id_ = Numbered("E00", number, 14);
      gas_id_ = Numbered("G00", gas, 14);
      break;
  }
  import_ws_ = export_ws_ = {};
  reactive_import_vars_ = reactive_export_vars_ = quarter_ws_ = 0;
  P1Registers& r = registers_;
  r.import_wh = r.export_wh = {};
  r.reactive_import_varh = r.reactive_export_varh = r.quarter_average_w = 0;
  r.failures = r.long_failures = 0;
  r.sags = r.swells = {};
  r.failure_log.clear();
  r.peaks.clear();
  r.month_peak = {0, now_s_ / kQuarter_s * kQuarter_s * kUsPerSecond, 0};
}

// A meter that has hung there for some years.
void P1Meter::StartHistory() {
  const UtcUs now_us = now_s_ * kUsPerSecond;
  const auto wh = [this](uint64_t index, double low, double high) {
    return static_cast<int64_t>(Between(low, high, Unit(meter_seed_, kFirstCounters, index)));
  };
  const bool sun = HouseOf(options_).sun_peak_w > 0;
  for (size_t i = 0; i < 2; ++i) {
    import_ws_[i] = 3600 * wh(i, 2.5e6, 9e6);
    export_ws_[i] = sun ? 3600 * wh(2 + i, 1e6, 5e6) : 0;
  }
  reactive_import_vars_ = 3600 * wh(4, 1e5, 9e5);
  reactive_export_vars_ = 3600 * wh(5, 1e5, 9e5);
  gas_ml_ = 1000 * wh(6, 1e6, 6e6);
  water_ml_ = 1000 * wh(7, 2e5, 9e5);
  // Captures of M-Bus readings before the installation: the last full hour is early enough for every kind.
  registers_.gas = {now_us / (3600 * kUsPerSecond) * 3600 * kUsPerSecond, gas_ml_ / 1000};
  registers_.water = {registers_.gas.stamp_us, water_ml_ / 1000};

  registers_.failures = 2 + static_cast<int64_t>(Mix(meter_seed_, kFailures, 0) % 9);
  registers_.long_failures = 1 + static_cast<int64_t>(Mix(meter_seed_, kFailures, 1) % 3);
  for (int64_t i = 0; i < registers_.long_failures; ++i) {
    const uint64_t random = Mix(meter_seed_, kFailures, 2 + static_cast<uint64_t>(i));
    const int64_t days_ago = 120 * (registers_.long_failures - i) + static_cast<int64_t>(random % 100);
    const int64_t end_s = now_s_ - days_ago * kSecondsPerDay - static_cast<int64_t>((random >> 20) % kSecondsPerDay);
    registers_.failure_log.push_back({end_s * kUsPerSecond, 200 + static_cast<int64_t>((random >> 40) % 5000)});
  }
  for (size_t i = 0; i < 3; ++i) {
    registers_.sags[i] = static_cast<int64_t>(Mix(meter_seed_, kFailures, 20 + i) % 5);
    registers_.swells[i] = static_cast<int64_t>(Mix(meter_seed_, kFailures, 30 + i) % 3);
  }

  if (options_.kind != P1Kind::kBelgian) return;
  registers_.month_peak.watts = 1500 + static_cast<int64_t>(Mix(meter_seed_, kFirstPeaks, 0) % 1200);
  const CivilTime local = LocalCivil(now_us);
  for (int32_t ago = 12; ago >= 1; --ago) {
    DemandPeak peak;
    peak.month_end_us = LocalMonthStart(local.year, local.month - ago + 1);
    const UtcUs month_start_us = LocalMonthStart(local.year, local.month - ago);
    const int64_t quarters = (peak.month_end_us - month_start_us) / (kQuarter_s * kUsPerSecond);
    const uint64_t random = Mix(meter_seed_, kFirstPeaks, static_cast<uint64_t>(peak.month_end_us));
    peak.stamp_us = month_start_us +
                    (1 + static_cast<int64_t>(random % static_cast<uint64_t>(quarters))) * kQuarter_s * kUsPerSecond;
    peak.watts = 2600 + static_cast<int64_t>((random >> 32) % 3400);
    registers_.peaks.push_back(peak);
  }
}

int P1Meter::TariffAt(UtcUs utc_us) const {
  const UtcUs local_us = utc_us + OffsetUs(zone(), utc_us);
  const int64_t day = local_us / (kSecondsPerDay * kUsPerSecond);
  const bool weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6;  // 1970-01-01 was a Thursday; 0 = Sunday
  const uint8_t hour = CivilFromUs(local_us).hour;
  if (options_.kind == P1Kind::kBelgian) return weekend || hour >= 22 || hour < 7 ? 2 : 1;  // 1 = normal
  if (options_.kind == P1Kind::kLuxembourg) return 1;
  return weekend || hour >= 23 || hour < 7 ? 1 : 2;  // 1 = low
}

void P1Meter::Count(const HouseholdMoment& moment) {
  P1Registers& r = registers_;
  const auto tariff = static_cast<size_t>(r.tariff - 1);
  int64_t net_w = 0;
  int64_t net_var = 0;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t watts = moment.net_w[i];
    const int64_t var = moment.reactive_var[i];
    net_w += watts;
    net_var += var;
    r.phase_import_w[i] = std::max<int64_t>(watts, 0);
    r.phase_export_w[i] = std::max<int64_t>(-watts, 0);
    r.phase_reactive_var[i] = var;
    r.voltage_dv[i] = moment.voltage_dv[i];
    if (moment.voltage_dv[i] > 0) {
      const double apparent_va = std::sqrt(static_cast<double>(watts * watts + var * var));
      r.current_ca[i] = std::lround(apparent_va * 1000 / static_cast<double>(moment.voltage_dv[i]));
    }
  }
  r.import_w = std::max<int64_t>(net_w, 0);
  r.export_w = std::max<int64_t>(-net_w, 0);
  r.reactive_import_var = std::max<int64_t>(net_var, 0);
  r.reactive_export_var = std::max<int64_t>(-net_var, 0);
  import_ws_[tariff] += r.import_w;
  export_ws_[tariff] += r.export_w;
  reactive_import_vars_ += r.reactive_import_var;
  reactive_export_vars_ += r.reactive_export_var;
  for (size_t i = 0; i < 2; ++i) {
    r.import_wh[i] = import_ws_[i] / 3600;
    r.export_wh[i] = export_ws_[i] / 3600;
  }
  r.reactive_import_varh = reactive_import_vars_ / 3600;
  r.reactive_export_varh = reactive_export_vars_ / 3600;
  CountQuarter(r.import_w);
}

// The clock quarter's energy over a whole quarter: it climbs from zero and starts anew at :00, :15, :30 and :45.
void P1Meter::CountQuarter(int64_t import_w) {
  P1Registers& r = registers_;
  quarter_ws_ += import_w;
  r.quarter_average_w = quarter_ws_ / kQuarter_s;
  if (now_s_ % kQuarter_s != 0) return;
  if (r.quarter_average_w > r.month_peak.watts) r.month_peak = {0, r.clock_us, r.quarter_average_w};
  quarter_ws_ = 0;
  r.quarter_average_w = 0;

  const CivilTime local = LocalCivil(r.clock_us);
  if (local.day != 1 || local.hour != 0 || local.minute != 0) return;
  r.month_peak.month_end_us = r.clock_us;
  r.peaks.push_back(r.month_peak);
  if (r.peaks.size() > kPeaksMax) r.peaks.erase(r.peaks.begin());
  r.month_peak = {0, r.clock_us, 0};
}

void P1Meter::CaptureSubMeters(const HouseholdMoment& moment) {
  gas_ml_ += moment.gas_ml_s;
  water_ml_ += moment.water_ml_s;
  const bool hourly = options_.kind == P1Kind::kDsmr2 || options_.kind == P1Kind::kDsmr4;
  // Radio readings come some seconds after the full five minutes, each meter at its own.
  const auto second_of = [this](uint64_t what) { return static_cast<int64_t>(Mix(options_.seed, what, 0) % 50); };
  if (hourly ? now_s_ % 3600 == 0 : now_s_ % 300 == second_of(kGasSecond)) {
    registers_.gas = {registers_.clock_us, gas_ml_ / 1000};
  }
  if (now_s_ % 300 == second_of(kWaterSecond)) registers_.water = {registers_.clock_us, water_ml_ / 1000};
}

void P1Meter::LiveOneSecond() {
  registers_.clock_us = now_s_ * kUsPerSecond;
  registers_.tariff = TariffAt(registers_.clock_us);
  const HouseholdMoment moment = household_.At(now_s_);
  Count(moment);
  CaptureSubMeters(moment);
}

void P1Meter::Advance(UtcUs to_us) {
  while ((now_s_ + 1) * kUsPerSecond <= to_us) {
    ++now_s_;
    LiveOneSecond();
  }
}

void P1Meter::Swap() {
  ++hung_up_;
  HangUp();
}

std::string P1Meter::Telegram() const {
  return WriteTelegram(options_.kind, {equipment_id_, gas_id_, water_id_}, registers_);
}

std::string P1Meter::Emit() {
  if (!InfoOf(options_.kind).encrypted) return Telegram();
  // Counts by the clock, so that a meter that is simulated anew does not repeat counters that were used before.
  constexpr int64_t kCountedFrom_s = 1577836800;  // 2020-01-01
  const auto by_clock = static_cast<uint32_t>(std::max<int64_t>(0, now_s_ - kCountedFrom_s) / 10);
  frame_counter_ = std::max(frame_counter_ + 1, by_clock);
  SystemTitle title = {'S', 'A', 'G'};
  const uint64_t number = Mix(meter_seed_, kMeterNumber, 1);
  for (size_t i = 3; i < title.size(); ++i) title[i] = static_cast<uint8_t>(number >> (8 * i));
  return EncryptFrame(Telegram(), options_.key, kLuxembourgAuthenticationKey, title, frame_counter_);
}

}  // namespace vesta::simulators
