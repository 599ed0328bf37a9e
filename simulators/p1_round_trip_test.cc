// What a simulated meter knows must come out of the decoder exactly, for every kind, seed, time and chunking; and what
// a fault spoils must never come out as a value.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>

#include "protocols/p1/session.h"
#include "simulators/p1_feed.h"
#include "simulators/random.h"

namespace vesta::simulators {
namespace {

UtcUs At(const char* iso) {
  UtcUs us = kNoTime;
  EXPECT_TRUE(ParseIso8601(iso, &us)) << iso;
  return us;
}

std::string TextOf(const Value& value) {
  char text[kDecimalTextSize];
  switch (value.kind()) {
    case ValueKind::kDecimal:
      return std::string(text, FormatDecimal(value.decimal(), text));
    case ValueKind::kText:
      return std::string(value.text());
    case ValueKind::kState:
      return "state " + std::to_string(value.state());
    case ValueKind::kNone:
      return "none";
    case ValueKind::kReal:
      break;
  }
  return "real";
}

struct HeardReading {
  std::string device;  // "meter", "gas", "water", "other"
  std::string field;
  std::string value;
  UtcUs time_us;
  ValueQuality quality;
};

class Listener final : public SessionEvents {
 public:
  explicit Listener(const vesta::Session& session) : session_(session) {}

  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    kinds[slot] = device.kind;
    identities[slot] = device.identity;
  }
  void OnFrame(const FrameEvent& frame) override {
    if (frame.verdict == FrameVerdict::kAccepted) {
      ++accepted;
    } else {
      ++reasons[frame.reason];
    }
    if (frame.readings.empty()) return;
    ++with_readings;
    for (const Reading& reading : frame.readings) {
      std::string device = "other";
      if (kinds.at(reading.device) == DeviceKind::kElectricityMeter) device = "meter";
      if (kinds.at(reading.device) == DeviceKind::kGasMeter) device = "gas";
      if (kinds.at(reading.device) == DeviceKind::kWaterMeter) device = "water";
      heard.push_back(
          {device, session_.fields()[reading.field].key, TextOf(reading.value), reading.time_us, reading.quality});
    }
  }

  std::map<uint16_t, DeviceKind> kinds;
  std::map<uint16_t, std::string> identities;
  std::vector<HeardReading> heard;
  uint64_t accepted = 0;
  uint64_t with_readings = 0;
  std::map<std::string, uint64_t> reasons;

