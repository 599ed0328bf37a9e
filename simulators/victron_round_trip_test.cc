// What the simulated devices send is what the session makes of it, bit by bit and over a day.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>

#include "protocols/victron/session.h"
#include "simulators/victron_boat.h"

namespace vesta::simulators {
namespace {

using victron::BleSession;

constexpr uint64_t kAddress = 0xC0FFEE000001;
constexpr VictronKey kKey = {0xad, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

class Recorder : public SessionEvents {
 public:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    identities[slot] = device.identity;
    models[std::string(device.identity)] = device.model;
    kinds[std::string(device.identity)] = device.kind;
  }
  void OnFrame(const FrameEvent& frame) override {
    ++frames;
    reason = frame.reason;
    if (frame.verdict != FrameVerdict::kAccepted) ++rejected[reason];
    if (frame.link.is_repeat) ++repeats;
    last.clear();
    for (const Reading& reading : frame.readings) {
      ASSERT_EQ(identities.count(reading.device), 1u);
      ASSERT_LT(reading.field, victron::kCountOfFields);
      if (reading.value.kind() == ValueKind::kText) continue;
      last[reading.field] = reading.value;
      latest[identities[reading.device]][reading.field] = reading.value;
      ++readings;
    }
  }
  std::map<uint16_t, std::string> identities;
  std::map<std::string, std::string> models;
  std::map<std::string, DeviceKind> kinds;
  std::map<uint16_t, Value> last;
  std::map<std::string, std::map<uint16_t, Value>> latest;
  std::map<std::string, int> rejected;
  std::string reason;
  size_t frames = 0;
  size_t repeats = 0;
  size_t readings = 0;
};

// One record through a fresh session.
Recorder Hear(uint8_t type, uint16_t product, const std::vector<uint8_t>& record, uint16_t nonce = 7) {
  victron::KeyRing ring;
  ring.SetKey(kAddress, kKey);
  BleSession session(&ring);
  Recorder recorder;
  session.Receive(VictronDatagram(kAddress, -60, 0, InstantReadout(product, type, nonce, kKey, record)), Now(),
                  recorder);
  return recorder;
}

std::optional<int64_t> Maybe(int64_t low, int64_t high) {
  return *rc::gen::weightedOneOf<std::optional<int64_t>>(
      {{1, rc::gen::just(std::optional<int64_t>())},
       {5, rc::gen::map(rc::gen::inRange<int64_t>(low, high), [](int64_t v) { return std::optional<int64_t>(v); })}});
}

void Same(const Recorder& heard, uint16_t field, std::optional<int64_t> sent, int8_t exponent) {
  const auto found = heard.last.find(field);
  RC_ASSERT((found != heard.last.end()) == sent.has_value());
  if (sent) RC_ASSERT(found->second == Value::OfDecimal(*sent, exponent));
}

RC_GTEST_PROP(VictronRoundTrip, SolarCharger, ()) {
  SolarChargerRecord sent;
  sent.state = Maybe(0, 255);
  sent.error = Maybe(0, 255);
  sent.battery_cV = Maybe(-32768, 32767);
  sent.battery_dA = Maybe(-32768, 32767);
  sent.yield_10Wh = Maybe(0, 65535);
  sent.pv_W = Maybe(0, 65535);
  sent.load_dA = Maybe(0, 511);
  const auto nonce = *rc::gen::arbitrary<uint16_t>();
  const Recorder heard = Hear(0x01, 0xA075, sent.Encode(), nonce);
  RC_ASSERT(heard.reason.empty());
  Same(heard, victron::kBatteryVoltage, sent.battery_cV, -2);
  Same(heard, victron::kBatteryCurrent, sent.battery_dA, -1);
  Same(heard, victron::kYieldToday, sent.yield_10Wh, -2);
  Same(heard, victron::kPvPower, sent.pv_W, 0);
  Same(heard, victron::kLoadCurrent, sent.load_dA, -1);
  std::optional<int64_t> power;
  if (sent.battery_cV && sent.battery_dA) power = *sent.battery_cV * *sent.battery_dA;
  Same(heard, victron::kBatteryPower, power, -3);
  const auto state = heard.last.find(victron::kDeviceState);
  RC_ASSERT((state != heard.last.end()) == sent.state.has_value());
  if (sent.state) RC_ASSERT(state->second.state() == static_cast<uint32_t>(*sent.state));
}

RC_GTEST_PROP(VictronRoundTrip, BatteryMonitor, ()) {
  BatteryMonitorRecord sent;
  sent.time_to_go_min = Maybe(0, 65535);
  sent.battery_cV = Maybe(-32768, 32767);
  sent.alarms = *rc::gen::arbitrary<uint16_t>();
  sent.aux_mode = static_cast<AuxInput>(*rc::gen::inRange(0, 4));
  sent.aux = Maybe(0, 32767);
  sent.battery_mA = Maybe(-2097152, -1);  // -1 reads as the document's code for none
  sent.consumed_dAh = Maybe(0, 0xFFFFF);
  sent.soc_permille = Maybe(0, 1001);
  const Recorder heard = Hear(0x02, 0xA389, sent.Encode());
  Same(heard, victron::kTimeToGo, sent.time_to_go_min, 0);
  Same(heard, victron::kBatteryVoltage, sent.battery_cV, -2);
  Same(heard, victron::kBatteryCurrent, sent.battery_mA, -3);
  Same(heard, victron::kSoc, sent.soc_permille, -1);
  if (sent.consumed_dAh) sent.consumed_dAh = -*sent.consumed_dAh;
  Same(heard, victron::kConsumedAh, sent.consumed_dAh, -1);
  const auto aux = [&sent](AuxInput mode) { return sent.aux_mode == mode ? sent.aux : std::nullopt; };
  Same(heard, victron::kAuxVoltage, aux(AuxInput::kStarter), -2);
  Same(heard, victron::kMidVoltage, aux(AuxInput::kMidPoint), -2);
  std::optional<int64_t> temperature = aux(AuxInput::kTemperature);
  if (temperature) *temperature -= 27315;
  Same(heard, victron::kBatteryTemperature, temperature, -2);
  RC_ASSERT(heard.last.at(victron::kAlarm).state() == (sent.alarms != 0 ? 1u : 0u));
}

RC_GTEST_PROP(VictronRoundTrip, AcChargerAndOrion, ()) {
  AcChargerRecord charger;
  for (size_t i = 0; i < 3; ++i) {
    charger.output_cV[i] = Maybe(0, 8191);
    charger.output_dA[i] = Maybe(0, 2047);
  }
  charger.temperature_C = Maybe(-40, 87);
  charger.ac_dA = Maybe(0, 511);
  const Recorder heard = Hear(0x08, 0xA330, charger.Encode());
  Same(heard, victron::kBatteryVoltage, charger.output_cV[0], -2);
  Same(heard, victron::kBatteryCurrent, charger.output_dA[0], -1);
  Same(heard, victron::kOutput3Voltage, charger.output_cV[2], -2);
  Same(heard, victron::kOutput3Current, charger.output_dA[2], -1);
  Same(heard, victron::kBatteryTemperature, charger.temperature_C, 0);
  Same(heard, victron::kAcInCurrent, charger.ac_dA, -1);
  OrionXsRecord orion;
  orion.output_cV = Maybe(0, 0x7FFF);
  orion.output_dA = Maybe(0, 0x7FFF);
  orion.input_cV = Maybe(0, 0xFFFF);
  orion.input_dA = Maybe(0, 0xFFFF);
  const Recorder other = Hear(0x0F, 0xA3F0, orion.Encode());
  Same(other, victron::kOutputVoltage, orion.output_cV, -2);
  Same(other, victron::kInputCurrent, orion.input_dA, -1);
}

// Any cut and any damage: no crash, and only fields of the table.
RC_GTEST_PROP(VictronRoundTrip, CutAndDamagedAdvertsAreSafe, ()) {
  VictronBoatOptions options;
  options.seed = *rc::gen::inRange<uint64_t>(0, 1000);
  VictronBoat boat(options);
  victron::KeyRing ring;
  for (size_t i = 0; i < static_cast<size_t>(BoatDevice::kCount); ++i) {
    ring.SetKey(VictronBoat::AddressOf(static_cast<BoatDevice>(i)), VictronBoat::KeyOf(static_cast<BoatDevice>(i)));
  }
  ring.SetNetwork(VictronBoat::kNetwork, VictronBoat::NetworkKey());
  BleSession session(&ring);
  Recorder recorder;
  for (int i = 0; i < 60; ++i) {
    std::vector<uint8_t> datagram = boat.NextAdvert().datagram;
    const auto what = *rc::gen::inRange(0, 3);
    if (what == 0) datagram.resize(*rc::gen::inRange<size_t>(0, datagram.size() + 1));
    if (what == 1) datagram[*rc::gen::inRange<size_t>(0, datagram.size())] = *rc::gen::arbitrary<uint8_t>();
    session.Receive(datagram, Now(), recorder);
  }
}

struct Day {
  victron::KeyRing ring;
  Recorder recorder;
  std::unique_ptr<BleSession> session;
  std::unique_ptr<VictronBoat> boat;

