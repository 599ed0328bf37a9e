#include "protocols/p1/session.h"

#include <gtest/gtest.h>

#include "protocols/p1/telegram_for_test.h"

namespace vesta::p1 {
namespace {

constexpr std::string_view kGasId = "0-1:96.1.0(4730303031)";
constexpr std::string_view kGasType = "0-1:24.1.0(003)";

std::vector<std::string> WithGas(const std::string& clock, const std::string& stamp, const std::string& value) {
  return With(At(kBasicLines, clock),
              {std::string(kGasType), std::string(kGasId), "0-1:24.2.1(" + stamp + ")(" + value + ")"});
}

TEST(Session, AnnouncesTheMeterAndReadsIt) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(kBasicLines));
  ASSERT_EQ(b.recorder.devices.size(), 1u);
  const SeenDevice& meter = b.recorder.devices[0];
  EXPECT_EQ(meter.slot, 0);
  EXPECT_EQ(meter.identity, "E0052");
  EXPECT_TRUE(meter.on_wire);
  EXPECT_EQ(meter.kind, DeviceKind::kElectricityMeter);
  EXPECT_EQ(meter.manufacturer, "TST");
  EXPECT_EQ(meter.model, "TEST");
  EXPECT_EQ(meter.firmware, "50");
  const SeenReading* energy = frame.Find("energy_import_t1");
  ASSERT_NE(energy, nullptr);
  EXPECT_EQ(energy->text, "4321.123");
  EXPECT_EQ(energy->time_us, kJune_us);
  EXPECT_EQ(energy->time_quality, TimeQuality::kDeviceClock);
  EXPECT_EQ(frame.Find("power_import")->text, "0.512");
  EXPECT_EQ(frame.Find("tariff_number")->text, "2");
  EXPECT_EQ(frame.Find("tariff"), nullptr);  // no rule: nobody knows which is low
  EXPECT_EQ(frame.Find("equipment_id")->text, "E0052");
}

TEST(Session, TariffsHaveTheirCountrysMeaning) {
  for (const auto& [rule, code] : {std::pair(TariffRule::kNl, kTariffNormal), std::pair(TariffRule::kBe, kTariffLow)}) {
    Options options;
    options.tariff_rule = rule;
    Bench b(options);
    EXPECT_EQ(b.Send(MakeTelegram(kBasicLines)).Find("tariff")->value.state(), code);
  }
}

TEST(Session, AStampFarFromASynchronisedHubClockIsNotBelieved) {
  Bench b;
  b.now.utc_us = kJune_us + 3600 * kUsPerSecond;
  const SeenReading late = *b.Send(MakeTelegram(kBasicLines)).Find("power_import");
  EXPECT_EQ(late.time_us, kJune_us + 3600 * kUsPerSecond);
  EXPECT_EQ(late.time_quality, TimeQuality::kHubSynchronised);
  Bench unsynchronised;
  unsynchronised.now = Now();
  const SeenReading own = *unsynchronised.Send(MakeTelegram(kBasicLines)).Find("power_import");
  EXPECT_EQ(own.time_us, kJune_us);
  EXPECT_EQ(own.time_quality, TimeQuality::kDeviceClock);
}

TEST(Session, ARelaysResendGivesNoReadings) {
  Bench b;
  EXPECT_FALSE(b.Send(MakeTelegram(kBasicLines)).readings.empty());
  EXPECT_TRUE(b.Send(MakeTelegram(kBasicLines)).readings.empty());
  EXPECT_EQ(b.recorder.last().verdict, FrameVerdict::kAccepted);
  EXPECT_EQ(b.session.counters().duplicates, 1u);
  EXPECT_FALSE(b.Send(MakeTelegram(At(kBasicLines, "240615123457S"))).readings.empty());
}

TEST(Session, WithoutAClockEqualTelegramsAreNewReadings) {
  Bench b;
  const std::string telegram = MakeTelegram({"1-0:1.8.1(00001.000*kWh)"}, kTestHeader, false);
  EXPECT_EQ(b.Send(telegram).Count("energy_import_t1"), 1u);
  EXPECT_EQ(b.Send(telegram).Count("energy_import_t1"), 1u);
  EXPECT_EQ(b.session.counters().duplicates, 0u);
}

