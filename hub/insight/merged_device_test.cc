#include "hub/insight/merged_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

constexpr Field kVoltage = {"battery_voltage", Quantity::kVoltage, Unit::kVolt, 2, FieldKind::kGauge};
constexpr Field kVolts = {"shunt_voltage", Quantity::kVoltage, Unit::kVolt, 2, FieldKind::kGauge};
constexpr Field kVoltageInMillivolts = {"battery_voltage", Quantity::kVoltage, Unit::kMillivolt, 0, FieldKind::kGauge};
constexpr Field kEnergy = {"energy", Quantity::kEnergy, Unit::kKilowattHour, 2, FieldKind::kCounter};

class MergedDeviceTest : public testing::Test {
 protected:
  MergedDeviceTest() {
    config_.key = "house";
    config_.name = "House battery";
    config_.members = {"radio_a", "cable_b"};
    config_.fallback_after_s = 30;
    config_.return_after_s = 60;
  }

  DeviceId Device(const char* protocol, const char* identity) {
    DeviceInfo info;
    info.identity = identity;
    info.identity_on_wire = true;
    info.kind = DeviceKind::kBatteryMonitor;
    return directory_.Resolve(protocol, "source", info, 0);
  }
  void SetUp() override {
    a_ = Device("radio", "a");
    b_ = Device("cable", "b");
    ASSERT_EQ(directory_.FindDevice(a_)->key, "radio_a");
  }
  void Hear(DeviceId device, const Field& field, const char* value) {
    Decimal decimal;
    ASSERT_TRUE(ParseDecimal(value, &decimal));
    Record record;
    record.series = directory_.ResolveSeries(device, field);
    record.value = Value::OfDecimal(decimal);
    record.time_us = record.received_us = clock_.Read().utc_us;
    record.quality = live_.Judge(record);
    live_.Accept(record);
    live_.Heard(device);
  }
  // Each member that is given says its value each second.
  void Run(int seconds, const Field& field, const char* a, const char* b, MergedDevice* merged) {
    for (int i = 0; i < seconds; ++i) {
      if (a != nullptr) Hear(a_, field, a);
      if (b != nullptr) Hear(b_, field, b);
      clock_.Advance(kUsPerSecond);
      live_.Tick();
      merged->Tick();
    }
  }
  std::string Shown(const char* field) {
    const Series* const series = directory_.FindSeriesByKey("merged_house", field);
    const LiveValue* const value = series == nullptr ? nullptr : live_.Find(series->id);
    if (value == nullptr) return "none";
    char text[kDecimalTextSize];
    return std::string(text, FormatDecimal(value->record.value.decimal(), text)) + (value->fresh ? "" : " stale");
  }

