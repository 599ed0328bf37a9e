// The two payloads of Vesta's own MQTT topics: the newest values of a device, and readings with their history.
//
// State: one flat object per device and pace, {"ts":"2026-08-11T06:21:25Z","power_import":0.271,...}. Every value that
// the device has is always there; null means that there is none now (missing, stale, not believed). A state carries its
// name, or "unknown", and beside it "<key>_code" with the raw code. An instant is an ISO 8601 text. An empty text is
// null and a long one is cut: receivers keep at most 255 characters of it.
// History: readings of one device as they came together, exact, each with its own time, quality and journal number;
// nothing is left out, cut or judged. Portable; the caller gives the buffer.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "formats/json_writer.h"
#include "model/reading.h"

namespace vesta {

struct MqttStateValue {
  std::string_view key = {};
  FieldKind kind = FieldKind::kGauge;
  Quantity quantity = Quantity::kNone;
  bool has_states = false;           // the field has names for its codes
  std::string_view state_name = {};  // of this code, "" when unknown
  Value value = {};                  // none: null
};

// ts: when the newest of the values was measured.
void WriteMqttState(JsonWriter& json, UtcUs ts, std::span<const MqttStateValue> values);

struct MqttHistoryReading {
  uint64_t number = 0;  // journal number: grows, never comes twice with another reading
  std::string_view field = {};
  FieldKind kind = FieldKind::kGauge;
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  std::string_view state_name = {};
  uint16_t index = 0;
  ValueQuality quality = ValueQuality::kOk;
  TimeQuality time_quality = TimeQuality::kHubNotSynchronised;
  uint8_t flags = 0;  // ReadingFlags
  UtcUs time_us = 0;
  Value value = {};
};

// {"device":...,"received":...,"readings":[ then the readings, then the end.
void BeginMqttHistory(JsonWriter& json, std::string_view device_key, UtcUs received_us);
void WriteMqttHistoryReading(JsonWriter& json, const MqttHistoryReading& reading);
void EndMqttHistory(JsonWriter& json);

// "ok", "unavailable", "out_of_range", "suspect", "derived".
std::string_view ValueQualityWord(ValueQuality quality);
// "device_clock", "hub_synchronised", "hub_not_synchronised", "back_dated".
std::string_view TimeQualityWord(TimeQuality quality);

}  // namespace vesta