 private:
  const vesta::Session& session_;
};

std::string Number(int64_t mantissa, int decimals) {
  char text[kDecimalTextSize];
  return std::string(text, FormatDecimal({mantissa, static_cast<int8_t>(-decimals)}, text));
}

using Expected = std::map<std::string, std::string>;

void PutPhased(Expected* e, const std::string& key, const std::array<int64_t, 3>& values, int phases, int decimals) {
  for (int i = 0; i < phases; ++i) (*e)[key + "_l" + std::to_string(i + 1)] = Number(values[i], decimals);
}

// The meter's numbers as this kind shows them: each of them has to come with every telegram.
Expected NumbersOf(const P1Meter& meter) {
  const P1Registers& r = meter.registers();
  const P1Kind kind = meter.options().kind;
  const bool dsmr2 = kind == P1Kind::kDsmr2;
  const bool luxembourg = kind == P1Kind::kLuxembourg;
  const int phases = meter.three_phase() ? 3 : 1;
  Expected e;
  if (luxembourg) {
    e["energy_import_total"] = Number(r.import_wh[0], 3);
    e["energy_export_total"] = Number(r.export_wh[0], 3);
    e["reactive_energy_import_total"] = Number(r.reactive_import_varh, 3);
    e["reactive_energy_export_total"] = Number(r.reactive_export_varh, 3);
    e["reactive_power_import"] = Number(r.reactive_import_var, 3);
    e["reactive_power_export"] = Number(r.reactive_export_var, 3);
    std::array<int64_t, 3> positive = {}, negative = {};
    for (int i = 0; i < 3; ++i) {
      positive[i] = std::max<int64_t>(r.phase_reactive_var[i], 0);
      negative[i] = std::max<int64_t>(-r.phase_reactive_var[i], 0);
    }
    PutPhased(&e, "reactive_power_import", positive, 3, 3);
    PutPhased(&e, "reactive_power_export", negative, 3, 3);
  } else {
    e["energy_import_t1"] = Number(r.import_wh[0], 3);
    e["energy_import_t2"] = Number(r.import_wh[1], 3);
    e["energy_export_t1"] = Number(r.export_wh[0], 3);
    e["energy_export_t2"] = Number(r.export_wh[1], 3);
    e["tariff_number"] = std::to_string(r.tariff);
  }
  e["power_import"] = dsmr2 ? Number(r.import_w / 10, 2) : Number(r.import_w, 3);
  e["power_export"] = dsmr2 ? Number(r.export_w / 10, 2) : Number(r.export_w, 3);
  if (dsmr2) return e;
  PutPhased(&e, "power_import", r.phase_import_w, phases, 3);
  PutPhased(&e, "power_export", r.phase_export_w, phases, 3);
  if (kind != P1Kind::kDsmr4) PutPhased(&e, "voltage", r.voltage_dv, phases, 1);
  if (kind == P1Kind::kBelgian) {
    PutPhased(&e, "current", r.current_ca, phases, 2);
    e["demand_import_average"] = Number(r.quarter_average_w, 3);
    return e;
  }
  std::array<int64_t, 3> amperes = {};
  for (int i = 0; i < 3; ++i) amperes[i] = (r.current_ca[i] + 50) / 100;
  PutPhased(&e, "current", amperes, phases, 0);
  PutPhased(&e, "voltage_sags", r.sags, phases, 0);
  PutPhased(&e, "voltage_swells", r.swells, phases, 0);
  e["power_failures_short"] = std::to_string(r.failures);
  if (!luxembourg) e["power_failures_long"] = std::to_string(r.long_failures);
  return e;
}

// Values that do not come each time, and those that never change. Empty: fine; else what is wrong.
std::string JudgeOther(const HeardReading& heard, const P1Meter& meter) {
  static const std::set<std::string> kConstant = {"limiter_threshold",
                                                  "limiter_threshold_kva",
                                                  "fuse_threshold_l1",
                                                  "current_limit_import",
                                                  "current_limit_export",
                                                  "apparent_power_import",
                                                  "apparent_power_export",
                                                  "breaker_state",
                                                  "valve_state",
                                                  "switch_state",
                                                  "device_type",
                                                  "dsmr_version",
                                                  "emucs_version",
                                                  "serial_number",
                                                  "tariff",
                                                  "message",
                                                  "message_code",
                                                  "message_2",
                                                  "message_3",
                                                  "message_4",
                                                  "message_5"};
  const P1Registers& r = meter.registers();
  if (heard.field == "gas_volume") {
    return heard.value == Number(r.gas.litres, 3) && heard.time_us == r.gas.stamp_us ? "" : "gas";
  }
  if (heard.field == "water_volume") {
    return heard.value == Number(r.water.litres, 3) && heard.time_us == r.water.stamp_us ? "" : "water";
  }
  if (heard.field == "demand_max_month") {
    const bool right = heard.value == Number(r.month_peak.watts, 3) && heard.time_us == r.month_peak.stamp_us;
    return right ? "" : "month's peak";
  }
  if (heard.field == "demand_month_peak" || heard.field == "demand_month_peak_at") {
    for (const DemandPeak& peak : r.peaks) {
      const bool value = heard.field == "demand_month_peak"
                             ? heard.value == Number(peak.watts, 3)
                             : heard.value == std::to_string(peak.stamp_us / kUsPerSecond);
      if (heard.time_us == peak.month_end_us && value) return "";
    }
    return "peak of a month";
  }
  if (heard.field == "power_failure") {
    for (const PowerFailure& failure : r.failure_log) {
      if (heard.time_us == failure.end_us && heard.value == std::to_string(failure.duration_s)) return "";
    }
    return "power failure";
  }
  if (heard.field == "equipment_id" || heard.field == "logical_device_name") {
    const std::string& id = heard.device == "gas"     ? meter.gas_id()
                            : heard.device == "water" ? meter.water_id()
                                                      : meter.equipment_id();
    return heard.value == id ? "" : "identifier";
  }
  return kConstant.contains(heard.field) ? "" : "nobody simulated this";
}

// Everything heard since `from` must be the meter's state; returns what is not, in words.
std::string Judge(const Listener& listener, size_t from, const P1Meter& meter, UtcUs live_time_us) {
  Expected expected = NumbersOf(meter);
  for (size_t i = from; i < listener.heard.size(); ++i) {
    const HeardReading& heard = listener.heard[i];
    const std::string what = heard.device + " " + heard.field + " = " + heard.value;
    const auto it = heard.device == "meter" ? expected.find(heard.field) : expected.end();
    if (it == expected.end()) {
      const std::string wrong = JudgeOther(heard, meter);
      if (!wrong.empty()) return what + ": " + wrong;
      continue;
    }
    if (heard.value != it->second) return what + ", not " + it->second;
    if (heard.time_us != live_time_us) return what + ": wrong time";
    if (heard.quality != ValueQuality::kOk) return what + ": quality";
    expected.erase(it);
  }
  return expected.empty() ? "" : "missing: " + expected.begin()->first;
}

p1::Options SessionOptions(const P1FeedOptions& feed) {
  const P1KindInfo& info = InfoOf(feed.meter.kind);
  p1::Options options;
  options.tariff_rule = std::string(info.tariff_rule) == "be" ? p1::TariffRule::kBe : p1::TariffRule::kNl;
  options.has_key = options.has_authentication_key = info.encrypted;
  options.key = feed.meter.key;
  options.authentication_key = kLuxembourgAuthenticationKey;
  return options;
}

Now NowAt(UtcUs us) { return {us, us, ClockQuality::kSynchronised}; }

void Give(p1::P1Session& session, Listener& listener, const std::string& bytes, UtcUs us, size_t chunk) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t at = 0; at < bytes.size(); at += chunk) {
    session.Receive({data + at, std::min(chunk, bytes.size() - at)}, NowAt(us), listener);
  }
}