  explicit Day(bool with_keys = true) {
    for (size_t i = 0; with_keys && i < static_cast<size_t>(BoatDevice::kCount); ++i) {
      ring.SetKey(VictronBoat::AddressOf(static_cast<BoatDevice>(i)), VictronBoat::KeyOf(static_cast<BoatDevice>(i)));
    }
    if (with_keys) ring.SetNetwork(VictronBoat::kNetwork, VictronBoat::NetworkKey());
    session = std::make_unique<BleSession>(&ring);
    boat = std::make_unique<VictronBoat>(VictronBoatOptions());
  }
  void Run(int adverts) {
    for (int i = 0; i < adverts; ++i) {
      const SimulatedAdvert advert = boat->NextAdvert();
      Now now;
      now.utc_us = advert.at_us;
      now.monotonic_us = advert.at_us;
      session->Receive(advert.datagram, now, recorder);
    }
  }
};

TEST(VictronBoat, IsHeardWhole) {
  Day day;
  day.Run(4000);
  EXPECT_TRUE(day.recorder.rejected.empty() || day.recorder.rejected.size() == 1)
      << day.recorder.rejected.begin()->first;
  EXPECT_EQ(day.recorder.identities.size(), 7u) << "six devices and the chargers together";
  EXPECT_EQ(day.recorder.models["c0ffee100002"], "SmartShunt 500A/50mV");
  EXPECT_EQ(day.recorder.kinds["c0ffee100005"], DeviceKind::kBattery);
  const BoatState& state = day.boat->state();
  const auto& monitor = day.recorder.latest["c0ffee100002"];
  EXPECT_NEAR(monitor.at(victron::kSoc).ToDouble() * 10, static_cast<double>(state.soc_permille), 2);
  EXPECT_GT(day.recorder.repeats, 800u) << "a third of the adverts come twice";
  const auto& sums = day.recorder.latest["pv_sum"];
  const double sum_W = sums.at(victron::kPvPowerSum).ToDouble();
  EXPECT_NEAR(sum_W, static_cast<double>(state.pv_W[0] + state.pv_W[1]), 25);
  EXPECT_NEAR(day.recorder.latest["c0ffee100000"].at(victron::kPvShare).ToDouble() +
                  day.recorder.latest["c0ffee100001"].at(victron::kPvShare).ToDouble(),
              100, 0.02);
  EXPECT_EQ(day.recorder.latest["c0ffee100000"].at(victron::kChargeMaster).state(), 1u);
}

TEST(VictronBoat, IsTheSameEveryTime) {
  VictronBoat one({});
  VictronBoat two({});
  VictronBoatOptions other_options;
  other_options.seed = 2;
  VictronBoat other(other_options);
  bool differs = false;
  for (int i = 0; i < 500; ++i) {
    const SimulatedAdvert a = one.NextAdvert();
    const SimulatedAdvert b = two.NextAdvert();
    ASSERT_EQ(a.at_us, b.at_us);
    ASSERT_EQ(a.datagram, b.datagram);
    differs = differs || other.NextAdvert().datagram != a.datagram;
  }
  EXPECT_TRUE(differs);
}

TEST(VictronSession, SaysWhyItCannotDecodeAndTakesKeysAsTheyCome) {
  Day day(false);
  day.Run(300);
  EXPECT_GT(day.recorder.rejected["no_key"], 0);
  EXPECT_GT(day.recorder.rejected["foreign_group"], 0);
  EXPECT_TRUE(day.recorder.identities.empty()) << "strangers are no devices";
  VictronKey stale = VictronBoat::KeyOf(BoatDevice::kBatteryMonitor);
  stale[0] ^= 1;
  day.ring.SetKey(VictronBoat::AddressOf(BoatDevice::kBatteryMonitor), stale);
  day.Run(300);
  EXPECT_GT(day.recorder.rejected["key_mismatch"], 0);
  EXPECT_TRUE(day.recorder.identities.empty());
  day.ring.SetKey(VictronBoat::AddressOf(BoatDevice::kBatteryMonitor), VictronBoat::KeyOf(BoatDevice::kBatteryMonitor));
  day.Run(300);
  EXPECT_EQ(day.recorder.identities.size(), 1u);
  EXPECT_GT(day.recorder.readings, 50u);
  // And as they go.
  day.ring.RemoveKey(VictronBoat::AddressOf(BoatDevice::kBatteryMonitor));
  const size_t before = day.recorder.readings;
  day.Run(300);
  EXPECT_EQ(day.recorder.readings, before);
}

TEST(VictronSession, OneAdvertOfTwoScannersIsOneReading) {
  victron::KeyRing ring;
  ring.SetKey(kAddress, kKey);
  BleSession session(&ring);
  Recorder recorder;
  SolarChargerRecord record;
  record.pv_W = 19;
  for (const uint8_t scanner : {uint8_t{0}, uint8_t{1}, uint8_t{0}}) {
    session.Receive(VictronDatagram(kAddress, -60, scanner, InstantReadout(0xA042, 1, 9, kKey, record.Encode())), Now(),
                    recorder);
  }
  EXPECT_EQ(recorder.frames, 3u);
  EXPECT_EQ(recorder.repeats, 2u);
  EXPECT_TRUE(recorder.last.empty());
  EXPECT_EQ(session.counters().records, 1u);
}

TEST(VictronSession, AForgottenNonceIsNotOld) {
  victron::KeyRing ring;
  ring.SetKey(kAddress, kKey);
  BleSession session(&ring);
  Recorder recorder;
  const auto send = [&](uint16_t nonce, int64_t at_s) {
    Now now;
    now.monotonic_us = at_s * kUsPerSecond;
    SolarChargerRecord record;
    record.pv_W = 1;
    session.Receive(VictronDatagram(kAddress, -60, 0, InstantReadout(0xA042, 1, nonce, kKey, record.Encode())), now,
                    recorder);
  };
  send(100, 0);
  send(60, 1);
  EXPECT_EQ(session.counters().old, 1u);
  send(60, 600);  // restarted after ten minutes
  EXPECT_EQ(session.counters().records, 2u);
}

TEST(VictronSession, ForeignAdvertsAreCountedAndCostNothingMore) {
  victron::KeyRing ring;
  BleSession session(&ring);
  Recorder recorder;
  std::vector<uint8_t> datagram = VictronDatagram(kAddress, -60, 0, std::vector<uint8_t>(10, 0x10));
  datagram[ble::kAdvertHeaderSize + 5] = 0x4C;
  for (int i = 0; i < 1000; ++i) session.Receive(datagram, Now(), recorder);
  EXPECT_EQ(session.counters().foreign, 1000u);
  EXPECT_EQ(recorder.frames, 0u);
}

TEST(VictronSession, DevicesAreBounded) {
  victron::KeyRing ring;
  for (uint64_t i = 0; i < victron::kMaxDevices + 10; ++i) ring.SetKey(kAddress + i, kKey);
  BleSession session(&ring);
  Recorder recorder;
  SolarChargerRecord record;
  record.pv_W = 1;
  for (uint64_t i = 0; i < victron::kMaxDevices + 10; ++i) {
    session.Receive(VictronDatagram(kAddress + i, -60, 0, InstantReadout(0xA042, 1, 1, kKey, record.Encode())), Now(),
                    recorder);
  }
  EXPECT_EQ(session.counters().devices_refused, 10u);
  EXPECT_EQ(recorder.rejected["too_many_devices"], 10);
  EXPECT_EQ(session.counters().records, victron::kMaxDevices);
}

}  // namespace
}  // namespace vesta::simulators