  ManualClock clock_{1'700'000'000 * kUsPerSecond};
  Directory directory_;
  LiveView live_{clock_, directory_};
  MergedConfig config_;
  DeviceId a_ = 0;
  DeviceId b_ = 0;
};

TEST_F(MergedDeviceTest, ShowsThePreferredRoadAndFallsBackWhenItIsSilent) {
  MergedDevice merged(clock_, config_, directory_, live_);
  Run(5, kVoltage, "13.10", "13.20", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "13.10");
  Run(29, kVoltage, nullptr, "13.20", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "13.10");
  Run(3, kVoltage, nullptr, "13.20", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "13.20");
  // Back, but not trusted at once.
  Run(50, kVoltage, "13.11", "13.20", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "13.20");
  Run(15, kVoltage, "13.11", "13.20", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "13.11");
  // Each road kept its own series.
  EXPECT_NE(directory_.FindSeriesByKey("radio_a", "battery_voltage"), nullptr);
  EXPECT_EQ(directory_.FindDeviceByKey("merged_house")->name, "House battery");
  EXPECT_EQ(merged.ShownSeries(directory_.FindSeriesByKey("merged_house", "battery_voltage")->id),
            directory_.FindSeriesByKey("radio_a", "battery_voltage")->id);
}

TEST_F(MergedDeviceTest, AFlappingRoadDoesNotMakeItJump) {
  MergedDevice merged(clock_, config_, directory_, live_);
  Run(5, kVoltage, "1.00", "2.00", &merged);
  Run(32, kVoltage, nullptr, "2.00", &merged);
  const uint64_t switches = merged.revision();
  for (int i = 0; i < 10; ++i) {
    Run(30, kVoltage, "1.00", "2.00", &merged);
    Run(130, kVoltage, nullptr, "2.00", &merged);  // long enough to be stale: its time alive begins anew
  }
  EXPECT_EQ(merged.revision(), switches);
  EXPECT_EQ(Shown("battery_voltage"), "2.00");
}

TEST_F(MergedDeviceTest, AllSilentIsStaleNotFrozen) {
  MergedDevice merged(clock_, config_, directory_, live_);
  Run(5, kVoltage, "1.00", "2.00", &merged);
  Run(200, kVoltage, nullptr, nullptr, &merged);
  EXPECT_THAT(Shown("battery_voltage"), testing::EndsWith("stale"));
}

TEST_F(MergedDeviceTest, ACounterChangesRoadWithoutAStep) {
  MergedDevice merged(clock_, config_, directory_, live_);
  Hear(b_, kEnergy, "7.00");
  Run(5, kEnergy, "100.00", nullptr, &merged);
  EXPECT_EQ(Shown("energy"), "100.00");
  // What the second road counts while the first is silent is kept: from 7.00 to 7.40.
  Run(20, kEnergy, nullptr, "7.20", &merged);
  Run(20, kEnergy, nullptr, "7.40", &merged);
  EXPECT_EQ(Shown("energy"), "100.40");
  // And back: the first counted on while it was not heard.
  Run(70, kEnergy, "100.45", "7.45", &merged);
  EXPECT_EQ(Shown("energy"), "100.45");

  // The roads and offsets of this run are those of the next.
  Run(40, kEnergy, nullptr, "7.50", &merged);
  EXPECT_EQ(Shown("energy"), "100.50");
  const auto state = MergedStateFromJson(MergedStateToJson({{"house", merged.state()}}));
  ASSERT_TRUE(state.has_value());
  LiveView live(clock_, directory_);
  MergedDevice next(clock_, config_, directory_, live);
  next.Restore(state->at("house"));
  Record record;
  record.series = directory_.FindSeriesByKey("cable_b", "energy")->id;
  record.value = Value::OfDecimal({760, -2});
  record.received_us = clock_.Read().utc_us;
  live.Accept(record);
  EXPECT_EQ(live.Find(directory_.FindSeriesByKey("merged_house", "energy")->id)->record.value,
            Value::OfDecimal({10060, -2}));
}

TEST_F(MergedDeviceTest, FieldsOfOtherNamesMeetWhenTheUserSaysSo) {
  config_.fields = {{"battery_voltage", {"battery_voltage", "shunt_voltage"}}};
  MergedDevice merged(clock_, config_, directory_, live_);
  Hear(b_, kVolts, "12.00");
  EXPECT_EQ(Shown("battery_voltage"), "none") << "the preferred one is given its chance";
  Run(35, kVolts, nullptr, "12.00", &merged);
  EXPECT_EQ(Shown("battery_voltage"), "12.00");
  Run(65, kVolts, nullptr, "12.00", &merged);
  Hear(a_, kVoltage, "12.50");
  EXPECT_EQ(Shown("battery_voltage"), "12.00");
}

TEST_F(MergedDeviceTest, AnotherUnitIsNotMerged) {
  MergedDevice merged(clock_, config_, directory_, live_);
  Hear(a_, kVoltage, "12.50");
  Hear(b_, kVoltageInMillivolts, "12000");
  EXPECT_EQ(Shown("battery_voltage"), "12.50");
  Run(100, kVoltage, nullptr, nullptr, &merged);
  Hear(b_, kVoltageInMillivolts, "12000");
  EXPECT_EQ(Shown("battery_voltage"), "12.50");
}

TEST(MergedState, RefusesWhatItDidNotWrite) {
  EXPECT_FALSE(MergedStateFromJson("").has_value());
  EXPECT_FALSE(MergedStateFromJson("[]").has_value());
  EXPECT_FALSE(MergedStateFromJson(R"({"a":{"b":{"member":-1}}})").has_value());
  EXPECT_FALSE(MergedStateFromJson(R"({"a":{"b":{"member":0,"offsets":["x"]}}})").has_value());
  EXPECT_TRUE(MergedStateFromJson("{}").has_value());
}

}  // namespace
}  // namespace vesta::hub