TEST(Session, TextsComeOnceAndAgainAfterALinkReset) {
  Bench b;
  EXPECT_EQ(b.Send(MakeTelegram(kBasicLines)).Count("dsmr_version"), 1u);
  EXPECT_EQ(b.Send(MakeTelegram(At(kBasicLines, "240615123457S"))).Count("dsmr_version"), 0u);
  b.Reset();
  EXPECT_EQ(b.Send(MakeTelegram(At(kBasicLines, "240615123458S"))).Count("dsmr_version"), 1u);
  const std::vector<std::string> message = With(kBasicLines, {"0-0:96.13.0(48656C6C6F)"});
  EXPECT_EQ(b.Send(MakeTelegram(At(message, "240615123459S"))).Find("message")->text, "Hello");
  EXPECT_EQ(b.Send(MakeTelegram(At(message, "240615123500S"))).Count("message"), 0u);
}

TEST(Session, HostileTextsStayPrintable) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(With(kBasicLines, {"0-0:96.13.0(\x1b[31m\x7f)"})));
  EXPECT_EQ(frame.Find("message")->text, "?[31m?");
}

TEST(SubMeter, AReadingIsNewOnlyWhenItsStampChanges) {
  Bench b;
  b.Send(MakeTelegram(WithGas("240615123456S", "240615123000S", "01234.567*m3")));
  ASSERT_EQ(b.recorder.devices.size(), 2u);
  const SeenDevice gas = b.recorder.devices[1];
  EXPECT_EQ(gas.identity, "G0001");
  EXPECT_EQ(gas.kind, DeviceKind::kGasMeter);
  EXPECT_EQ(gas.parent, 0);
  EXPECT_TRUE(gas.on_wire);
  const SeenReading* volume = b.recorder.last().Find("gas_volume", gas.slot);
  ASSERT_NE(volume, nullptr);
  EXPECT_EQ(volume->text, "1234.567");
  EXPECT_EQ(volume->time_quality, TimeQuality::kDeviceClock);
  EXPECT_EQ(volume->time_us, kJune_us - 296 * kUsPerSecond);
  EXPECT_EQ(b.Send(MakeTelegram(WithGas("240615123457S", "240615123000S", "01234.567*m3"))).Count("gas_volume"), 0u);
  // The same value, captured later, is a reading.
  EXPECT_EQ(b.Send(MakeTelegram(WithGas("240615123600S", "240615123500S", "01234.567*m3"))).Count("gas_volume"), 1u);
}

TEST(SubMeter, WithoutAStampItIsNewWhenTheValueChanges) {
  Bench b;
  const auto telegram = [](const std::string& clock, const std::string& value) {
    return MakeTelegram(With(At(kBasicLines, clock), {std::string(kGasType), "0-1:24.2.1(" + value + "*m3)"}));
  };
  EXPECT_EQ(b.Send(telegram("240615123456S", "1.0")).Count("gas_volume"), 1u);
  EXPECT_EQ(b.recorder.devices[1].identity, "E0052-mbus1");
  EXPECT_FALSE(b.recorder.devices[1].on_wire);
  EXPECT_EQ(b.Send(telegram("240615123457S", "1.00")).Count("gas_volume"), 0u);
  EXPECT_EQ(b.Send(telegram("240615123458S", "1.1")).Count("gas_volume"), 1u);
}

TEST(SubMeter, ANewIdentifierIsANewDevice) {
  Bench b;
  std::vector<std::string> lines = WithGas("240615123456S", "240615123000S", "01234.567*m3");
  b.Send(MakeTelegram(lines));
  lines = At(lines, "240615123457S");
  std::replace(lines.begin(), lines.end(), std::string(kGasId), std::string("0-1:96.1.0(4730303032)"));
  const SeenFrame& frame = b.Send(MakeTelegram(lines));
  ASSERT_EQ(b.recorder.devices.size(), 3u);
  EXPECT_EQ(b.recorder.devices[2].identity, "G0002");
  EXPECT_EQ(b.recorder.devices[2].slot, 2);
  EXPECT_NE(frame.Find("gas_volume", 2), nullptr);
}

