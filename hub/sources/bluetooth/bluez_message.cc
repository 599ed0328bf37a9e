#include "hub/sources/bluetooth/bluez_message.h"

#include "model/hex_digit.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kRoot = "/org/bluez/";

void SkipVariant(sdbus::Message& message) {
  sdbus::Variant ignored;
  message >> ignored;
}

// The value of a variant when it is of the kind expected; else it is skipped.
template <typename Value>
std::optional<Value> ReadVariant(sdbus::Message& message, const char* signature) {
  std::string type;
  std::string content;
  message.peekType(type, content);
  if (content != signature) {
    SkipVariant(message);
    return std::nullopt;
  }
  Value value{};
  message.enterVariant(content);
  message >> value;
  message.exitVariant();
  return value;
}

// Calls take(key) for each entry of a{sv}; take reads the variant.
template <typename Take>
void ForEachProperty(sdbus::Message& message, Take take) {
  if (!message.enterContainer("{sv}")) return;
  while (message.enterDictEntry("sv")) {
    std::string key;
    message >> key;
    take(key);
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
}

void ReadManufacturerData(sdbus::Message& message, DeviceProperties* device) {
  std::string type;
  std::string content;
  message.peekType(type, content);
  if (content != "a{qv}") return SkipVariant(message);
  device->has_manufacturer_data = true;
  message.enterVariant(content);
  if (message.enterContainer("{qv}")) {
    while (message.enterDictEntry("qv")) {
      uint16_t company = 0;
      message >> company;
      if (auto bytes = ReadVariant<std::vector<uint8_t>>(message, "ay")) {
        device->manufacturer_data[company] = std::move(*bytes);
      }
      message.exitDictEntry();
    }
    message.clearFlags();
    message.exitContainer();
  }
  message.clearFlags();
  message.exitVariant();
}

}  // namespace

AdapterProperties ReadAdapterProperties(sdbus::Message& message) {
  AdapterProperties adapter;
  ForEachProperty(message, [&](const std::string& key) {
    if (key == "Address") {
      adapter.address = ReadVariant<std::string>(message, "s");
    } else if (key == "Powered") {
      adapter.powered = ReadVariant<bool>(message, "b");
    } else if (key == "Discovering") {
      adapter.discovering = ReadVariant<bool>(message, "b");
    } else {
      SkipVariant(message);
    }
  });
  return adapter;
}

DeviceProperties ReadDeviceProperties(sdbus::Message& message) {
  DeviceProperties device;
  ForEachProperty(message, [&](const std::string& key) {
    if (key == "RSSI") {
      device.rssi_dbm = ReadVariant<int16_t>(message, "n");
    } else if (key == "ManufacturerData") {
      ReadManufacturerData(message, &device);
    } else if (key == "Name") {
      device.name = ReadVariant<std::string>(message, "s");
    } else if (key == "AddressType") {
      device.address_type = ReadVariant<std::string>(message, "s");
    } else {
      SkipVariant(message);
    }
  });
  return device;
}

ObjectProperties ReadObject(sdbus::Message& message) {
  ObjectProperties object;
  sdbus::ObjectPath path;
  message >> path;
  object.path = path;
  if (!message.enterContainer("{sa{sv}}")) return object;
  while (message.enterDictEntry("sa{sv}")) {
    std::string interface;
    message >> interface;
    if (interface == kAdapterInterface) {
      object.adapter = ReadAdapterProperties(message);
    } else if (interface == kDeviceInterface) {
      object.device = ReadDeviceProperties(message);
    } else {
      const bool is_manager = interface == kMonitorManagerInterface;
      if (is_manager) object.monitor_types.emplace();
      ForEachProperty(message, [&](const std::string& key) {
        if (!is_manager || key != "SupportedMonitorTypes") return SkipVariant(message);
        object.monitor_types = ReadVariant<std::vector<std::string>>(message, "as");
      });
    }
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return object;
}

std::vector<ObjectProperties> ReadObjects(sdbus::Message& message) {
  std::vector<ObjectProperties> objects;
  if (!message.enterContainer("{oa{sa{sv}}}")) return objects;
  while (message.enterDictEntry("oa{sa{sv}}")) {
    objects.push_back(ReadObject(message));
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return objects;
}

std::string_view AdapterOfPath(std::string_view path) {
  if (!path.starts_with(kRoot)) return {};
  path.remove_prefix(kRoot.size());
  return path.substr(0, path.find('/'));
}

std::optional<uint64_t> AddressOfPath(std::string_view path) {
  constexpr std::string_view kMark = "/dev_";
  constexpr size_t kTextSize = 17;  // AA_BB_CC_DD_EE_FF
  const size_t mark = path.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view text = path.substr(mark + kMark.size(), kTextSize);
  if (text.size() != kTextSize) return std::nullopt;
  uint64_t address = 0;
  for (size_t i = 0; i < kTextSize; ++i) {
    if (i % 3 == 2) {
      if (text[i] != '_') return std::nullopt;
      continue;
    }
    const int digit = HexDigitValue(text[i]);
    if (digit < 0) return std::nullopt;
    address = address << 4 | static_cast<uint64_t>(digit);
  }
  return address;
}

}  // namespace vesta::hub
