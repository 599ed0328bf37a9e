#include "protocols/medibus/session.h"

#include <gtest/gtest.h>

#include "protocols/medibus/host_for_test.h"

namespace vesta::medibus {
namespace {

constexpr char kTn500[] = "5700-babyleo-tn500";

TEST(MedibusSession, ValuesBearTheTimeOfTheFirstByte) {
  Host host;
  host.Connect();
  const std::string frame = Host::Whole("\x01$6D33.3");
  host.HearRaw(frame.substr(0, 3));
  const UtcUs began_us = host.now.utc_us;
  host.Pass(200 * kUsPerMs);
  host.HearRaw(frame.substr(3));
  EXPECT_EQ(host.Latest("air_temp").number, 33.3);
  EXPECT_EQ(host.Latest("air_temp").time_us, began_us);
  EXPECT_EQ(host.infos[kTn500], "Babyleo TN500|01.06:06.00");
}

TEST(MedibusSession, AValueThatIsMissingIsToldOnce) {
  Host host;
  host.Connect();
  host.Hear("\x01$6D33.36C 60 ");
  host.Hear("\x01$6D33.4");
  EXPECT_EQ(host.Latest("humidity_relative").quality, ValueQuality::kUnavailable);
  const size_t before = host.frames.size();
  host.Hear("\x01$6D33.5");
  ASSERT_EQ(host.frames.size(), before + 1);
  EXPECT_EQ(host.frames.back().readings.size(), 1u);
}

TEST(MedibusSession, AlarmsBeginAndEnd) {
  Host host;
  host.Connect();
  host.Hear("\x01'C43O2 SENS ERR O30AIR TEMP HI ");
  EXPECT_EQ(host.Latest("alarm_p1_43").number, 1);
  EXPECT_EQ(host.Latest("alarm_p1_30").number, 1);
  EXPECT_EQ(host.Latest("alarms_active").number, 2);
  EXPECT_EQ(host.Latest("alarm_highest_priority").number, 31);
  EXPECT_EQ(host.Latest("alarms_p1").text, "19 43 O2 SENS ERR; 31 30 AIR TEMP HI");
  host.Hear("\x01'C43O2 SENS ERR ");
  EXPECT_EQ(host.Latest("alarm_p1_30").number, 0);
  EXPECT_EQ(host.Latest("alarm_p1_30").kind, ValueKind::kState);
  EXPECT_EQ(host.Latest("alarm_p1_43").number, 1);
  // The same code of the other codepage is another alarm.
  host.Hear("\x01.C43SOMETHING   ");
  EXPECT_EQ(host.Latest("alarm_p2_43").number, 1);
  EXPECT_EQ(host.session.unknown_objects(), 1u);
}

TEST(MedibusSession, AGapIsNotBridged) {
  Host host;
  host.Connect();
  host.Hear("\x01$6D33.3");
  host.Hear("\x01'C43O2 SENS ERR ");
  host.Hear("\x01*138Air Mode\x03");
  EXPECT_EQ(host.Latest("control_mode").number, kControlAir);
  EXPECT_EQ(host.Latest("link_state").number, 1);
  host.Sent();
  host.Pass(5 * kUsPerSecond);
  EXPECT_EQ(host.Latest("link_state").number, static_cast<int>(LinkState::kSilent));
  EXPECT_EQ(host.Latest("link_state", "line").number, static_cast<int>(LinkState::kSilent));
  for (const char* key : {"air_temp", "alarm_p1_43", "text_13", "alarms_active", "control_mode", "alarms_p1"}) {
    EXPECT_EQ(host.Latest(key).quality, ValueQuality::kUnavailable) << key;
  }
  // The alarm ended meanwhile: that is told, though nobody knows when.
  host.Connect();
  host.Hear("\x01'");
  EXPECT_EQ(host.Latest("link_state").number, 1);
  EXPECT_EQ(host.Latest("alarm_p1_43").number, 0);
  EXPECT_EQ(host.Latest("alarm_p1_43").kind, ValueKind::kState);
}

TEST(MedibusSession, ARestartOfTheDeviceIsAGapToo) {
  Host host;
  host.Connect();
  host.Hear("\x01$6D33.3");
  host.Sent();
  host.Hear("\x1BQ");
  EXPECT_EQ(host.Sent(), "\x01Q52\r");
  EXPECT_EQ(host.Latest("air_temp").quality, ValueQuality::kUnavailable);
  EXPECT_EQ(host.Latest("link_state").number, static_cast<int>(LinkState::kStarting));
  host.Pass(kSettle_us);
  EXPECT_EQ(host.Sent(), "\x1BR6D\r");
}

TEST(MedibusSession, UnknownCodesStayVisible) {
  Host host;
  host.Connect();
  host.Hear("\x01$4F12.5E0 ab ");
  EXPECT_EQ(host.Latest("measured_p1_4f").number, 12.5);
  EXPECT_EQ(host.Latest("measured_p1_e0_raw").text, " ab ");
  EXPECT_EQ(host.session.unknown_objects(), 2u);
}

TEST(MedibusSession, ADeviceThatTheTableDoesNotKnowGetsNoNames) {
  Host host;
  host.Connect("5512'Apollo'02.00:06.00");
  host.Hear("\x01$6D33.3");
  EXPECT_EQ(host.Latest("measured_p1_6d", "5512-apollo").number, 33.3);
  EXPECT_EQ(host.latest.count("5512-apollo/air_temp"), 0u);
}

TEST(MedibusSession, AnotherDeviceOnTheLineIsAnotherDevice) {
  Host host;
  host.Connect();
  host.Hear("\x01$6D33.3");
  host.Connect("5701'Isolette 8000 plus'05.00:06.00");
  EXPECT_EQ(host.Latest("link_state").number, static_cast<int>(LinkState::kReplaced));
  EXPECT_EQ(host.Latest("air_temp").quality, ValueQuality::kUnavailable);
  host.Hear("\x01$6D34.0");
  EXPECT_EQ(host.Latest("air_temp", "5701-isolette-8000-plus").number, 34.0);
  // A newer software is the same device.
  host.Connect("5701'Isolette 8000 plus'05.02:06.00");
  EXPECT_EQ(host.devices.size(), 3u);  // the line, and the two
  EXPECT_EQ(host.infos["5701-isolette-8000-plus"], "Isolette 8000 plus|05.02:06.00");
}

TEST(MedibusSession, EachLinkNamesTheCodeTable) {
  Host host;
  host.Connect();
  EXPECT_EQ(host.Latest("code_table").text, host.session.code_table());
  EXPECT_EQ(host.session.code_table().substr(0, 10), "builtin-1/");
}

TEST(MedibusSession, SiteRowsLieOverTheTable) {
  static const CodeRow kRows[] = {
      {Group::kMeasured1,
       0x4F,
       Format::kDecimal,
       Family::kNone,
       "probe",
       "Cel",
       {"site_probe", Quantity::kTemperature, Unit::kCelsius, 1},
       {5700}},
  };
  static const SiteCodes kSite{"ward7", kRows};
  Options options;
  options.site = &kSite;
  Host host(options);
  host.Connect();
  host.Hear("\x01$4F36.6");
  EXPECT_EQ(host.Latest("site_probe").number, 36.6);
  EXPECT_EQ(host.session.unknown_objects(), 0u);
  EXPECT_NE(host.session.code_table().find("+ward7/"), std::string_view::npos);
}

TEST(MedibusSession, ImplausibleValuesAreFlaggedNotDropped) {
  Host host;
  host.Connect();
  host.Hear("\x01$6D55.06530.86631.6C2 2.0F3 101");
  EXPECT_EQ(host.Latest("air_temp").quality, ValueQuality::kOutOfRange);
  EXPECT_EQ(host.Latest("air_temp").number, 55);
  EXPECT_EQ(host.Latest("skin_temp_delta").quality, ValueQuality::kSuspect);
  EXPECT_EQ(host.Latest("weight_date").text, "01-01");
  EXPECT_EQ(host.Latest("weight_date").quality, ValueQuality::kSuspect);  // without a weight
}

TEST(MedibusSession, TheClockIsComparedNotBelieved) {
  Host host;
  host.Connect();
  host.Hear("\x01(02:00:0001-JAN-26");  // the host's time is 2026-01-01T00:00 and some seconds
  EXPECT_NEAR(host.Latest("device_clock_offset").number, 7200, 5);
  host.Hear("\x01(03:00:0001-JAN-26");
  EXPECT_EQ(host.Latest("device_clock_steps").number, 1);
  host.Hear("\x1BI");
  EXPECT_EQ(host.Latest("device_clock_steps").number, 2);
  host.Hear("\x01(what?");
  EXPECT_EQ(host.Latest("device_time").text, "what?");
}

TEST(MedibusSession, AListenerNeverSends) {
  Options options;
  options.passive = true;
  Host host(options);
  host.Open();
  host.Hear("\x1BQ");
  host.Hear("\x01$6D33.3");
  host.HearRaw("\x1BR00\r");
  host.Pass(60 * kUsPerSecond);
  EXPECT_EQ(host.Sent(), "");
  EXPECT_EQ(host.Latest("link_state", "unidentified").number, static_cast<int>(LinkState::kSilent));
  EXPECT_EQ(host.Latest("air_temp", "unidentified").quality, ValueQuality::kUnavailable);
}

TEST(MedibusSession, LongLimitsAndUnknownResponsesAreCounted) {
  Host host;
  host.Connect("5000'Evita V500'02.00:06.00");
  host.Hear("\x01%7D  1078 55");
  EXPECT_EQ(host.Latest("vent_low_limit_p1_7d", "5000-evita-v500").number, 10);
  EXPECT_EQ(host.session.decode_counters().layout_errors, 1u);  // five bytes are no record
  host.Hear("\x01#C43SOMETHING   ");
  EXPECT_EQ(host.session.decode_counters().unknown_responses, 1u);
  host.HearRaw("\x01$" + std::string(4000, 'A') + "\r");
  EXPECT_EQ(host.session.counters().overlong, 1u);
}

TEST(MedibusSession, FloodsOfUnknownCodesStayBounded) {
  Host host;
  host.Connect("9999'Thing'01.00:06.00");
  for (int group = 0; group < 3; ++group) {
    std::string payload = group == 0 ? "\x01$" : group == 1 ? "\x01+" : "\x01%";
    for (int code = 0; code < 256; ++code) {
      char record[8];
      std::snprintf(record, sizeof(record), "%02X 1.5", code);
      payload += record;
    }
    host.Hear(payload);
  }
  EXPECT_EQ(host.session.fields().size(), Fields().size() + kMaxRegistered);
  EXPECT_GT(host.session.unknown_objects(), 700u);
  EXPECT_TRUE(host.check.ok());
}

}  // namespace
}  // namespace vesta::medibus