TEST(SubMeter, PlaceholdersAreNotStored) {
  Bench b;
  for (const char* reading : {"(632525252525S)(00000.000)", "(700101010000W)(00000000)",
                              "(000101000000W)(00000000.0000)", "(0)", "(*m3)", "()", "(240615123000S)()"}) {
    const SeenFrame& frame =
        b.Send(MakeTelegram(With(kBasicLines, {std::string(kGasType), "0-1:24.2.1" + std::string(reading)})));
    EXPECT_EQ(frame.verdict, FrameVerdict::kAccepted);
    EXPECT_EQ(frame.Count("gas_volume"), 0u) << reading;
  }
  EXPECT_EQ(b.recorder.devices.size(), 1u);
}

TEST(SubMeter, AValueThatGoesAwayIsUnavailableOnce) {
  Bench b;
  b.Send(MakeTelegram(WithGas("240615123456S", "240615123000S", "01234.567*m3")));
  const SeenReading gone =
      *b.Send(MakeTelegram(WithGas("240615123457S", "632525252525S", "00000.000"))).Find("gas_volume");
  EXPECT_EQ(gone.quality, ValueQuality::kUnavailable);
  EXPECT_TRUE(gone.value.is_none());
  EXPECT_EQ(b.Send(MakeTelegram(WithGas("240615123458S", "632525252525S", "00000.000"))).Count("gas_volume"), 0u);
  EXPECT_EQ(b.Send(MakeTelegram(WithGas("240615123459S", "240615123000S", "01234.567*m3"))).Count("gas_volume"), 1u);
}

TEST(SubMeter, TheUnitDecidesThenTheType) {
  struct Case {
    const char* type;
    const char* value;
    const char* key;
    const char* text;
  };
  for (const Case& c :
       {Case{"007", "00872.234*m3", "water_volume", "872.234"}, Case{"004", "12.340*GJ", "heat_energy", "12.340"},
        Case{"004", "12340*MJ", "heat_energy", "12.340"}, Case{"010", "1.5*GJ", "cooling_energy", "1.5"},
        Case{"002", "00987.654*kWh", "submeter_energy", "987.654"}, Case{"012", "4.421*m3", "submeter_volume", "4.421"},
        Case{"003", "4.421*GJ", "heat_energy", "4.421"}, Case{"003", "4421*dm3", "gas_volume", "4.421"},
        Case{"003", "4.421", "gas_volume", "4.421"}, Case{"099", "1.0*m3", "submeter_volume", "1.0"}}) {
    Bench b;
    const SeenFrame& frame =
        b.Send(MakeTelegram(With(kBasicLines, {"0-2:24.1.0(" + std::string(c.type) + ")",
                                               "0-2:24.2.1(240615123000S)(" + std::string(c.value) + ")"})));
    ASSERT_NE(frame.Find(c.key), nullptr) << c.value;
    EXPECT_EQ(frame.Find(c.key)->text, c.text);
  }
}

TEST(SubMeter, AStampADayAheadIsReplaced) {
  Bench b;
  const SeenReading r = *b.Send(MakeTelegram(WithGas("240615123456S", "250615123000S", "1.0*m3"))).Find("gas_volume");
  EXPECT_EQ(r.time_us, kJune_us);
  EXPECT_EQ(b.session.counters().submeter_restamped, 1u);
  EXPECT_NE(b.recorder.last().Find("power_import"), nullptr);
}

TEST(SubMeter, TheSecondPassOfTheRepeatedHourIsProvedByThePreviousStamp) {
  Bench b;
  b.now = Now();
  const auto telegram = [](const std::string& stamp, const std::string& value) {
    return MakeTelegram({"0-1:24.1.0(3)", "0-1:24.3.0(" + stamp + ")(00)(60)(1)(0-1:24.2.1)(m3)", "(" + value + ")"},
                        kTestHeader, false);
  };
  const UtcUs first_us = *&b.Send(telegram("151025020000", "1.0")).Find("gas_volume")->time_us;
  EXPECT_EQ(b.Send(telegram("151025020000", "1.0")).Count("gas_volume"), 0u);
  const SeenReading second = *b.Send(telegram("151025020000", "1.1")).Find("gas_volume");
  EXPECT_EQ(second.time_us, first_us + 3600 * kUsPerSecond);
  EXPECT_EQ(b.Send(telegram("151025020000", "1.1")).Count("gas_volume"), 0u);
}

