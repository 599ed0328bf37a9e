#include "formats/home_assistant.h"

#include <cstring>

namespace vesta::home_assistant {
namespace {

// Names that a template engine would take for methods of the object instead of keys in it.
constexpr std::string_view kMethodNames[] = {"clear", "copy",    "fromkeys",   "get",    "items", "keys",
                                             "pop",   "popitem", "setdefault", "update", "values"};

// Ids are made of parts that are clean already (hub id, device key, field key).
class Id {
 public:
  Id(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) {
      if (part.empty()) continue;
      if (size_ > 0) Put("_");
      Put(part);
    }
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  void Put(std::string_view text) {
    const size_t length = text.size() < sizeof text_ - size_ ? text.size() : sizeof text_ - size_;
    std::memcpy(text_ + size_, text.data(), length);
    size_ += length;
  }
  char text_[256];
  size_t size_ = 0;
};

bool IsHub(const Device& device) { return device.key.empty(); }

Id DeviceId(const Hub& hub, const Device& device) { return Id({hub.id, device.key}); }
Id UniqueId(const Hub& hub, const Device& device, const Entity& entity) { return Id({hub.id, device.key, entity.key}); }

void WriteText(JsonWriter& json, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  char clean[kMaxTextBytes];
  const size_t length = CleanText(text, sizeof clean, clean);
  if (length > 0) json.Key(key).Text({clean, length});
}

void WriteDevice(JsonWriter& json, const Hub& hub, const Device& device) {
  json.Key("device").BeginObject();
  json.Key("identifiers").BeginArray().Text(DeviceId(hub, device).view()).EndArray();
  WriteText(json, "name", device.name);
  WriteText(json, "manufacturer", device.manufacturer);
  WriteText(json, "model", device.model);
  WriteText(json, "serial_number", device.serial);
  WriteText(json, "sw_version", device.firmware);
  WriteText(json, "suggested_area", device.place);
  if (!IsHub(device)) json.Key("via_device").Text(hub.id);
  json.EndObject();
}

void WriteOrigin(JsonWriter& json, const Hub& hub) {
  json.Key("origin").BeginObject().Key("name").Text(kOriginName);
  WriteText(json, "sw_version", hub.version);
  json.EndObject();
}

void WriteAvailability(JsonWriter& json, const Hub& hub, const Device& device) {
  json.Key("availability").BeginArray();
  json.BeginObject().Key("topic").Text(HubStatusTopic(hub.base).view()).EndObject();
  if (!IsHub(device)) {
    json.BeginObject().Key("topic").Text(AvailabilityTopic(hub.base, device.key).view()).EndObject();
  }
  json.EndArray();
  json.Key("availability_mode").Text("all");
}

// value_json.key, or value_json['key'] where the dot form would mean something else.
class Reference {
 public:
  explicit Reference(std::string_view key, std::string_view suffix = "") {
    bool dot = !key.empty() && !(key.front() >= '0' && key.front() <= '9');
    for (const std::string_view name : kMethodNames) dot = dot && (key != name || !suffix.empty());
    Put("value_json");
    Put(dot ? "." : "['");
    Put(key);
    Put(suffix);
    if (!dot) Put("']");
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  void Put(std::string_view text) {
    if (text.size() > sizeof text_ - size_) return;
    std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  char text_[160];
  size_t size_ = 0;
};

void WriteTemplate(JsonWriter& json, std::string_view key, std::string_view before, std::string_view reference,
                   std::string_view after) {
  char text[256];
  size_t size = 0;
  for (const std::string_view part : {before, reference, after}) {
    if (part.size() > sizeof text - size) return;
    std::memcpy(text + size, part.data(), part.size());
    size += part.size();
  }
  json.Key(key).Text({text, size});
}

void WriteOptions(JsonWriter& json, const Entity& entity) {
  json.Key("options").BeginArray();
  bool has_unknown = false;
  for (size_t i = 0; i < entity.options.size(); ++i) {
    // Two codes may share a name; the list must not.
    bool seen = entity.options[i].empty();
    for (size_t j = 0; j < i; ++j) seen = seen || entity.options[j] == entity.options[i];
    if (seen) continue;
    has_unknown = has_unknown || entity.options[i] == "unknown";
    json.Text(entity.options[i]);
  }
  if (!has_unknown) json.Text("unknown");
  json.EndArray();
}

// The keys of an entity that are the same in both forms.
void WriteEntity(JsonWriter& json, const Hub& hub, const Device& device, const Entity& entity, const Mapping& mapping) {
  json.Key("unique_id").Text(UniqueId(hub, device, entity).view());
  WriteText(json, "name", entity.name);
  if (!mapping.device_class.empty()) json.Key("device_class").Text(mapping.device_class);
  if (!mapping.unit.empty()) json.Key("unit_of_measurement").Text(mapping.unit);
  if (!mapping.state_class.empty()) {
    json.Key("state_class").Text(mapping.state_class);
    json.Key("suggested_display_precision").Integer(entity.decimals < 0 ? 0 : entity.decimals);
  }
  const Topic state_topic = StateTopic(hub.base, device.key, entity.pace);
  json.Key("state_topic").Text(state_topic.view());
  WriteTemplate(json, "value_template", "{{ ", Reference(entity.key).view(), " }}");
  if (entity.kind == FieldKind::kFlag) {
    json.Key("payload_on").Text("True").Key("payload_off").Text("False");  // how the template renders true and false
  }
  if (entity.kind == FieldKind::kState && !entity.options.empty()) {
    WriteOptions(json, entity);
    json.Key("json_attributes_topic").Text(state_topic.view());
    WriteTemplate(json, "json_attributes_template", "{{ {'code': ", Reference(entity.key, "_code").view(),
                  "} | tojson }}");
  }
  if (mapping.diagnostic) json.Key("entity_category").Text("diagnostic");
  if (entity.is_writable) {
    json.Key("command_topic").Text(CommandTopic(hub.base, device.key, entity.key).view());
    if (entity.kind == FieldKind::kFlag) {
      json.Key("state_on").Text("True").Key("state_off").Text("False");
    } else {
      json.Key("min").Number(entity.min).Key("max").Number(entity.max).Key("step").Number(entity.step);
      json.Key("mode").Text("box");
    }
    return;  // what can be set knows no expiry
  }
  if (entity.expire_after_s > 0) json.Key("expire_after").Integer(entity.expire_after_s);
}

}  // namespace

Topic DeviceConfigTopic(const Hub& hub, const Device& device) {
  return Topic({hub.prefix, "device", DeviceId(hub, device).view(), "config"});
}

Topic EntityConfigTopic(const Hub& hub, const Device& device, const Entity& entity) {
  return Topic({hub.prefix, Map(entity).component, UniqueId(hub, device, entity).view(), "config"});
}

Topic HubStatusTopic(std::string_view base) { return Topic({base, "status"}); }

Topic AvailabilityTopic(std::string_view base, std::string_view device_key) {
  return Topic({base, device_key, "availability"});
}

Topic StateTopic(std::string_view base, std::string_view device_key, Pace pace) {
  // No device key is "hub": they all hold protocol and identity with '_' between.
  return Topic({base, device_key.empty() ? "hub" : device_key, pace == Pace::kSlow ? "state_slow" : "state"});
}

Topic CommandTopic(std::string_view base, std::string_view device_key, std::string_view field_key) {
  return Topic({base, device_key, field_key, "set"});
}

void WriteDeviceConfig(JsonWriter& json, const Hub& hub, const Device& device, std::span<const Entity> entities) {
  json.BeginObject();
  WriteDevice(json, hub, device);
  WriteOrigin(json, hub);
  WriteAvailability(json, hub, device);
  json.Key("qos").Integer(1);
  json.Key("components").BeginObject();
  for (const Entity& entity : entities) {
    const Mapping mapping = Map(entity);
    json.Key(entity.key).BeginObject().Key("platform").Text(mapping.component);
    WriteEntity(json, hub, device, entity, mapping);
    json.EndObject();
  }
  json.EndObject().EndObject();
}

void WriteEntityConfig(JsonWriter& json, const Hub& hub, const Device& device, const Entity& entity) {
  json.BeginObject();
  WriteDevice(json, hub, device);
  WriteOrigin(json, hub);
  WriteAvailability(json, hub, device);
  json.Key("qos").Integer(1);
  WriteEntity(json, hub, device, entity, Map(entity));
  json.EndObject();
}

size_t CleanText(std::string_view text, size_t max_bytes, char* out) {
  size_t size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == 0x7F) continue;
    if (size == max_bytes) {
      // Something is cut: take a begun character away whole.
      while (size > 0 && (static_cast<uint8_t>(text[i]) & 0xC0) == 0x80 &&
             (static_cast<uint8_t>(out[size - 1]) & 0xC0) == 0x80) {
        --size;
      }
      if ((c & 0xC0) == 0x80 && size > 0 && (static_cast<uint8_t>(out[size - 1]) & 0xC0) == 0xC0) --size;
      break;
    }
    out[size++] = static_cast<char>(c);
  }
  return size;
}

}  // namespace vesta::home_assistant
