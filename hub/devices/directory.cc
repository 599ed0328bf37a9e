#include "hub/devices/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace vesta::hub {
namespace {

// Longest key made of one text, hash included.
constexpr size_t kMaxKeySize = 64;
constexpr size_t kHashSize = 9;  // '_' and eight hex digits

uint64_t Hash(std::string_view text) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::string HashText(std::string_view text) {
  const uint64_t hash = Hash(text);
  return fmt::format("_{:08x}", static_cast<uint32_t>(hash ^ (hash >> 32)));
}

// What makes a device the same one tomorrow. The separator can't stand in a protocol's or a source's name, and an
// identity may hold anything since it comes last.
std::string IdentityKey(std::string_view protocol, std::string_view source, std::string_view identity, bool on_wire) {
  if (on_wire) return fmt::format("{}\n{}", protocol, identity);
  return fmt::format("{}\n\n{}\n{}", protocol, source, identity);
}

std::string SeriesKey(DeviceId device, std::string_view field) { return fmt::format("{}/{}", device, field); }

// Cuts behind a whole UTF-8 character, so that a text does not end in half of one.
std::string_view Cut(std::string_view text, size_t size_max) {
  if (text.size() <= size_max) return text;
  size_t end = size_max;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// An empty text means that this frame did not say; what is known stays.
bool Update(std::string* known, std::string_view heard) {
  heard = Cut(heard, kMaxDeviceTextSize);
  if (heard.empty() || *known == heard) return false;
  *known = heard;
  return true;
}

SeriesField FieldOf(const Field& field) {
  SeriesField copy;
  copy.key = field.key;
  copy.quantity = field.quantity;
  copy.unit = field.unit;
  copy.decimals = field.decimals;
  copy.kind = field.kind;
  copy.pace = field.pace;
  copy.diagnostic = field.diagnostic;
  copy.states.reserve(field.states.size());
  for (const StateName& state : field.states) copy.states.emplace_back(state.code, state.name);
  return copy;
}

}  // namespace

bool operator==(const SeriesField& a, const SeriesField& b) {
  return a.key == b.key && a.quantity == b.quantity && a.unit == b.unit && a.decimals == b.decimals &&
         a.kind == b.kind && a.pace == b.pace && a.diagnostic == b.diagnostic && a.states == b.states;
}

std::string_view SeriesField::StateName(uint32_t code) const {
  for (const auto& [known, name] : states) {
    if (known == code) return name;
  }
  return {};
}

std::string CleanKey(std::string_view text) {
  std::string key;
  key.reserve(std::min(text.size(), kMaxKeySize));
  bool lost = text.size() > kMaxKeySize;
  for (const char c : text.substr(0, kMaxKeySize)) {
    if (c >= 'A' && c <= 'Z') {
      key.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
      key.push_back(c);
    } else {
      key.push_back('_');
      lost = true;
    }
  }
  if (!lost) return key;
  key.resize(std::min(key.size(), kMaxKeySize - kHashSize));
  return key + HashText(text);
}

void Directory::Restore(std::vector<Device> devices, std::vector<Series> series) {
  assert(devices_.empty() && series_.empty());
  std::sort(devices.begin(), devices.end(), [](const Device& a, const Device& b) { return a.id < b.id; });
  std::sort(series.begin(), series.end(), [](const Series& a, const Series& b) { return a.id < b.id; });
  for (Device& device : devices) {
    assert(device.id == devices_.size() + 1);
    device.series.clear();
    by_identity_[IdentityKey(device.protocol, device.source, device.identity, device.identity_on_wire)] = device.id;
    by_key_[device.key] = device.id;
    devices_.push_back(std::move(device));
  }
  for (Series& one : series) {
    assert(one.id == series_.size() + 1);
    series_by_key_[SeriesKey(one.device, one.field.key)] = one.id;
    if (Device* device = Mutable(one.device)) device->series.push_back(one.id);
    series_.push_back(std::move(one));
  }
  ++revision_;
}

DeviceId Directory::Resolve(std::string_view protocol, std::string_view source, const DeviceInfo& info,
                            DeviceId parent) {
  // A longer identity is not cut: two devices would become one.
  if (info.identity.size() > kMaxIdentitySize) {
    ++refused_;
    return 0;
  }
  std::string identity_key = IdentityKey(protocol, source, info.identity, info.identity_on_wire);
  if (const auto known = by_identity_.find(identity_key); known != by_identity_.end()) {
    Device* device = Mutable(known->second);
    bool changed = Update(&device->source, source);
    changed |= Update(&device->manufacturer, info.manufacturer);
    changed |= Update(&device->model, info.model);
    changed |= Update(&device->serial, info.serial);
    changed |= Update(&device->firmware, info.firmware);
    if (info.kind != DeviceKind::kOther && info.kind != device->kind) {
      device->kind = info.kind;
      changed = true;
    }
    if (parent != 0 && parent != device->id && parent != device->parent) {
      device->parent = parent;
      changed = true;
    }
    if (changed) Touch(device);
    return device->id;
  }
  if (devices_.size() >= kMaxDevices) {
    ++refused_;
    return 0;
  }

  Device device;
  device.id = static_cast<DeviceId>(devices_.size() + 1);
  device.key = NewKey(protocol, source, info, identity_key);
  device.protocol = protocol;
  device.source = source;
  device.identity = info.identity;
  device.identity_on_wire = info.identity_on_wire;
  device.kind = info.kind;
  device.manufacturer = Cut(info.manufacturer, kMaxDeviceTextSize);
  device.model = Cut(info.model, kMaxDeviceTextSize);
  device.serial = Cut(info.serial, kMaxDeviceTextSize);
  device.firmware = Cut(info.firmware, kMaxDeviceTextSize);
  device.parent = parent;
  by_identity_.emplace(std::move(identity_key), device.id);
  by_key_.emplace(device.key, device.id);
  changes_.devices.push_back(device.id);
  ++revision_;
  return devices_.emplace_back(std::move(device)).id;
}

std::string Directory::NewKey(std::string_view protocol, std::string_view source, const DeviceInfo& info,
                              std::string_view identity_key) const {
  std::string text(info.identity);
  if (!info.identity_on_wire) {
    // Two meters on two sources both have a channel 1: the source tells them apart, in any order of discovery.
    text = info.identity.empty() ? std::string(source) : fmt::format("{}_{}", source, info.identity);
  }
  const std::string clean = fmt::format("{}_{}", protocol, CleanKey(text));
  if (by_key_.count(clean) == 0) return clean;
  // Identities that differ in case only, or a device that aims at another one's key.
  for (uint32_t attempt = 0;; ++attempt) {
    std::string key = clean + HashText(fmt::format("{}{}", identity_key, attempt));
    if (by_key_.count(key) == 0) return key;
  }
}

SeriesId Directory::ResolveSeries(DeviceId device_id, const Field& field) {
  Device* device = Mutable(device_id);
  if (device == nullptr) {
    ++refused_;
    return 0;
  }
  std::string key = SeriesKey(device_id, field.key);
  if (const auto known = series_by_key_.find(key); known != series_by_key_.end()) {
    Series& one = series_[known->second - 1];
    SeriesField now = FieldOf(field);
    if (!(one.field == now)) {  // a newer version of the table, or more states
      one.field = std::move(now);
      if (std::find(changes_.series.begin(), changes_.series.end(), one.id) == changes_.series.end()) {
        changes_.series.push_back(one.id);
      }
      ++revision_;
    }
    return one.id;
  }
  if (series_.size() >= kMaxSeries) {
    ++refused_;
    return 0;
  }
  Series one;
  one.id = static_cast<SeriesId>(series_.size() + 1);
  one.device = device_id;
  one.field = FieldOf(field);
  device->series.push_back(one.id);
  series_by_key_.emplace(std::move(key), one.id);
  changes_.series.push_back(one.id);
  ++revision_;
  return series_.emplace_back(std::move(one)).id;
}

bool Directory::SetName(DeviceId id, std::string name, std::string place) {
  Device* device = Mutable(id);
  if (device == nullptr || name.size() > kMaxDeviceNameSize || place.size() > kMaxDeviceNameSize) return false;
  if (device->name == name && device->place == place) return true;
  device->name = std::move(name);
  device->place = std::move(place);
  Touch(device);
  return true;
}

const Device* Directory::FindDevice(DeviceId id) const {
  return id != 0 && id <= devices_.size() ? &devices_[id - 1] : nullptr;
}

Device* Directory::Mutable(DeviceId id) { return id != 0 && id <= devices_.size() ? &devices_[id - 1] : nullptr; }

const Device* Directory::FindDeviceByKey(std::string_view key) const {
  const auto found = by_key_.find(std::string(key));
  return found == by_key_.end() ? nullptr : FindDevice(found->second);
}

const Series* Directory::FindSeries(SeriesId id) const {
  return id != 0 && id <= series_.size() ? &series_[id - 1] : nullptr;
}

const Series* Directory::FindSeriesByKey(std::string_view device_key, std::string_view field_key) const {
  const Device* device = FindDeviceByKey(device_key);
  if (device == nullptr) return nullptr;
  const auto found = series_by_key_.find(SeriesKey(device->id, field_key));
  return found == series_by_key_.end() ? nullptr : FindSeries(found->second);
}

void Directory::Touch(Device* device) {
  if (std::find(changes_.devices.begin(), changes_.devices.end(), device->id) == changes_.devices.end()) {
    changes_.devices.push_back(device->id);
  }
  ++revision_;
}

Directory::Changes Directory::TakeChanges() { return std::exchange(changes_, {}); }

}  // namespace vesta::hub