TEST(Meter, AnotherIdentifierIsAnotherMeter) {
  Bench b;
  b.Send(MakeTelegram(kBasicLines));
  std::vector<std::string> lines = kBasicLines;
  std::replace(lines.begin(), lines.end(), std::string("0-0:96.1.1(4530303532)"),
               std::string("0-0:96.1.1(4530303533)"));
  const SeenFrame& frame = b.Send(MakeTelegram(lines));
  ASSERT_EQ(b.recorder.devices.size(), 2u);
  EXPECT_EQ(b.recorder.devices[1].identity, "E0053");
  EXPECT_EQ(frame.Find("power_import")->device, 1);
  EXPECT_EQ(frame.Count("dsmr_version"), 1u);
}

TEST(Meter, WithoutAnIdentifierTheHeaderNamesIt) {
  Bench b;
  b.Send(MakeTelegram({"1-0:1.7.0(0000.128*kW)"}, "/LGF5E360\x01", false));
  EXPECT_EQ(b.recorder.devices[0].identity, "LGF5E360_");
  EXPECT_FALSE(b.recorder.devices[0].on_wire);
}

TEST(Meter, UnsetIdentifiersAreNone) {
  for (const char* id : {"0-0:96.1.1()", "0-0:96.1.1(00000000)", "0-0:96.1.1(----)"}) {
    Bench b;
    b.Send(MakeTelegram({id, "1-0:1.7.0(0000.128*kW)"}));
    EXPECT_EQ(b.recorder.devices[0].identity, "TST5\\2TEST") << id;
  }
}

TEST(Meter, TooManyMetersAreCountedNotMixed) {
  Bench b;
  for (size_t i = 0; i < kMaxDevices + 3; ++i) {
    char id[32];
    std::snprintf(id, sizeof(id), "0-0:96.1.1(45%02zX)", 0x30 + i);
    b.Send(MakeTelegram({id, "1-0:1.7.0(0000.128*kW)"}));
  }
  EXPECT_EQ(b.recorder.devices.size(), kMaxDevices);
  EXPECT_EQ(b.session.counters().devices_dropped, 3u);
  EXPECT_TRUE(b.recorder.last().readings.empty());
}

TEST(Lists, FailureEntriesComeOnce) {
  Bench b;
  const std::string one = "1-0:99.97.0(1)(0-0:96.7.19)(230102030405W)(0000000321*s)";
  const std::string two = "1-0:99.97.0(2)(0-0:96.7.19)(230102030405W)(0000000321*s)(231224183000W)(4567)";
  const SeenReading first = *b.Send(MakeTelegram(With(kBasicLines, {one}))).Find("power_failure");
  EXPECT_EQ(first.text, "321");
  EXPECT_EQ(first.time_us, 1672625045 * kUsPerSecond);
  EXPECT_EQ(b.Send(MakeTelegram(With(At(kBasicLines, "240615123457S"), {one}))).Count("power_failure"), 0u);
  const SeenFrame& frame = b.Send(MakeTelegram(With(At(kBasicLines, "240615123458S"), {two})));
  ASSERT_EQ(frame.Count("power_failure"), 1u);
  EXPECT_EQ(frame.Find("power_failure")->text, "4567");
  EXPECT_EQ(frame.Find("power_failure")->index, 1);
}

TEST(Lists, JunkFailureEntriesAreMarkedOrLeftOut) {
  Bench b;
  const SeenFrame& frame =
      b.Send(MakeTelegram(With(kBasicLines, {"1-0:99.97.0(3)(0-0:96.7.19)(000104180320W)(0000237126*s)(000101000001W)("
                                             "2147583646*s)(000102000003W)(2317482647*s)"})));
  ASSERT_EQ(frame.Count("power_failure"), 2u);
  EXPECT_EQ(frame.Find("power_failure")->quality, ValueQuality::kSuspect);
  for (const char* log : {"()", "(0)()", "(1)()()()", "(0)(0-0:96.7.19)", "(5)(0-0:96.7.19)(230102030405W)"}) {
    Bench other;
    EXPECT_EQ(other.Send(MakeTelegram(With(kBasicLines, {"1-0:99.97.0" + std::string(log)}))).Count("power_failure"),
              0u);
  }
}

