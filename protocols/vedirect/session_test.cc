#include "protocols/vedirect/session.h"

#include <gtest/gtest.h>

#include <map>

#include "protocols/vedirect/vedirect_for_test.h"

namespace vesta::vedirect {
namespace {

const std::string kSolar = Block({{"PID", "0xA053"},
                                  {"FW", "159"},
                                  {"SER#", "HQ2101ABCDE"},
                                  {"V", "12530"},
                                  {"I", "640"},
                                  {"VPV", "31390"},
                                  {"PPV", "8"},
                                  {"CS", "3"},
                                  {"ERR", "0"},
                                  {"LOAD", "ON"},
                                  {"IL", "200"},
                                  {"H20", "12"}});
const std::string kMonitor = Block({{"PID", "0xA381"},
                                    {"V", "26457"},
                                    {"I", "-6032"},
                                    {"P", "-160"},
                                    {"CE", "-6673"},
                                    {"SOC", "937"},
                                    {"TTG", "435"},
                                    {"Alarm", "OFF"},
                                    {"AR", "0"},
                                    {"FW", "0408"}});
const std::string kMonitorHistory = Block({{"H1", "-96470"}, {"H7", "27"}, {"H17", "6066"}});

Options Polling(int64_t interval_us = 30 * kUsPerSecond) {
  Options options;
  options.poll.enabled = true;
  options.poll.interval_us = interval_us;
  return options;
}

TEST(VedirectSession, ABlockGivesReadingsInTheFieldsOwnUnits) {
  Bench b;
  b.Send(kSolar);
  ASSERT_EQ(b.log.frames.size(), 1u);
  EXPECT_EQ(b.log.frames[0].raw, kSolar);
  EXPECT_EQ(b.log.Last("battery_voltage"), "12.530");
  EXPECT_EQ(b.log.Last("battery_current"), "0.640");
  EXPECT_EQ(b.log.Last("pv_power"), "8");
  EXPECT_EQ(b.log.Last("device_state"), "3");
  EXPECT_EQ(b.log.Last("output_state"), "1");
  EXPECT_EQ(b.log.Last("yield_today"), "0.12");
  EXPECT_EQ(b.log.Last("firmware"), "1.59");
  ASSERT_EQ(b.log.devices.size(), 1u);
  EXPECT_EQ(b.log.devices[0].identity, "HQ2101ABCDE");
  EXPECT_TRUE(b.log.devices[0].on_wire);
  EXPECT_EQ(b.log.devices[0].kind, DeviceKind::kSolarCharger);
  EXPECT_NE(b.log.devices[0].model, "");
}

TEST(VedirectSession, PowerIsWorkedOutExactlyAndSaysSo) {
  Bench b;
  b.Send(kSolar);
  EXPECT_EQ(b.log.Last("battery_power"), "8.019200");
  EXPECT_EQ(b.log.Last("load_power"), "2.506000");
  for (const SeenReading& reading : b.log.frames[0].readings) {
    const bool derived = reading.key == "battery_power" || reading.key == "load_power";
    EXPECT_EQ(reading.quality == ValueQuality::kDerived, derived) << reading.key;
  }
}

TEST(VedirectSession, APowerThatTheDeviceSendsIsNotWorkedOut) {
  Bench b;
  b.Send(kMonitor);
  b.Send(kMonitorHistory);
  EXPECT_EQ(b.log.Last("battery_power"), "-160");
  EXPECT_EQ(b.log.Count("battery_power"), 1u);
}

TEST(VedirectSession, AHistoryBlockThatComesFirstWaitsForTheNameWithItsOwnTime) {
  Bench b;
  const UtcUs first_us = b.now.utc_us;
  b.Send(kMonitorHistory);
  EXPECT_TRUE(b.log.frames.empty());
  b.Pass(kUsPerSecond);
  b.Send(kMonitor);
  ASSERT_EQ(b.log.frames.size(), 2u);
  EXPECT_EQ(b.log.frames[0].raw, kMonitorHistory);
  EXPECT_EQ(b.log.frames[0].readings[0].time_us, first_us);
  EXPECT_EQ(b.log.Last("deepest_discharge"), "96.470");
  EXPECT_EQ(b.log.frames[1].readings[0].time_us, first_us + kUsPerSecond);
  ASSERT_EQ(b.log.devices.size(), 1u);
  EXPECT_EQ(b.log.devices[0].identity, "port-A381");
  EXPECT_FALSE(b.log.devices[0].on_wire);
}

TEST(VedirectSession, AnUnnamedDeviceIsNotWaitedForLongerThanItsBlocksTake) {
  Bench b;
  b.Send(kMonitorHistory);
  b.Pass(kNameTimeout_us);
  ASSERT_EQ(b.log.frames.size(), 1u);
  EXPECT_EQ(b.log.devices[0].identity, "port");
}

TEST(VedirectSession, SlowValuesAreToldWhenTheyChange) {
  Bench b;
  b.Send(kSolar);
  b.Send(kSolar);
  EXPECT_EQ(b.log.Count("battery_voltage"), 2u);
  EXPECT_EQ(b.log.Count("charger_error"), 1u);
  b.Send(Block({{"PID", "0xA053"}, {"SER#", "HQ2101ABCDE"}, {"ERR", "17"}}));
  EXPECT_EQ(b.log.Last("charger_error"), "17");
}

TEST(VedirectSession, AnotherSerialNumberIsAnotherDevice) {
  Bench b;
  b.Send(kSolar);
  b.Send(Block({{"PID", "0xA053"}, {"SER#", "HQ2222XXXXX"}, {"V", "13000"}, {"ERR", "0"}}));
  ASSERT_EQ(b.log.devices.size(), 2u);
  EXPECT_EQ(b.log.frames[1].readings[0].device, 1u);
  EXPECT_EQ(b.log.Count("charger_error"), 2u) << "all is news of a new device";
  b.Send(kSolar);
  EXPECT_EQ(b.log.frames[2].readings[0].device, 0u) << "the first one is known again";
}

TEST(VedirectSession, AfterAPauseNoBlockIsTakenForTheOldDeviceUnnamed) {
  Bench b;
  const std::string head = Block({{"PID", "0xA06C"}, {"SER#", "HQ1AAAAAAAA"}, {"V", "52700"}});
  const std::string other_head = Block({{"PID", "0xA06C"}, {"SER#", "HQ2BBBBBBBB"}, {"V", "51000"}});
  const std::string tail = Block({{"ERR", "0"}, {"H20", "77"}});
  b.Send(head + tail);
  b.Pass(20 * kUsPerSecond);  // the plug went into another charger
  b.Send(tail);
  EXPECT_EQ(b.log.frames.size(), 2u);
  b.Send(other_head);
  ASSERT_EQ(b.log.frames.size(), 4u);
  EXPECT_EQ(b.log.frames[2].readings[0].device, 1u);
}

TEST(VedirectSession, ValuesThatADeviceNeverHadAreNoReadingsLostOnesAre) {
  Bench b;
  b.Send(Block({{"PID", "0xA389"}, {"SER#", "S"}, {"V", "12794"}, {"SOC", "---"}, {"TTG", "-1"}}));
  EXPECT_EQ(b.log.Count("soc"), 0u);
  b.Send(Block({{"PID", "0xA389"}, {"SER#", "S"}, {"SOC", "900"}, {"TTG", "60"}}));
  EXPECT_EQ(b.log.Last("soc"), "90.0");
  b.Send(Block({{"PID", "0xA389"}, {"SER#", "S"}, {"SOC", "---"}, {"TTG", "-1"}}));
  EXPECT_EQ(b.log.Last("soc"), "-");
  EXPECT_EQ(b.log.Last("time_to_go"), "-");
}

TEST(VedirectSession, AConvertersBatterySideIsItsOutput) {
  Bench b;
  b.Send(Block({{"PID", "0xA3F0"},
                {"FWE", "112FF"},
                {"SER#", "HQ2433EWGZZ"},
                {"V", "13220"},
                {"I", "2000"},
                {"P", "26"},
                {"DC_IN_V", "1262"},
                {"DC_IN_I", "21"},
                {"DC_IN_P", "27"},
                {"OR", "0x00000009"}}));
  EXPECT_EQ(b.log.devices[0].kind, DeviceKind::kDcConverter);
  EXPECT_EQ(b.log.Last("output_voltage"), "13.220");
  EXPECT_EQ(b.log.Last("output_power"), "26");
  EXPECT_EQ(b.log.Last("input_voltage"), "12.62");
  EXPECT_EQ(b.log.Last("off_reason"), "no_input_power, remote_input");
  EXPECT_EQ(b.log.Count("battery_voltage"), 0u);
}

TEST(VedirectSession, AnInvertersAlarmReasonRaisesTheAlarm) {
  Bench b;
  b.Send(Block({{"PID", "0xA241"},
                {"SER#", "I"},
                {"MODE", "2"},
                {"AC_OUT_V", "23002"},
                {"AC_OUT_I", "12"},
                {"AR", "256"},
                {"WARN", "512"}}));
  EXPECT_EQ(b.log.Last("alarm"), "1");
  EXPECT_EQ(b.log.Last("alarm_reason"), "overload");
  EXPECT_EQ(b.log.Last("warning_reason"), "dc_ripple");
  EXPECT_EQ(b.log.Last("ac_out_apparent_power"), "276.024");
}

TEST(VedirectSession, UnknownLabelsAndUnreadableValuesAreCountedAndStopNothing) {
  Bench b;
  b.Send(Block({{"PID", "0xA053"}, {"SER#", "S"}, {"X_NEW", "7"}, {"V", "12x"}, {"I", "640"}}));
  EXPECT_EQ(b.session.unknown_objects(), 1u);
  EXPECT_EQ(b.session.counters().values_unreadable, 1u);
  EXPECT_EQ(b.log.Last("battery_current"), "0.640");
}

TEST(VedirectSession, AWrongSumIsRejectedAndTheNextBlockIsTaken) {
  Bench b;
  std::string damaged = kSolar;
  damaged[20] ^= 1;
  b.Send(damaged + kSolar);
  ASSERT_EQ(b.log.frames.size(), 2u);
  EXPECT_EQ(b.log.frames[0].verdict, FrameVerdict::kRejected);
  EXPECT_EQ(b.log.frames[0].reason, "checksum");
  EXPECT_EQ(b.log.frames[1].verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.log.frames[1].offset, damaged.size());
}

TEST(VedirectSession, UnaskedHexFramesAddWhatTextDoesNotSay) {
  Bench b;
  b.Send(kSolar + ":ADBED00BF0ABA\n:ABBED008D28EE\n");
  EXPECT_EQ(b.log.Last("charger_temperature"), "27.51");
  EXPECT_EQ(b.log.Count("pv_voltage"), 1u) << "text has it already";
  EXPECT_EQ(b.log.frames.size(), 3u);
}

TEST(VedirectSession, TodaysHistoryComesWithoutAnyQuestion) {
  Bench b;
  b.Send(kSolar);
  b.Send(":A501000000000000000000000ED04C6040000000000C200000000000B0000000900C80D120172\n");
  EXPECT_EQ(b.log.Last("battery_voltage_max_today"), "12.61");
  EXPECT_EQ(b.log.Last("bulk_time_today"), "194");
}

TEST(VedirectSession, AKeyThatADeviceHandsOutGoesNowhere) {
  Bench b;
  b.Send(kSolar);
  b.Send(Frame(10, std::string("\x65\xEC\x00", 3) + "0123456789abcdef"));
  ASSERT_EQ(b.log.frames.size(), 2u);
  EXPECT_EQ(b.log.frames[1].raw, "");
  EXPECT_TRUE(b.log.frames[1].readings.empty());
  EXPECT_EQ(b.session.counters().hex_secrets, 1u);
}

TEST(VedirectSession, NothingIsAskedUnlessItIsSwitchedOn) {
  Bench b;
  b.Send(kSolar);
  b.Pass(100 * kUsPerSecond);
  EXPECT_EQ(b.Asked(), "");
}

TEST(VedirectSession, OnlyGetsAreAskedOneAtATimeAndUnknownOnesOnce) {
  Bench b(Polling());
  std::map<std::string, int> asked;
  for (int second = 0; second < 120; ++second) {
    b.Send(kSolar);
    for (int i = 0; i < 10; ++i) {
      b.Pass(100 * kUsPerMs);
      const std::string question = b.Asked();
      if (question.empty()) continue;
      ASSERT_EQ(question.size(), kGetSize);
      ASSERT_EQ(question.substr(0, 2), ":7");
      ++asked[question];
      std::string data;
      for (size_t at = 2; at < 6; at += 2) data += static_cast<char>(std::stoi(question.substr(at, 2), nullptr, 16));
      const bool known = question.substr(2, 4) == "DBED";
      b.Send(Frame(7, data + (known ? std::string("\0\xBF\x0A", 3) : std::string("\x01"))));
    }
  }
  EXPECT_GT(asked.size(), 30u);
  for (const auto& [question, count] : asked) {
    if (question.substr(2, 4) == "DBED") {
      EXPECT_GE(count, 3) << "each round";
    } else {
      EXPECT_EQ(count, 1) << question;
    }
  }
  EXPECT_EQ(asked.count(":78DED00"), 0u);
  EXPECT_EQ(b.log.Last("charger_temperature"), "27.51");
}

TEST(VedirectSession, WhenTextStopsForHexTheQuestionsPause) {
  Bench b(Polling(kUsPerSecond));
  b.Send(kSolar);
  int questions_without_text = 0;
  for (int i = 0; i < 600; ++i) {  // a minute in which no text comes, as long as questions do
    b.Pass(100 * kUsPerMs);
    const std::string question = b.Asked();
    if (question.empty()) continue;
    ++questions_without_text;
    std::string data;
    for (size_t at = 2; at < 6; at += 2) data += static_cast<char>(std::stoi(question.substr(at, 2), nullptr, 16));
    b.Send(Frame(7, data + std::string("\0\x01\x00\x00\x00", 5)));
  }
  EXPECT_GT(b.session.plan().counters().pauses_for_text, 0u);
  EXPECT_LT(questions_without_text, 60);
}

TEST(VedirectSession, ASilentDeviceIsAskedEverMoreSeldom) {
  Bench b(Polling(kUsPerSecond));
  int questions = 0;
  for (int i = 0; i < 3600; ++i) {
    b.Pass(kUsPerSecond);
    questions += !b.Asked().empty();
  }
  EXPECT_GT(questions, 5);
  EXPECT_LT(questions, 120);
}

TEST(VedirectSession, APortWithoutTextIsNamedByItsSerialNumber) {
  Bench b(Polling());
  b.Send(Frame(7, std::string("\x0A\x01\x00", 3) + std::string("HQ2101ABCDE\0\0", 13)));
  b.Send(Frame(7, std::string("\x00\x01\x00\x00\x53\xA0\xFF", 7)));
  b.Send(":ADBED00BF0ABA\n");
  b.Pass(kNameTimeout_us);
  ASSERT_EQ(b.log.devices.size(), 1u);
  EXPECT_EQ(b.log.devices[0].identity, "HQ2101ABCDE");
  EXPECT_EQ(b.log.devices[0].kind, DeviceKind::kSolarCharger);
  EXPECT_EQ(b.log.Last("charger_temperature"), "27.51");
}

TEST(VedirectSession, MoreDevicesThanThereIsRoomForAreCounted) {
  Bench b;
  for (size_t i = 0; i <= kMaxDevices; ++i) {
    b.Send(Block({{"PID", "0xA053"}, {"SER#", "S" + std::to_string(i)}, {"V", "12530"}}));
  }
  EXPECT_EQ(b.log.devices.size(), kMaxDevices);
  EXPECT_EQ(b.session.counters().devices_dropped, 1u);
}

TEST(VedirectSession, HalfABlockIsGivenUpAfterASilence) {
  Bench b;
  b.Send(kSolar);
  b.Send(kSolar.substr(0, 40));
  b.Pass(kBlockTimeout_us);
  EXPECT_EQ(b.log.frames.back().reason, "cut");
  b.Send(kSolar);
  EXPECT_EQ(b.log.frames.back().verdict, FrameVerdict::kAccepted);
}

}  // namespace
}  // namespace vesta::vedirect
