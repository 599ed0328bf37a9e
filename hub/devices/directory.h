// Which devices and series the hub knows, by stable ids.
//
// A device is found again by what the wire proves (protocol + identity), or, where the wire proves nothing, by protocol
// + source + place. A series is one field of one device. Ids are small integers given once and never used for anything
// else; keys ([a-z0-9_-], made from the hardware identity) are what the outside world sees. New devices and series are
// handed to the journal, which commits them in the same transaction as their first readings.
// Used on the main thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/reading.h"

namespace vesta::hub {

using DeviceId = uint32_t;  // 0 = none
using SeriesId = uint32_t;  // 0 = none

// Most devices and series that a hub takes; what comes beyond is counted and refused. A bus with ten thousand invented
// devices must not eat the memory.
inline constexpr size_t kMaxDevices = 4096;
inline constexpr size_t kMaxSeries = 65536;
// Longest manufacturer, model, serial number or firmware text that is kept; what is longer is cut.
inline constexpr size_t kMaxDeviceTextSize = 128;
// Longest name or place that a user can give.
inline constexpr size_t kMaxDeviceNameSize = 128;

struct Device {
  DeviceId id = 0;
  std::string key;  // "p1_e0044007382246019": protocol, '_', cleaned identity
  std::string protocol;
  std::string source;  // where it was heard last
  std::string identity;
  bool identity_on_wire = false;
  DeviceKind kind = DeviceKind::kOther;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  DeviceId parent = 0;
  std::string name;   // given by the user; else empty
  std::string place;  // given by the user; else empty
  std::vector<SeriesId> series;
};

// A field as the directory keeps it: its own copy, so that history stays readable without the protocol's table.
struct SeriesField {
  std::string key;
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  int8_t decimals = 0;
  FieldKind kind = FieldKind::kGauge;
  Pace pace = Pace::kFast;
  bool diagnostic = false;
  std::vector<std::pair<uint32_t, std::string>> states;

  std::string_view StateName(uint32_t code) const;  // "" when unknown

  friend bool operator==(const SeriesField& a, const SeriesField& b);
};

struct Series {
  SeriesId id = 0;
  DeviceId device = 0;
  SeriesField field;
};

class Directory {
 public:
  // Loads what the store knew: ids from 1 on without a gap. Call before anything is resolved.
  void Restore(std::vector<Device> devices, std::vector<Series> series);

  // The device that a session heard; made when new, updated when its texts changed. 0 when the table is full.
  DeviceId Resolve(std::string_view protocol, std::string_view source, const DeviceInfo& info, DeviceId parent);
  // The series of a field; made when new. 0 when the table is full.
  SeriesId ResolveSeries(DeviceId device, const Field& field);

  // False when there is no such device or a text is longer than kMaxDeviceNameSize.
  bool SetName(DeviceId device, std::string name, std::string place);

  const Device* FindDevice(DeviceId id) const;
  const Device* FindDeviceByKey(std::string_view key) const;
  const Series* FindSeries(SeriesId id) const;
  const Series* FindSeriesByKey(std::string_view device_key, std::string_view field_key) const;

  const std::deque<Device>& devices() const { return devices_; }  // [i].id == i + 1
  const std::deque<Series>& series() const { return series_; }    // [i].id == i + 1

  // Ids of devices and series that are new or changed since the last call.
  struct Changes {
    std::vector<DeviceId> devices;
    std::vector<SeriesId> series;
  };
  Changes TakeChanges();

  uint64_t refused() const { return refused_; }
  // Grows with each new or changed device or series: who generates discovery compares it.
  uint64_t revision() const { return revision_; }

 private:
  Device* Mutable(DeviceId id);
  void Touch(Device* device);
  std::string NewKey(std::string_view protocol, std::string_view source, const DeviceInfo& info,
                     std::string_view identity_key) const;

  std::deque<Device> devices_;
  std::deque<Series> series_;
  std::unordered_map<std::string, DeviceId> by_identity_;
  std::unordered_map<std::string, DeviceId> by_key_;
  std::unordered_map<std::string, SeriesId> series_by_key_;  // "<device id>/<field key>"
  Changes changes_;
  uint64_t refused_ = 0;
  uint64_t revision_ = 1;
};

// Lower-cases, keeps [a-z0-9-], turns anything else into '_', at most 64 bytes; a text that had to lose something gets
// a short hash so that two identities never meet in one key.
std::string CleanKey(std::string_view text);

}  // namespace vesta::hub