TEST(Lists, MonthlyPeaksBearTheEndOfTheirMonth) {
  Bench b;
  const std::string history =
      "0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(240801000000S)(35255255255255255S)(00.000*kW)(240901000000S)(240821224500S)("
      "02.915*kW)";
  const SeenFrame& frame = b.Send(MakeTelegram(With(kBasicLines, {history, "1-0:1.6.0(240605181500S)(04.321*kW)"})));
  ASSERT_EQ(frame.Count("demand_month_peak"), 1u);  // a month without a peak is no zero
  EXPECT_EQ(frame.Find("demand_month_peak")->text, "2.915");
  EXPECT_EQ(frame.Find("demand_month_peak")->time_us, 1725141600 * kUsPerSecond);
  EXPECT_EQ(frame.Find("demand_month_peak_at")->text, "1724273100");
  EXPECT_EQ(frame.Find("demand_max_month")->text, "4.321");
  const SeenFrame& again =
      b.Send(MakeTelegram(With(At(kBasicLines, "240615123457S"), {history, "1-0:1.6.0(240605181500S)(04.321*kW)"})));
  EXPECT_EQ(again.Count("demand_month_peak") + again.Count("demand_max_month"), 0u);
}

TEST(Lists, AnIndustrialHistoryIsReadByItsColumns) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(
      With(kBasicLines, {"0-0:98.1.0(1)(0-0:0.1.0)(1-0:1.6.0)(1-0:1.6.0)(1-0:2.6.0)(1-0:2.6.0)(240901000000S)(15)"
                         "(240821224500S)(00120.5*kW)(240811224500S)(00010.5*kW)"})));
  EXPECT_EQ(frame.Find("demand_month_peak")->text, "120.5");
  EXPECT_EQ(frame.Find("demand_month_peak_export")->text, "10.5");
}

TEST(Values, ThresholdsThatAreOffAreUnavailable) {
  Bench b;
  const SeenFrame& frame =
      b.Send(MakeTelegram(With(kBasicLines, {"0-0:17.0.0(99.999*kW)", "1-0:31.4.0(999*A)", "1-0:51.4.0(063*A)"})));
  EXPECT_EQ(frame.Find("limiter_threshold")->quality, ValueQuality::kUnavailable);
  EXPECT_EQ(frame.Find("fuse_threshold_l1")->quality, ValueQuality::kUnavailable);
  EXPECT_EQ(frame.Find("fuse_threshold_l2")->text, "63");
}

TEST(Values, LimitsInTheirUnits) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(With(kBasicLines, {"0-0:17.0.0(016*A)", "1-1:31.4.0(65.0*A,-65.0*A)"})));
  EXPECT_EQ(frame.Find("limiter_threshold_a")->text, "16");
  EXPECT_EQ(frame.Find("current_limit_import")->text, "65.0");
  EXPECT_EQ(frame.Find("current_limit_export")->text, "-65.0");
}

TEST(Values, PowerFactorsInThousandths) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(
      With(kBasicLines, {"1-0:13.7.0(01000)", "1-0:33.7.0(-0.910)", "1-0:53.7.0(4.556)", "1-0:73.7.0(00950)"})));
  EXPECT_EQ(frame.Find("power_factor")->text, "1.000");
  EXPECT_EQ(frame.Find("power_factor_l1")->text, "-0.910");
  EXPECT_EQ(frame.Find("power_factor_l2")->quality, ValueQuality::kOutOfRange);
  EXPECT_EQ(frame.Find("power_factor_l3")->text, "0.950");
}

TEST(Values, GluedMissingAndForeignUnits) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(With(
      kBasicLines, {"1-0:2.8.1(00010117.368kWh)", "1-0:32.7.0(0000.229*kV)", "1-0:31.7.0(791*mA)", "1-0:52.7.0(230)",
                    "1-0:72.7.0(00.230*kW)", "1-0:2.7.0(0.1*MW)", "1-0:22.7.0(5*mW)", "1-0:42.7.0( 00.100*kW )"})));
  EXPECT_EQ(frame.Find("energy_export_t1")->text, "10117.368");
  EXPECT_EQ(frame.Find("voltage_l1")->text, "229");
  EXPECT_EQ(frame.Find("current_l1")->text, "0.791");
  EXPECT_EQ(frame.Find("voltage_l2")->text, "230");
  EXPECT_EQ(frame.Find("voltage_l3"), nullptr);
  EXPECT_EQ(frame.Find("power_export")->text, "100");
  EXPECT_EQ(frame.Find("power_export_l1")->text, "0.000005");
  EXPECT_EQ(frame.Find("power_export_l2")->text, "0.100");
  EXPECT_EQ(b.session.counters().units_mismatched, 1u);
  EXPECT_EQ(b.session.counters().units_inferred, 1u);
}

