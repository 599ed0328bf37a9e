// The simulated bus against the session that the hub uses.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "protocols/masterbus/session.h"
#include "simulators/masterbus_bus.h"
#include "simulators/masterbus_feed.h"

namespace vesta::simulators {
namespace {

constexpr UtcUs kStart_us = 1700000000 * kUsPerSecond;

class Heard : public SessionEvents {
 public:
  explicit Heard(const Session& session) : session_(session) {}
  void OnDevice(uint16_t slot, const DeviceInfo& info) override {
    names[slot] = std::string(info.identity);
    kinds[std::string(info.identity)] = info.kind;
    models[std::string(info.identity)] = std::string(info.model);
    serials[std::string(info.identity)] = std::string(info.serial);
  }
  void OnFrame(const FrameEvent& frame) override {
    ++(frame.verdict == FrameVerdict::kAccepted ? accepted : refused);
    for (const Reading& r : frame.readings) ++keys[names[r.device] + "/" + session_.fields()[r.field].key];
  }
  std::map<uint16_t, std::string> names;
  std::map<std::string, DeviceKind> kinds;
  std::map<std::string, std::string> models;
  std::map<std::string, std::string> serials;
  std::map<std::string, size_t> keys;
  size_t accepted = 0, refused = 0;

 private:
  const Session& session_;
};

struct Boating {
  explicit Boating(const MasterBusOptions& bus_options, masterbus::Options options = {})
      : bus(bus_options), session(options), heard(session) {}

  // Virtual time; what the session asks goes on the bus at once.
  void Until(UtcUs end_us) {
    while (bus.next_us() < end_us || session.next_deadline_us() < end_us) {
      const int64_t due_us = session.next_deadline_us();
      if (due_us < bus.next_us()) {
        now_us = std::max(now_us, due_us);
        ++looks;
        session.Tick({now_us, now_us, ClockQuality::kSynchronised}, heard);
        if (const Bytes out = session.Transmit(); !out.empty()) {
          ++asked;
          bus.Put(*can::ReadFrame(out), now_us);
          session.Transmitted(out.size());
        }
        continue;
      }
      const MasterBusBus::Sent sent = bus.Next();
      now_us = sent.time_us;
      std::array<uint8_t, can::kMaxFrameSize> bytes;
      session.Receive({bytes.data(), can::WriteFrame(sent.frame, bytes)}, {now_us, now_us, ClockQuality::kSynchronised},
                      heard);
    }
  }

