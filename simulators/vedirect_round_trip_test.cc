// Simulated VE.Direct devices against the session, in virtual time and over a real terminal.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "protocols/vedirect/session.h"
#include "simulators/vedirect_feed.h"

namespace vesta::simulators {
namespace {

constexpr UtcUs kNoon = 1718452800 * kUsPerSecond;  // 2024-06-15T12:00:00Z

class Log final : public SessionEvents {
 public:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    identities[slot] = device.identity;
    kind = device.kind;
  }
  void OnFrame(const FrameEvent& frame) override {
    if (frame.verdict != FrameVerdict::kAccepted) {
      ++problems[frame.reason];
      return;
    }
    ++accepted;
    for (const Reading& reading : frame.readings) last[victron::Fields()[reading.field].key] = reading.value.ToDouble();
  }
  std::map<uint16_t, std::string> identities;
  std::map<std::string, int> problems;
  std::map<std::string, double> last;
  DeviceKind kind = DeviceKind::kOther;
  int accepted = 0;
};

// Feed and session in one virtual time, talking to each other.
struct Rig {
  explicit Rig(const VedirectFeedOptions& options, bool hex = false) : feed(options), session(SessionOptions(hex)) {
    now.utc_us = options.device.start_us;
    session.LinkReset(now, log);
  }
  static vedirect::Options SessionOptions(bool hex) {
    vedirect::Options options;
    options.poll.enabled = hex;
    return options;
  }
  void Give(const std::string& bytes) {
    session.Receive({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, now, log);
  }
  void Run(int64_t seconds) {
    const UtcUs end_us = now.utc_us + seconds * kUsPerSecond;
    while (now.utc_us < end_us) {
      const int64_t step_us = 50 * kUsPerMs;
      now.utc_us += step_us;
      now.monotonic_us += step_us;
      if (session.next_deadline_us() <= now.monotonic_us) session.Tick(now, log);
      const Bytes question = session.Transmit();
      if (!question.empty()) {
        ++questions;
        const std::string answer = feed.Receive({reinterpret_cast<const char*>(question.data()), question.size()});
        session.Transmitted(question.size());
        Give(answer);
      }
      while (feed.next_us() && *feed.next_us() <= now.utc_us) Give(feed.Next());
    }
  }

  VedirectFeed feed;
  vedirect::VedirectSession session;
  Log log;
  Now now;
  int questions = 0;
};

VedirectFeedOptions OptionsOf(VedirectKind kind) {
  VedirectFeedOptions options;
  options.device = {kind, 3, kNoon};
  return options;
}

TEST(VedirectSimulator, EveryKindIsUnderstoodWithoutARemainder) {
  const std::map<VedirectKind, DeviceKind> kinds = {{VedirectKind::kSolar, DeviceKind::kSolarCharger},
                                                    {VedirectKind::kSolarLarge, DeviceKind::kSolarCharger},
                                                    {VedirectKind::kBatteryMonitor, DeviceKind::kBatteryMonitor},
                                                    {VedirectKind::kInverter, DeviceKind::kInverter}};
  for (const auto& [kind, device] : kinds) {
    SCOPED_TRACE(InfoOf(kind).name);
    Rig rig(OptionsOf(kind));
    rig.Run(60);
    EXPECT_GE(rig.log.accepted, 59);
    EXPECT_TRUE(rig.log.problems.empty());
    EXPECT_EQ(rig.session.unknown_objects(), 0u);
    EXPECT_EQ(rig.session.counters().values_unreadable, 0u);
    EXPECT_EQ(rig.log.kind, device);
    EXPECT_EQ(rig.log.identities.size(), 1u);
    EXPECT_NEAR(rig.log.last["battery_voltage"], rig.feed.device().system().battery_mv() / 1000.0, 0.5);
    EXPECT_EQ(rig.questions, 0);
  }
}

TEST(VedirectSimulator, QuestionsBringWhatTextDoesNotSay) {
  Rig rig(OptionsOf(VedirectKind::kSolarLarge), true);
  rig.Run(90);
  EXPECT_GT(rig.questions, 20);
  EXPECT_EQ(rig.log.last.count("charger_temperature"), 1u);
  EXPECT_EQ(rig.log.last.count("pv_current"), 1u);
  EXPECT_NEAR(rig.log.last["absorption_voltage"], 14.4, 0.001);
  EXPECT_GT(rig.session.counters().hex_unasked, 10u);
  EXPECT_TRUE(rig.log.problems.empty());
  EXPECT_EQ(rig.session.plan().counters().unanswered, 0u);
}

TEST(VedirectSimulator, OnlyDamagedBlocksAreLost) {
  for (const FaultKind kind : {FaultKind::kNoise, FaultKind::kLostBytes, FaultKind::kCut, FaultKind::kWrongCrc}) {
    VedirectFeedOptions options = OptionsOf(VedirectKind::kSolar);
    options.faults = {{kind, 5}};
    Rig rig(options);
    rig.Run(100);
    // A block whose end is lost may take the next one with it.
    EXPECT_GE(rig.log.accepted, 60) << static_cast<int>(kind);
    EXPECT_LE(rig.log.accepted, 81) << static_cast<int>(kind);
    EXPECT_FALSE(rig.log.problems.empty());
  }
}

TEST(VedirectSimulator, AnotherDeviceOnThePortIsAnotherDevice) {
  VedirectFeedOptions options = OptionsOf(VedirectKind::kSolar);
  options.faults = {{FaultKind::kMeterSwap, 30}};
  Rig rig(options);
  rig.Run(45);
  EXPECT_EQ(rig.log.identities.size(), 2u);
}

TEST(VedirectSimulator, ADayHasNightAndSun) {
  VedirectFeedOptions options = OptionsOf(VedirectKind::kSolar);
  options.device.start_us = kNoon - 12 * 3600 * kUsPerSecond;
  VedirectDevice device(options.device);
  device.Advance(options.device.start_us + 2 * 3600 * kUsPerSecond);
  EXPECT_EQ(device.system().panel_w(), 0);
  EXPECT_LT(device.system().battery_ma(), 0);
  device.Advance(kNoon);
  EXPECT_GT(device.system().panel_w(), 5);
  EXPECT_GT(device.system().today().yield_wh, 50);
  EXPECT_GT(device.system().soc_permille(), 100);
}

}  // namespace
}  // namespace vesta::simulators