// The pauses of a telegram without checksum digits and of a cut one.
void LetPausesPass(p1::P1Session& session, Listener& listener, UtcUs until_us) {
  while (session.next_deadline_us() <= until_us) session.Tick(NowAt(session.next_deadline_us()), listener);
}

std::string RoundTrip(const P1FeedOptions& options, size_t chunk) {
  P1Feed feed(options);
  p1::P1Session session(SessionOptions(options));
  Listener listener(session);
  while (const std::optional<UtcUs> due_us = feed.next_us()) {
    const size_t before = listener.heard.size();
    const uint64_t accepted = listener.accepted;
    Give(session, listener, feed.Next(), *due_us, chunk);
    LetPausesPass(session, listener, feed.next_us().value_or(*due_us + kUsPerSecond) - 1);
    if (listener.accepted != accepted + 1) return "telegram not accepted:\n" + feed.meter().Telegram();
    const bool has_clock = options.meter.kind != P1Kind::kDsmr2;
    const std::string wrong =
        Judge(listener, before, feed.meter(), has_clock ? feed.meter().registers().clock_us : *due_us);
    if (!wrong.empty()) return wrong + "\n" + feed.meter().Telegram();
  }
  return listener.reasons.empty() ? "" : "rejected: " + listener.reasons.begin()->first;
}

class P1RoundTrip : public testing::TestWithParam<P1Kind> {};

// All but 2.2, which has neither clock nor checksum: there a turned digit is a digit and a repeated telegram a
// telegram.
class P1Checked : public testing::TestWithParam<P1Kind> {};

TEST_P(P1RoundTrip, AnySeedTimeAndChunking) {
  EXPECT_TRUE(rc::check("what goes in comes out", [] {
    P1FeedOptions options;
    options.meter.kind = GetParam();
    options.meter.seed = *rc::gen::arbitrary<uint64_t>();
    options.start_us = *rc::gen::inRange<int64_t>(1577836800, 1893456000) * kUsPerSecond;
    options.meter.installed_us = options.start_us - *rc::gen::inRange<int64_t>(0, 3000) * kUsPerSecond;
    options.count = 40;
    const std::string wrong = RoundTrip(options, *rc::gen::element<size_t>(1, 7, 64, 4096));
    if (!wrong.empty()) RC_FAIL(wrong);
  }));
}

