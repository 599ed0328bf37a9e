// Home Assistant's MQTT discovery: topics and payloads, from devices and fields.
//
// Portable, text in and text out: the caller gives the buffer (through JsonWriter) and publishes the result retained.
// Two forms: "device" (one message announces a device with all its entities) and "entity" (one message an entity, which
// other readers of the scheme, like Domoticz, know as well). Long key names only, for the same reason.
// What an entity is follows from its quantity, unit and kind through one table; nothing is decided per field.
// Source of the facts: Home Assistant's documentation of MQTT discovery, sensor and binary sensor classes (2026-08).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/json_writer.h"
#include "formats/mqtt_topic.h"
#include "model/field.h"

namespace vesta::home_assistant {

// Who announces. base is the root of the hub's own topics, prefix that of the discovery topics.
struct Hub {
  std::string_view id = {};  // [a-z0-9_-]+
  std::string_view name = {};
  std::string_view version = {};
  std::string_view base = {};
  std::string_view prefix = "homeassistant";
};

// Texts may come from the wire: control characters are dropped and each is cut at kMaxTextBytes.
struct Device {
  std::string_view key = {};  // [a-z0-9_-]+; empty: the hub itself
  std::string_view name = {};
  std::string_view manufacturer = {};
  std::string_view model = {};
  std::string_view serial = {};
  std::string_view firmware = {};
  std::string_view place = {};
};

struct Entity {
  std::string_view key = {};  // [a-z0-9_]+, the key in the state message
  std::string_view name = {};
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  int8_t decimals = 0;
  FieldKind kind = FieldKind::kGauge;
  Pace pace = Pace::kFast;
  bool diagnostic = false;
  std::span<const std::string_view> options = {};  // names of a state's codes; "unknown" is added
  uint32_t expire_after_s = 0;                     // 0 = never
  // Of what can be set: a number or a switch then.
  bool is_writable = false;
  double min = 0;
  double max = 100;
  double step = 1;
};

inline constexpr size_t kMaxTextBytes = 128;
// Longest discovery message: brokers refuse larger ones first. A device whose entities do not fit goes out per entity.
inline constexpr size_t kMaxPayloadBytes = 128 * 1024;
// The state of an entity in Home Assistant holds at most 255 characters.
inline constexpr size_t kMaxStateBytes = 255;

// What Home Assistant is told about a quantity; empty texts are left out.
struct Mapping {
  std::string_view component = {};  // "sensor", "binary_sensor", "number", "switch"
  std::string_view device_class = {};
  std::string_view unit = {};
  std::string_view state_class = {};
  bool diagnostic = false;
};
Mapping Map(const Entity& entity);

inline constexpr std::string_view kOriginName = "Vesta";
inline constexpr std::string_view kOnline = "online";
inline constexpr std::string_view kOffline = "offline";
// Sent to the topics of the old form before a device changes form, so that Home Assistant keeps the entities' settings.
inline constexpr std::string_view kMigratePayload = R"({"migrate_discovery":true})";

Topic DeviceConfigTopic(const Hub& hub, const Device& device);
Topic EntityConfigTopic(const Hub& hub, const Device& device, const Entity& entity);

// Where the hub publishes what is announced here.
Topic HubStatusTopic(std::string_view base);
Topic AvailabilityTopic(std::string_view base, std::string_view device_key);
Topic StateTopic(std::string_view base, std::string_view device_key, Pace pace);  // empty key: the hub's own
// Where what is asked of a field is published: <base>/<device>/<field>/set.
Topic CommandTopic(std::string_view base, std::string_view device_key, std::string_view field_key);

// One object each. The result is usable when json.ok().
void WriteDeviceConfig(JsonWriter& json, const Hub& hub, const Device& device, std::span<const Entity> entities);
void WriteEntityConfig(JsonWriter& json, const Hub& hub, const Device& device, const Entity& entity);

// A text as it may stand in names and states: no control characters, cut at max_bytes on a character's border.
// Returns the length; out holds at least max_bytes.
size_t CleanText(std::string_view text, size_t max_bytes, char* out);

}  // namespace vesta::home_assistant
