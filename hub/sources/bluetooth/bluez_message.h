// What BlueZ says of adapters and devices, out of D-Bus messages and into plain structs.
//
// Only the properties that scanning needs are read; the rest is skipped. Facts: BlueZ doc/adapter-api.txt and
// doc/device-api.txt. Texts come from devices nearby: hostile until escaped. sdbus-c++ throws on a message that is not
// what it should be; who calls these catches sdbus::Error.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::hub {

inline constexpr char kBluezName[] = "org.bluez";
inline constexpr char kAdapterInterface[] = "org.bluez.Adapter1";
inline constexpr char kDeviceInterface[] = "org.bluez.Device1";
inline constexpr char kMonitorManagerInterface[] = "org.bluez.AdvertisementMonitorManager1";
inline constexpr char kMonitorInterface[] = "org.bluez.AdvertisementMonitor1";

struct AdapterProperties {
  std::optional<std::string> address;
  std::optional<bool> powered;
  std::optional<bool> discovering;
};

struct DeviceProperties {
  std::optional<std::string> address_type;  // "public", "random"
  std::optional<std::string> name;
  std::optional<int16_t> rssi_dbm;
  std::map<uint16_t, std::vector<uint8_t>> manufacturer_data;  // by company, without the company's bytes
  bool has_manufacturer_data = false;
};

// One object's interfaces, as ObjectManager tells them.
struct ObjectProperties {
  std::string path;
  std::optional<AdapterProperties> adapter;
  std::optional<DeviceProperties> device;
  std::optional<std::vector<std::string>> monitor_types;  // set: passive monitors can be registered here
};

// a{sv} of one interface.
AdapterProperties ReadAdapterProperties(sdbus::Message& message);
DeviceProperties ReadDeviceProperties(sdbus::Message& message);
// oa{sa{sv}}
ObjectProperties ReadObject(sdbus::Message& message);
// a{oa{sa{sv}}}
std::vector<ObjectProperties> ReadObjects(sdbus::Message& message);

// "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF" -> "hci0"; "" when it is no such path.
std::string_view AdapterOfPath(std::string_view path);
// The device's 48-bit address out of such a path; nullopt when it names no device.
std::optional<uint64_t> AddressOfPath(std::string_view path);

}  // namespace vesta::hub
