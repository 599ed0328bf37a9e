// Smart meters with a P1 port, simulated in virtual time: a household behind them, exact counters, telegrams byte for
// byte as the real ones print them.
//
// A meter reads no clock and opens nothing. Advance() lives through every second up to the one asked for (about a third
// of a microsecond each), so counters are exact sums: energy in W·s, volumes in ml, printed in whole Wh and litres. The
// same options give the same telegrams on every machine. What a telegram must decode to is open in registers().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/calendar.h"
#include "simulators/household.h"

namespace vesta::simulators {

enum class P1Kind : uint8_t {
  kDsmr2 = 0,         // 2.2: 10 s, no clock, no CRC, gas on two lines
  kDsmr4,             // 4.2: 10 s, single phase
  kDsmr5SinglePhase,  // 1 s
  kDsmr5ThreePhase,   // 1 s, sun on the roof and an electric car
  kBelgian,           // 1 s, three phases, sun, gas, water, quarter-hour peaks
  kLuxembourg,        // 10 s, three phases, AES-GCM frames
  kCountOfKinds,
};

struct P1KindInfo {
  P1Kind kind;
  const char* name;  // "dsmr5-three-phase": what commands and configurations say
  const char* description;
  const char* tariff_rule;  // for the configuration of a source: "nl", "be"
  int32_t interval_s;
  bool has_crc;
  bool encrypted;
};
const P1KindInfo& InfoOf(P1Kind kind);
const P1KindInfo* FindP1Kind(std::string_view name);  // nullptr: no such kind

using AesKey = std::array<uint8_t, 16>;
// Not secret: the key of every simulated Luxembourg meter, and the authentication key that is the same for the whole
// country (Smarty 1.1.3).
inline constexpr AesKey kSimulatedKey = {0x56, 0x45, 0x53, 0x54, 0x41, 0x00, 0x11, 0x22,
                                         0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA};
inline constexpr AesKey kLuxembourgAuthenticationKey = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                        0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};

struct P1MeterOptions {
  P1Kind kind = P1Kind::kDsmr5ThreePhase;
  uint64_t seed = 1;           // another seed is another house with another meter number
  UtcUs installed_us = 0;      // counters run from here; one that restarts with the same value goes on counting
  AesKey key = kSimulatedKey;  // Luxembourg
};

struct DemandPeak {
  UtcUs month_end_us = 0;  // of finished months
  UtcUs stamp_us = 0;      // end of the quarter hour
  int64_t watts = 0;
};

struct PowerFailure {
  UtcUs end_us = 0;
  int64_t duration_s = 0;
};

// A reading of an M-Bus sub-meter: the value at its own last capture, in litres.
struct SubMeterRegister {
  UtcUs stamp_us = 0;
  int64_t litres = 0;
};

// Everything the meter knows, in whole units. Which of it a telegram shows, and how finely, depends on the kind.
struct P1Registers {
  UtcUs clock_us = 0;
  std::array<int64_t, 2> import_wh = {};  // by tariff as numbered on the wire; Luxembourg: total in [0]
  std::array<int64_t, 2> export_wh = {};
  int64_t reactive_import_varh = 0;
  int64_t reactive_export_varh = 0;
  int tariff = 1;
  int64_t import_w = 0;  // netted over the phases
  int64_t export_w = 0;
  int64_t reactive_import_var = 0;
  int64_t reactive_export_var = 0;
  std::array<int64_t, 3> phase_import_w = {};
  std::array<int64_t, 3> phase_export_w = {};
  std::array<int64_t, 3> phase_reactive_var = {};  // negative: export
  std::array<int64_t, 3> voltage_dv = {};
  std::array<int64_t, 3> current_ca = {};  // hundredths of an ampere
  int64_t quarter_average_w = 0;
  DemandPeak month_peak;
  std::vector<DemandPeak> peaks;  // finished months, oldest first, at most 13
  int64_t failures = 0;
  int64_t long_failures = 0;
  std::vector<PowerFailure> failure_log;
  std::array<int64_t, 3> sags = {};
  std::array<int64_t, 3> swells = {};
  SubMeterRegister gas;
  SubMeterRegister water;
};

class P1Meter {
 public:
  explicit P1Meter(const P1MeterOptions& options);

  // Lives up to that instant (whole seconds count); never back.
  void Advance(UtcUs to_us);

  // What goes out on the wire now: the telegram or, from a Luxembourg meter, the encrypted frame around it.
  std::string Emit();
  // The telegram in the clear.
  std::string Telegram() const;

  // Another meter is hung up: a new number, counters from zero. The sub-meters stay.
  void Swap();

  const P1Registers& registers() const { return registers_; }
  const P1MeterOptions& options() const { return options_; }
  const std::string& equipment_id() const { return equipment_id_; }
  const std::string& gas_id() const { return gas_id_; }
  const std::string& water_id() const { return water_id_; }
  bool three_phase() const;
  static Zone zone() { return {60, true}; }  // all kinds stand in Central European time

 private:
  void HangUp();
  void StartHistory();
  void LiveOneSecond();
  void Count(const HouseholdMoment& moment);
  void CountQuarter(int64_t import_w);
  void CaptureSubMeters(const HouseholdMoment& moment);
  int TariffAt(UtcUs utc_us) const;

  P1MeterOptions options_;
  Household household_;
  uint64_t hung_up_ = 0;  // how many meters hung here before
  uint64_t meter_seed_ = 0;
  std::string equipment_id_;
  std::string gas_id_;
  std::string water_id_;
  int64_t now_s_ = 0;
  P1Registers registers_;
  std::array<int64_t, 2> import_ws_ = {};
  std::array<int64_t, 2> export_ws_ = {};
  int64_t reactive_import_vars_ = 0;
  int64_t reactive_export_vars_ = 0;
  int64_t gas_ml_ = 0;
  int64_t water_ml_ = 0;
  int64_t quarter_ws_ = 0;
  uint32_t frame_counter_ = 0;
};

}  // namespace vesta::simulators
