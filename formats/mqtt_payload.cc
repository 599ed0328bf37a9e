#include "formats/mqtt_payload.h"

#include <cstring>

#include "formats/home_assistant.h"

namespace vesta {
namespace {

// Seconds since 1970 as microseconds; false when the value is no such thing or beyond any calendar.
bool InstantUs(const Value& value, UtcUs* out) {
  if (value.kind() != ValueKind::kDecimal) return false;
  const Decimal d = value.decimal();
  constexpr int64_t kMaxUs = 253402300799ll * kUsPerSecond;  // end of the year 9999
  int64_t us = d.mantissa;
  for (int power = d.exponent + 6; power > 0; --power) {
    if (us > kMaxUs || us < -kMaxUs) return false;
    us *= 10;
  }
  for (int power = d.exponent + 6; power < 0 && us != 0; ++power) us /= 10;
  if (us > kMaxUs || us < -kMaxUs) return false;
  *out = us;
  return true;
}

void WriteStateText(JsonWriter& json, std::string_view text) {
  char clean[home_assistant::kMaxStateBytes];
  const size_t length = home_assistant::CleanText(text, sizeof clean, clean);
  if (length == 0) {
    json.Null();
  } else {
    json.Text({clean, length});
  }
}

void WriteCode(JsonWriter& json, std::string_view key, const Value& value) {
  char name[128];
  constexpr std::string_view kSuffix = "_code";
  if (key.size() + kSuffix.size() > sizeof name) return;
  std::memcpy(name, key.data(), key.size());
  std::memcpy(name + key.size(), kSuffix.data(), kSuffix.size());
  json.Key({name, key.size() + kSuffix.size()});
  if (value.kind() == ValueKind::kState) {
    json.Integer(value.state());
  } else {
    json.Null();
  }
}

}  // namespace

void WriteMqttState(JsonWriter& json, UtcUs ts, std::span<const MqttStateValue> values) {
  json.BeginObject().Key("ts").Time(ts);
  for (const MqttStateValue& v : values) {
    json.Key(v.key);
    UtcUs instant_us = 0;
    if (v.value.kind() == ValueKind::kText) {
      WriteStateText(json, v.value.text());
    } else if (v.quantity == Quantity::kInstant && v.kind != FieldKind::kState && !v.value.is_none()) {
      // A receiver that was promised a time must never get a number.
      if (InstantUs(v.value, &instant_us)) {
        json.Time(instant_us);
      } else {
        json.Null();
      }
    } else if (v.value.kind() == ValueKind::kState && v.kind == FieldKind::kFlag) {
      if (v.value.state() <= 1) {
        json.Boolean(v.value.state() == 1);
      } else {
        json.Null();
      }
    } else if (v.value.kind() == ValueKind::kState) {
      if (!v.state_name.empty()) {
        json.Text(v.state_name);
      } else if (v.has_states) {
        json.Text("unknown");
      } else {
        json.Integer(v.value.state());
      }
    } else {
      WriteJsonValue(json, v.value, v.kind, v.state_name);
    }
    if (v.kind == FieldKind::kState && v.has_states) WriteCode(json, v.key, v.value);
  }
  json.EndObject();
}

void BeginMqttHistory(JsonWriter& json, std::string_view device_key, UtcUs received_us) {
  json.BeginObject().Key("device").Text(device_key).Key("received").Time(received_us).Key("readings").BeginArray();
}

void WriteMqttHistoryReading(JsonWriter& json, const MqttHistoryReading& reading) {
  json.BeginObject();
  json.Key("number").Integer(static_cast<int64_t>(reading.number));
  json.Key("field").Text(reading.field);
  json.Key("time").Time(reading.time_us);
  json.Key("value");
  UtcUs instant_us = 0;
  if (reading.quantity == Quantity::kInstant && InstantUs(reading.value, &instant_us)) {
    json.Time(instant_us);
  } else {
    WriteJsonValue(json, reading.value, reading.kind, reading.state_name);
  }
  if (reading.value.kind() == ValueKind::kState && reading.kind != FieldKind::kFlag) {
    json.Key("code").Integer(reading.value.state());
  }
  if (const std::string_view unit = UnitText(reading.unit); !unit.empty()) json.Key("unit").Text(unit);
  if (reading.index != 0) json.Key("index").Integer(reading.index);
  json.Key("quality").Text(ValueQualityWord(reading.quality));
  json.Key("time_quality").Text(TimeQualityWord(reading.time_quality));
  if ((reading.flags & kReadingLate) != 0) json.Key("late").Boolean(true);
  if ((reading.flags & kReadingRepaired) != 0) json.Key("repaired").Boolean(true);
  json.EndObject();
}

void EndMqttHistory(JsonWriter& json) { json.EndArray().EndObject(); }

std::string_view ValueQualityWord(ValueQuality quality) {
  constexpr std::string_view kWords[] = {"ok", "unavailable", "out_of_range", "suspect", "derived"};
  return kWords[static_cast<size_t>(quality)];
}

std::string_view TimeQualityWord(TimeQuality quality) {
  constexpr std::string_view kWords[] = {"device_clock", "hub_synchronised", "hub_not_synchronised", "back_dated"};
  return kWords[static_cast<size_t>(quality)];
}

}  // namespace vesta