// Hours around both changes of summer time, the change of the year and the end of a month, second by second or in 10 s.
TEST_P(P1RoundTrip, ChangesOfTheClock) {
  for (const char* start : {"2025-10-26T00:29:30Z", "2025-03-30T00:29:30Z", "2024-12-31T22:40:00Z",
                            "2025-06-30T21:40:00Z", "2024-02-29T22:40:00Z"}) {
    P1FeedOptions options;
    options.meter.kind = GetParam();
    options.start_us = At(start);
    options.meter.installed_us = options.start_us - 86400 * kUsPerSecond;
    options.count = static_cast<uint64_t>(5400 / InfoOf(GetParam()).interval_s);
    EXPECT_EQ(RoundTrip(options, 512), "") << start;
  }
}

// With every fault that spoils bytes: nothing but the meter's state is ever heard, and each spoilt telegram is named.
TEST_P(P1Checked, FaultsAreNamedAndNeverAValue) {
  const std::map<FaultKind, std::set<std::string>> allowed = {
      {FaultKind::kNoise, {"crc", "missing_crc", "cut", "tag", "incomplete", "overlong", "length", "not_a_telegram"}},
      {FaultKind::kLostBytes,
       {"crc", "missing_crc", "cut", "tag", "incomplete", "overlong", "length", "not_a_telegram"}},
      {FaultKind::kCut, {"crc", "missing_crc", "cut", "tag", "incomplete"}},
      {FaultKind::kWrongCrc, {"crc", "tag"}},
  };
  for (const auto& [fault, reasons] : allowed) {
    P1FeedOptions options;
    options.meter.kind = GetParam();
    options.start_us = At("2025-05-11T10:00:00Z");
    options.count = 300;
    options.faults = {{fault, 3}};
    P1Feed feed(options);
    p1::P1Session session(SessionOptions(options));
    Listener listener(session);
    uint64_t spoilt = 0;
    while (const std::optional<UtcUs> due_us = feed.next_us()) {
      const size_t before = listener.heard.size();
      const std::string bytes = feed.Next();
      Give(session, listener, bytes, *due_us, 100);
      // No tick: the next telegram follows at once, which is harder than after a pause.
      if (feed.last_damage() != FaultKind::kNone) ++spoilt;
      if (listener.heard.size() == before) continue;
      ASSERT_EQ(Judge(listener, before, feed.meter(), *due_us), "") << static_cast<int>(fault) << "\n" << bytes;
    }
    ASSERT_EQ(spoilt, 100u);
    // A damaged telegram may look like two; a wrong length in an encrypted frame may eat the next one.
    EXPECT_GE(listener.accepted, 150u) << static_cast<int>(fault);
    EXPECT_LE(listener.accepted, 201u) << static_cast<int>(fault);
    uint64_t named = 0;
    for (const auto& [reason, count] : listener.reasons) {
      EXPECT_TRUE(reasons.contains(reason)) << reason << " after fault " << static_cast<int>(fault);
      named += count;
    }
    EXPECT_GE(named + session.bytes_outside_telegrams(), 90u) << static_cast<int>(fault);
    if (fault == FaultKind::kWrongCrc) {
      EXPECT_EQ(listener.accepted, 200u);
    }
  }
}

TEST_P(P1Checked, DuplicatesBringNothingNew) {
  P1FeedOptions options;
  options.meter.kind = GetParam();
  options.start_us = At("2025-05-11T10:00:00Z");
  options.count = 50;
  options.faults = {{FaultKind::kDuplicate, 1}};
  P1Feed feed(options);
  p1::P1Session session(SessionOptions(options));
  Listener listener(session);
  while (const std::optional<UtcUs> due_us = feed.next_us()) Give(session, listener, feed.Next(), *due_us, 4096);
  EXPECT_EQ(listener.with_readings, 50u);
  if (InfoOf(GetParam()).encrypted) {
    EXPECT_EQ(listener.reasons["replay"], 50u);
  } else {
    EXPECT_EQ(session.counters().duplicates, 50u);
  }
}

