#include "formats/home_assistant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace vesta::home_assistant {
namespace {

using testing::HasSubstr;
using testing::Not;

const Hub kHub{.id = "hub01", .name = "Vesta", .version = "0.1.0", .base = "vesta"};
const Device kMeter{.key = "ce1122334455", .name = "SmartSolar 100/30", .manufacturer = "Victron Energy"};

// What the receiver's documentation allows for each class, written down apart from the table under test.
struct Allowed {
  std::set<std::string> units;
  std::set<std::string> state_classes;
};
const std::map<std::string, Allowed> kAllowed = {
    {"voltage", {{"V", "mV", "µV", "kV", "MV"}, {"measurement"}}},
    {"current", {{"A", "mA", "µA"}, {"measurement"}}},
    {"power", {{"mW", "W", "kW", "MW", "GW", "TW"}, {"measurement"}}},
    {"energy", {{"Wh", "kWh", "MWh", "GWh", "TWh", "mWh", "J", "kJ", "MJ", "GJ"}, {"total", "total_increasing"}}},
    {"battery", {{"%"}, {"measurement"}}},
    {"temperature", {{"°C", "°F", "K"}, {"measurement"}}},
    {"humidity", {{"%"}, {"measurement"}}},
    {"pressure", {{"Pa", "hPa", "mbar", "bar", "kPa"}, {"measurement"}}},
    {"atmospheric_pressure", {{"Pa", "hPa", "mbar", "bar", "kPa"}, {"measurement"}}},
    {"frequency", {{"Hz", "mHz", "kHz", "MHz", "GHz"}, {"measurement"}}},
    {"apparent_power", {{"VA", "mVA", "kVA"}, {"measurement"}}},
    {"reactive_power", {{"var", "mvar", "kvar"}, {"measurement"}}},
    {"reactive_energy", {{"varh", "kvarh"}, {"total", "total_increasing"}}},
    {"power_factor", {{"", "%"}, {"measurement"}}},
    {"gas", {{"m³", "L"}, {"total", "total_increasing"}}},
    {"water", {{"m³", "L"}, {"total", "total_increasing"}}},
    {"duration", {{"d", "h", "min", "s", "ms", "µs"}, {"measurement", "total"}}},
    {"signal_strength", {{"dB", "dBm"}, {"measurement"}}},
    {"irradiance", {{"W/m²", "BTU/(h⋅ft²)"}, {"measurement"}}},
    {"data_rate", {{"kB/s"}, {"measurement"}}},
    {"data_size", {{"B"}, {"measurement"}}},
    {"enum", {{""}, {""}}},
    {"timestamp", {{""}, {""}}},
};

TEST(HomeAssistantMapping, EveryQuantityInEveryUnitAndKindObeysTheReceiversRules) {
  const std::string_view options[] = {"off", "on"};
  int with_class = 0;
  for (int q = 0; q < static_cast<int>(Quantity::kCountOfQuantities); ++q) {
    for (int u = 0; u < static_cast<int>(Unit::kCountOfUnits); ++u) {
      for (int k = 0; k <= static_cast<int>(FieldKind::kText); ++k) {
        Entity entity{.quantity = static_cast<Quantity>(q),
                      .unit = static_cast<Unit>(u),
                      .kind = static_cast<FieldKind>(k),
                      .options = options};
        const Mapping m = Map(entity);
        SCOPED_TRACE(std::string(QuantityName(entity.quantity)) + " " + std::string(UnitText(entity.unit)) + " " +
                     std::string(FieldKindName(entity.kind)));
        if (entity.kind == FieldKind::kFlag) {
          EXPECT_EQ(m.component, "binary_sensor");
          EXPECT_EQ(m.unit, "");
          EXPECT_EQ(m.state_class, "");
          EXPECT_TRUE(m.device_class == "" || m.device_class == "problem" || m.device_class == "battery");
          continue;
        }
        EXPECT_EQ(m.component, "sensor");
        if (m.device_class.empty()) {
          EXPECT_TRUE(m.state_class == "" || m.state_class == "measurement" || m.state_class == "total_increasing");
          continue;
        }
        ++with_class;
        const auto allowed = kAllowed.find(std::string(m.device_class));
        ASSERT_NE(allowed, kAllowed.end()) << m.device_class;
        EXPECT_TRUE(allowed->second.units.count(std::string(m.unit))) << m.device_class << " in " << m.unit;
        EXPECT_TRUE(allowed->second.state_classes.count(std::string(m.state_class))) << m.state_class;
      }
    }
  }
  EXPECT_GT(with_class, 40);
}

TEST(HomeAssistantMapping, CountersFitTheEnergyDashboard) {
  const auto state_class = [](Quantity q, Unit u) {
    return Map({.quantity = q, .unit = u, .kind = FieldKind::kCounter}).state_class;
  };
  EXPECT_EQ(state_class(Quantity::kEnergy, Unit::kKilowattHour), "total_increasing");
  EXPECT_EQ(state_class(Quantity::kGasVolume, Unit::kCubicMetre), "total_increasing");
  EXPECT_EQ(state_class(Quantity::kWaterVolume, Unit::kLitre), "total_increasing");
}

TEST(HomeAssistantMapping, PercentOfOxygenIsNoBatteryAndAmpereHoursHaveNoClass) {
  EXPECT_EQ(Map({.quantity = Quantity::kOxygen, .unit = Unit::kPercent}).device_class, "");
  EXPECT_EQ(Map({.quantity = Quantity::kOxygen, .unit = Unit::kPercent}).unit, "%");
  EXPECT_EQ(Map({.quantity = Quantity::kCharge, .unit = Unit::kAmpereHour}).device_class, "");
  EXPECT_EQ(Map({.quantity = Quantity::kStateOfCharge, .unit = Unit::kPercent}).device_class, "battery");
}

template <typename WriteFunction>
std::string Written(WriteFunction write) {
  std::vector<char> buffer(kMaxPayloadBytes);
  JsonWriter json(buffer.data(), buffer.size());
  write(json);
  EXPECT_TRUE(json.ok());
  return std::string(json.view());
}

TEST(HomeAssistant, IdsAndTopics) {
  const Entity voltage{
      .key = "battery_voltage", .name = "Battery voltage", .quantity = Quantity::kVoltage, .unit = Unit::kVolt};
  EXPECT_EQ(DeviceConfigTopic(kHub, kMeter).view(), "homeassistant/device/hub01_ce1122334455/config");
  EXPECT_EQ(DeviceConfigTopic(kHub, Device{}).view(), "homeassistant/device/hub01/config");
  EXPECT_EQ(EntityConfigTopic(kHub, kMeter, voltage).view(),
            "homeassistant/sensor/hub01_ce1122334455_battery_voltage/config");
  EXPECT_EQ(StateTopic("vesta", "ce1122334455", Pace::kFast).view(), "vesta/ce1122334455/state");
  EXPECT_EQ(StateTopic("vesta", "ce1122334455", Pace::kSlow).view(), "vesta/ce1122334455/state_slow");
  EXPECT_EQ(AvailabilityTopic("vesta", "ce1122334455").view(), "vesta/ce1122334455/availability");
}

TEST(HomeAssistant, DeviceFormHoldsAllThatAnEntityNeeds) {
  const std::string_view states[] = {"off", "bulk", "bulk"};
  const Entity entities[] = {
      {.key = "battery_voltage",
       .name = "Battery voltage",
       .quantity = Quantity::kVoltage,
       .unit = Unit::kVolt,
       .decimals = 2,
       .expire_after_s = 120},
      {.key = "mode", .name = "Mode", .quantity = Quantity::kMode, .kind = FieldKind::kState, .options = states},
      {.key = "fault", .name = "Fault", .quantity = Quantity::kProblem, .kind = FieldKind::kFlag, .diagnostic = true},
      {.key = "items", .name = "Items", .pace = Pace::kSlow},
  };
  const std::string json = Written([&](JsonWriter& out) { WriteDeviceConfig(out, kHub, kMeter, entities); });
  EXPECT_EQ(json,
            R"({"device":{"identifiers":["hub01_ce1122334455"],"name":"SmartSolar 100/30",)"
            R"("manufacturer":"Victron Energy","via_device":"hub01"},)"
            R"("origin":{"name":"Vesta","sw_version":"0.1.0"},)"
            R"("availability":[{"topic":"vesta/status"},{"topic":"vesta/ce1122334455/availability"}],)"
            R"("availability_mode":"all","qos":1,"components":{)"
            R"("battery_voltage":{"platform":"sensor","unique_id":"hub01_ce1122334455_battery_voltage",)"
            R"("name":"Battery voltage","device_class":"voltage","unit_of_measurement":"V",)"
            R"("state_class":"measurement","suggested_display_precision":2,"state_topic":"vesta/ce1122334455/state",)"
            R"("value_template":"{{ value_json.battery_voltage }}","expire_after":120},)"
            R"("mode":{"platform":"sensor","unique_id":"hub01_ce1122334455_mode","name":"Mode",)"
            R"("device_class":"enum","state_topic":"vesta/ce1122334455/state",)"
            R"("value_template":"{{ value_json.mode }}","options":["off","bulk","unknown"],)"
            R"("json_attributes_topic":"vesta/ce1122334455/state",)"
            R"("json_attributes_template":"{{ {'code': value_json.mode_code} | tojson }}"},)"
            R"("fault":{"platform":"binary_sensor","unique_id":"hub01_ce1122334455_fault","name":"Fault",)"
            R"("device_class":"problem","state_topic":"vesta/ce1122334455/state",)"
            R"("value_template":"{{ value_json.fault }}","payload_on":"True","payload_off":"False",)"
            R"("entity_category":"diagnostic"},)"
            R"("items":{"platform":"sensor","unique_id":"hub01_ce1122334455_items","name":"Items",)"
            R"("state_class":"measurement","suggested_display_precision":0,)"
            R"("state_topic":"vesta/ce1122334455/state_slow","value_template":"{{ value_json['items'] }}"}}})");
}

TEST(HomeAssistant, EntityFormIsTheSameFlattened) {
  const Entity voltage{.key = "battery_voltage",
                       .name = "Battery voltage",
                       .quantity = Quantity::kVoltage,
                       .unit = Unit::kVolt,
                       .decimals = 2};
  const std::string json = Written([&](JsonWriter& out) { WriteEntityConfig(out, kHub, kMeter, voltage); });
  EXPECT_THAT(json, HasSubstr(R"("device":{"identifiers":["hub01_ce1122334455"])"));
  EXPECT_THAT(json, HasSubstr(R"("unique_id":"hub01_ce1122334455_battery_voltage")"));
  EXPECT_THAT(json, HasSubstr(R"("availability_mode":"all")"));
  EXPECT_THAT(json, Not(HasSubstr("components")));
  EXPECT_THAT(json, Not(HasSubstr("platform")));
}

TEST(HomeAssistant, HubIsNotItsOwnParentAndHasOneAvailability) {
  const std::string json = Written([&](JsonWriter& out) { WriteDeviceConfig(out, kHub, {.name = "Vesta"}, {}); });
  EXPECT_THAT(json, HasSubstr(R"("identifiers":["hub01"])"));
  EXPECT_THAT(json, HasSubstr(R"("availability":[{"topic":"vesta/status"}])"));
  EXPECT_THAT(json, Not(HasSubstr("via_device")));
}

TEST(HomeAssistant, HostileTextsAreCutAndCleaned) {
  const std::string name = std::string("a\n\"b\x01") + std::string(500, 'x');
  const std::string json =
      Written([&](JsonWriter& out) { WriteDeviceConfig(out, kHub, {.key = "k", .name = name}, {}); });
  EXPECT_THAT(json, HasSubstr("\"name\":\"a\\\"b" + std::string(kMaxTextBytes - 3, 'x') + "\""));
}

TEST(HomeAssistant, TooSmallABufferIsSaid) {
  char buffer[64];
  JsonWriter json(buffer, sizeof buffer);
  WriteDeviceConfig(json, kHub, kMeter, {});
  EXPECT_FALSE(json.ok());
}

}  // namespace
}  // namespace vesta::home_assistant
