#include "formats/mqtt_payload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vesta {
namespace {

constexpr UtcUs kTime = 1786429285 * kUsPerSecond;  // 2026-08-11T06:21:25Z

std::string State(const std::vector<MqttStateValue>& values) {
  std::vector<char> buffer(4096);
  JsonWriter json(buffer.data(), buffer.size());
  WriteMqttState(json, kTime, values);
  EXPECT_TRUE(json.ok());
  return std::string(json.view());
}

TEST(MqttPayload, StateIsFlatExactAndNullForWhatIsMissing) {
  EXPECT_EQ(State({{.key = "power_import", .value = Value::OfDecimal(271, -3)},
                   {.key = "voltage_l1", .value = Value::OfDecimal(2301, -1)},
                   {.key = "gas", .kind = FieldKind::kCounter}}),
            R"({"ts":"2026-08-11T06:21:25Z","power_import":0.271,"voltage_l1":230.1,"gas":null})");
}

TEST(MqttPayload, UnknownStateIsTheOptionUnknownWithItsRawCode) {
  MqttStateValue mode{.key = "mode", .kind = FieldKind::kState, .has_states = true, .value = Value::OfState(42)};
  EXPECT_EQ(State({mode}), R"({"ts":"2026-08-11T06:21:25Z","mode":"unknown","mode_code":42})");
  mode.state_name = "bulk";
  EXPECT_EQ(State({mode}), R"({"ts":"2026-08-11T06:21:25Z","mode":"bulk","mode_code":42})");
  mode.value = Value::None();
  EXPECT_EQ(State({mode}), R"({"ts":"2026-08-11T06:21:25Z","mode":null,"mode_code":null})");
}

TEST(MqttPayload, FlagsInstantsAndTexts) {
  EXPECT_EQ(State({{.key = "fault", .kind = FieldKind::kFlag, .value = Value::OfState(1)},
                   {.key = "odd", .kind = FieldKind::kFlag, .value = Value::OfState(7)},
                   {.key = "at", .quantity = Quantity::kInstant, .value = Value::OfInteger(1786429285)},
                   {.key = "never", .quantity = Quantity::kInstant, .value = Value::OfDecimal(INT64_MAX, 3)},
                   {.key = "message",
                    .kind = FieldKind::kText,
                    .value = Value::OfText("a\x01"
                                           "b")},
                   {.key = "empty", .kind = FieldKind::kText, .value = Value::OfText("")}}),
            R"({"ts":"2026-08-11T06:21:25Z","fault":true,"odd":null,"at":"2026-08-11T06:21:25Z","never":null,)"
            R"("message":"ab","empty":null})");
}

TEST(MqttPayload, LongTextIsCutForReceiversOfStatesOnCharacterBorders) {
  std::string text;
  while (text.size() < 400) text += "\xC3\xA9";  // two bytes each; 255 is odd
  const std::string state = State({{.key = "m", .kind = FieldKind::kText, .value = Value::OfText(text)}});
  EXPECT_NE(state.find(text.substr(0, 254) + "\"}"), std::string::npos) << state;
}

TEST(MqttPayload, HistoryKeepsNumberTimeDigitsAndQualities) {
  std::vector<char> buffer(4096);
  JsonWriter json(buffer.data(), buffer.size());
  BeginMqttHistory(json, "p1_e1", kTime + 250 * kUsPerMs);
  WriteMqttHistoryReading(json, {.number = 17,
                                 .field = "energy_import_t1",
                                 .kind = FieldKind::kCounter,
                                 .quantity = Quantity::kEnergy,
                                 .unit = Unit::kKilowattHour,
                                 .time_quality = TimeQuality::kDeviceClock,
                                 .time_us = kTime,
                                 .value = Value::OfDecimal(1581120, -3)});
  WriteMqttHistoryReading(json, {.number = 18,
                                 .field = "mode",
                                 .kind = FieldKind::kState,
                                 .index = 2,
                                 .quality = ValueQuality::kSuspect,
                                 .flags = kReadingLate | kReadingRepaired,
                                 .time_us = kTime,
                                 .value = Value::OfState(42)});
  EndMqttHistory(json);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(
      json.view(),
      R"({"device":"p1_e1","received":"2026-08-11T06:21:25.250Z","readings":[)"
      R"({"number":17,"field":"energy_import_t1","time":"2026-08-11T06:21:25Z","value":1581.120,"unit":"kWh",)"
      R"("quality":"ok","time_quality":"device_clock"},)"
      R"x({"number":18,"field":"mode","time":"2026-08-11T06:21:25Z","value":"unknown(0x2A)","code":42,"index":2,)x"
      R"("quality":"suspect","time_quality":"hub_not_synchronised","late":true,"repaired":true}]})");
}

}  // namespace
}  // namespace vesta