  MasterBusBus bus;
  masterbus::MasterBusSession session;
  Heard heard;
  UtcUs now_us = kStart_us;
  size_t asked = 0;
  size_t looks = 0;  // at the session's timers
};

MasterBusOptions Boat() {
  MasterBusOptions options;
  options.start_us = kStart_us;
  return options;
}

const char* const kExpected[] = {"6F1297/state_of_charge",     "6F1297/battery_voltage",   "6F1297/battery_current",
                                 "6F1297/charge_consumed",     "6F1297/time_remaining",    "6F1297/clock_time",
                                 "6F1297/battery_temperature", "6F1297/clock_date",        "3AF412/device_state",
                                 "3AF412/charger_state",       "3AF412/inverter_switch",   "3AF412/ac_input_voltage",
                                 "3AF412/ac_input_current",    "3AF412/ac_output_voltage", "3AF412/ac_output_current",
                                 "3AF412/shore_fuse",          "28A031/charger_state",     "28A031/battery_current"};

TEST(MasterBusRoundTrip, APassiveListenerLearnsWhatTheDisplayReads) {
  Boating run(Boat());
  run.Until(kStart_us + 120 * kUsPerSecond);
  for (const char* key : kExpected) EXPECT_GT(run.heard.keys[key], 30u) << key;
  EXPECT_EQ(run.heard.refused, 0u);
  EXPECT_EQ(run.heard.models["6F1297"], "MSH House shunt");
  EXPECT_EQ(run.heard.kinds["6F1297"], DeviceKind::kBatteryMonitor);
  EXPECT_EQ(run.heard.kinds["3AF412"], DeviceKind::kInverter);
  EXPECT_EQ(run.heard.kinds["28A031"], DeviceKind::kAcCharger);
  for (const auto& key : run.heard.keys) EXPECT_EQ(key.first.find("item_"), std::string::npos) << key.first;
}

TEST(MasterBusRoundTrip, AnActiveReaderFindsTheSameAlone) {
  MasterBusOptions boat = Boat();
  boat.display = false;
  masterbus::Options options;
  options.read = true;
  Boating run(boat, options);
  run.Until(kStart_us + 120 * kUsPerSecond);
  for (const char* key : kExpected) EXPECT_GT(run.heard.keys[key], 15u) << key;
  EXPECT_EQ(run.heard.serials["6F1297"], "S0131297");
  // Once all is known only values are asked for: 23 items every five seconds.
  const size_t before = run.asked;
  run.Until(kStart_us + 220 * kUsPerSecond);
  EXPECT_LE(run.asked - before, 24u * 100 / 5 + 30);
  EXPECT_EQ(run.session.reader_counters().repeated, 0u);
  // And the hub sleeps in between.
  const size_t looks = run.looks;
  const size_t questions = run.asked;
  run.Until(kStart_us + 320 * kUsPerSecond);
  EXPECT_LE(run.looks - looks, 3 * (run.asked - questions));
}

TEST(MasterBusFeed, AQuestionIsAnsweredWhileTheDisplayPauses) {
  MasterBusFeed feed(Boat(), BusForm::kSlcan);
  feed.Command("O\r", kStart_us);
  // The display has found out everything, and pauses between two looks at its page.
  UtcUs now_us = kStart_us;
  while (now_us < kStart_us + 10 * kUsPerSecond || *feed.next_us() - now_us < 500 * kUsPerMs) {
    now_us = *feed.next_us();
    feed.Next();
  }
  now_us += 100 * kUsPerMs;
  EXPECT_EQ(feed.Command("T186F129720100\r", now_us), "Z\r");
  ASSERT_LT(*feed.next_us(), now_us + 10 * kUsPerMs);
  EXPECT_EQ(feed.Next().substr(0, 14), "T086F129760100");
}

TEST(MasterBusRoundTrip, AReaderWithoutADisplayAskedNothingHearsNoValues) {
  MasterBusOptions boat = Boat();
  boat.display = false;
  Boating run(boat);
  run.Until(kStart_us + 120 * kUsPerSecond);
  EXPECT_EQ(run.heard.keys.count("6F1297/battery_voltage"), 0u);
  EXPECT_GT(run.heard.keys["6F1297/announce_counter"], 0u);
}

TEST(MasterBusRoundTrip, ABabblingNodeAndOtherFaultsLeaveTheRestAlone) {
  for (const BusFaultInfo& fault : AllBusFaults()) {
    if (fault.fault == BusFault::kSilentShunt) continue;
    MasterBusOptions boat = Boat();
    boat.faults = {{fault.fault, fault.default_amount}};
    Boating run(boat);
    run.Until(kStart_us + 120 * kUsPerSecond);
    size_t readings = 0;
    for (const auto& key : run.heard.keys) readings += key.second;
    EXPECT_GT(readings, 2000u) << fault.name;
    // A text piece that lost a byte ends the text: a label then is another one, and only that.
    if (fault.fault == BusFault::kWrongLength) continue;
    for (const char* key : kExpected) EXPECT_GT(run.heard.keys[key], 25u) << fault.name << " " << key;
  }
}

TEST(MasterBusRoundTrip, ASecondDeviceWithOneAddressIsNoticedByAnswersNobodyAskedFor) {
  Boating peace(Boat());
  peace.Until(kStart_us + 60 * kUsPerSecond);
  EXPECT_EQ(peace.session.counters().values_unasked, 0u);
  MasterBusOptions boat = Boat();
  boat.faults = {{BusFault::kTwin, 5}};
  Boating run(boat);
  run.Until(kStart_us + 60 * kUsPerSecond);
  EXPECT_GT(run.session.counters().values_unasked, 20u);
}

TEST(MasterBusRoundTrip, ASilentShuntIsOffline) {
  MasterBusOptions boat = Boat();
  boat.faults = {{BusFault::kSilentShunt, 60}};
  Boating run(boat);
  run.Until(kStart_us + 200 * kUsPerSecond);
  const masterbus::BusView view = run.session.view();
  const auto& model = view.model();
  EXPECT_FALSE(masterbus::BusView::IsOnline(model.device(model.FindDevice(kSimulatedShunt)), run.now_us));
  EXPECT_TRUE(masterbus::BusView::IsOnline(model.device(model.FindDevice(kSimulatedCombi)), run.now_us));
}

}  // namespace
}  // namespace vesta::simulators