TEST(Values, MoreDigitsThanAnIntegerHoldsAreNoNumber) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(
      With(kBasicLines, {"1-0:2.8.1(30323456783030353139.1*kWh)", "1-0:2.8.2(000000000000000000001.5*kWh)"})));
  EXPECT_EQ(frame.Find("energy_export_t1"), nullptr);
  EXPECT_EQ(frame.Find("energy_export_t2")->text, "1.5");
  EXPECT_EQ(b.session.counters().values_unreadable, 1u);
}

TEST(Values, TheFirstOccurrenceCounts) {
  Bench b;
  const SeenFrame& frame = b.Send(MakeTelegram(With(kBasicLines, {"1-0:1.7.0(09.999*kW)", "1-1:1.8.1(1.0*kWh)"})));
  EXPECT_EQ(frame.Count("power_import"), 1u);
  EXPECT_EQ(frame.Find("power_import")->text, "0.512");
  EXPECT_EQ(frame.Find("energy_import_t1")->text, "4321.123");
  EXPECT_NE(b.session.counters().last_anomalies & kDuplicateObject, 0u);
}

TEST(Values, AMonthEndBlockIsNotLive) {
  Bench b;
  const SeenFrame& frame =
      b.Send(MakeTelegram(With(kBasicLines, {"0-0:98.1.0", "(", "0-0:1.0.0(220201000000T)",
                                             "1-0:2.8.0(00003400.000*kWh)", ")", "1-0:2.7.0(00.001*kW)"})));
  EXPECT_EQ(frame.Find("energy_export_total"), nullptr);
  EXPECT_EQ(frame.Find("power_export")->text, "0.001");
  EXPECT_EQ(frame.Find("power_import")->time_quality, TimeQuality::kDeviceClock);
}

TEST(Values, UnknownObjectsAreCountedAndShown) {
  Bench b;
  b.Send(MakeTelegram(With(kBasicLines, {"1-0:99.1.2(12*kWh)", "0-7:24.2.1(240615123000S)(1.0*m3)"})));
  b.Send(MakeTelegram(With(At(kBasicLines, "240615123457S"), {"1-0:99.1.2(13*kWh)"})));
  ASSERT_EQ(b.session.unknown_codes().size(), 2u);
  EXPECT_STREQ(b.session.unknown_codes()[0].code, "1-0:99.1.2");
  EXPECT_STREQ(b.session.unknown_codes()[0].value, "(13*kWh)");
  EXPECT_EQ(b.session.unknown_codes()[0].count, 2u);
  EXPECT_EQ(b.session.unknown_objects(), 3u);
  struct Reported final : UnknownSink, CounterSink {
    void Unknown(std::string_view code, std::string_view, uint64_t count) override {
      objects += std::string(code) + "*" + std::to_string(count) + " ";
    }
    void Count(const char* name, uint64_t count) override { counters[name] = count; }
    std::string objects;
    std::map<std::string, uint64_t> counters;
  } reported;
  b.session.ReportUnknown(reported);
  EXPECT_EQ(reported.objects, "1-0:99.1.2*2 0-7:24.2.1*1 ");
  b.session.ReportCounters(reported);
  EXPECT_EQ(reported.counters.at("odd_telegrams"), b.session.counters().odd_telegrams);
  for (int i = 0; i < 100; ++i) b.Send(MakeTelegram({"1-0:200." + std::to_string(i) + ".0(1)"}));
  EXPECT_EQ(b.session.unknown_codes().size(), kMaxUnknownCodes);
  EXPECT_EQ(b.session.counters().unknown_codes_dropped, 70u);
}

TEST(Values, AClockWithoutALetterInTheRepeatedHourFollowsTheHubsClock) {
  for (const int64_t offset_s : {0, 3600}) {
    Bench b;
    b.now.utc_us = (1730593800 - 604800 + offset_s) * kUsPerSecond;  // 2024-10-27T00:30:00Z and an hour later
    const SeenReading r = *b.Send(MakeTelegram(At(kBasicLines, "241027023000"))).Find("power_import");
    EXPECT_EQ(r.time_us, b.now.utc_us - 100 * 0);
    EXPECT_EQ(r.time_quality, TimeQuality::kDeviceClock);
  }
}

}  // namespace
}  // namespace vesta::p1