TEST_P(P1RoundTrip, AnotherMeterIsAnotherDevice) {
  P1FeedOptions options;
  options.meter.kind = GetParam();
  options.start_us = At("2025-05-11T10:00:00Z");
  options.count = 20;
  options.faults = {{FaultKind::kMeterSwap, 10}};
  P1Feed feed(options);
  p1::P1Session session(SessionOptions(options));
  Listener listener(session);
  const std::string first = feed.meter().equipment_id();
  std::string second;
  while (const std::optional<UtcUs> due_us = feed.next_us()) {
    if (feed.sent() == 15) second = feed.meter().equipment_id();
    Give(session, listener, feed.Next(), *due_us, 4096);
    LetPausesPass(session, listener, feed.next_us().value_or(*due_us + kUsPerSecond) - 1);
  }
  EXPECT_NE(first, second);
  std::set<std::string> meters;
  for (const auto& [slot, kind] : listener.kinds) {
    if (kind == DeviceKind::kElectricityMeter) meters.insert(listener.identities[slot]);
  }
  EXPECT_EQ(meters.size(), 3u);  // swapped after the 10th and with the 20th
}

TEST_P(P1Checked, ADriftingClockIsBelievedForAMinute) {
  P1FeedOptions options;
  options.meter.kind = GetParam();
  options.start_us = At("2025-05-11T10:00:00Z");
  options.count = 100;
  options.faults = {{FaultKind::kClockDrift, 86400}};  // a second each second
  P1Feed feed(options);
  p1::P1Session session(SessionOptions(options));
  Listener listener(session);
  while (const std::optional<UtcUs> due_us = feed.next_us()) {
    const size_t before = listener.heard.size();
    Give(session, listener, feed.Next(), *due_us, 4096);
    const UtcUs meter_us = feed.meter().registers().clock_us;
    ASSERT_GT(listener.heard.size(), before);
    EXPECT_EQ(listener.heard[before].time_us, meter_us - *due_us <= kMaxDeviceClockError_us ? meter_us : *due_us);
  }
  EXPECT_GT(feed.meter().registers().clock_us - options.start_us, 190 * kUsPerSecond);
}

std::string KindName(const testing::TestParamInfo<P1Kind>& info) {
  std::string name = InfoOf(info.param).name;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, P1RoundTrip,
                         testing::Values(P1Kind::kDsmr2, P1Kind::kDsmr4, P1Kind::kDsmr5SinglePhase,
                                         P1Kind::kDsmr5ThreePhase, P1Kind::kBelgian, P1Kind::kLuxembourg),
                         KindName);
INSTANTIATE_TEST_SUITE_P(Kinds, P1Checked,
                         testing::Values(P1Kind::kDsmr4, P1Kind::kDsmr5SinglePhase, P1Kind::kDsmr5ThreePhase,
                                         P1Kind::kBelgian, P1Kind::kLuxembourg),
                         KindName);

TEST(P1Feed, SilenceIsAGapInTheTimes) {
  P1FeedOptions options;
  options.start_us = At("2025-05-11T10:00:00Z");
  options.faults = {{FaultKind::kSilence, 5}};
  P1Feed feed(options);
  std::vector<int64_t> at_s;
  for (int i = 0; i < 7; ++i) {
    at_s.push_back((*feed.next_us() - options.start_us) / kUsPerSecond);
    feed.Next();
  }
  EXPECT_EQ(at_s, (std::vector<int64_t>{0, 1, 2, 3, 4, 95, 96}));
}

TEST(P1Feed, TheSameOptionsGiveTheSameBytes) {
  P1FeedOptions options;
  options.meter.kind = P1Kind::kLuxembourg;
  options.start_us = At("2025-05-11T10:00:00Z");
  options.faults = {{FaultKind::kNoise, 2}};
  P1Feed a(options), b(options);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(a.Next(), b.Next());
}

// Started later with the same time of installation, a meter goes on counting where another would stand by then.
TEST(P1Feed, CountersGoOnAfterARestart) {
  P1FeedOptions options;
  options.meter.installed_us = options.start_us = At("2025-05-11T10:00:00Z");
  P1Feed lived(options);
  for (int i = 0; i < 5000; ++i) lived.Next();
  P1FeedOptions later = options;
  later.start_us = *lived.next_us();
  P1Feed restarted(later);
  EXPECT_EQ(lived.Next(), restarted.Next());
}

}  // namespace
}  // namespace vesta::simulators
