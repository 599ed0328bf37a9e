#include "protocols/espnow/legacy_network.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/value.h"

namespace vesta::espnow::legacy {

namespace {

constexpr int kMaxNameLength = 12;
constexpr double kMaxHundredths = 9e15;  // a double is exact to here

struct Text {
  std::span<char> out;
  size_t size = 0;

  void Add(std::string_view text) {
    const size_t n = std::min(text.size(), out.size() - size);
    std::copy_n(text.begin(), n, out.begin() + static_cast<ptrdiff_t>(size));
    size += n;
  }
  void AddInteger(int64_t value) {
    char digits[kDecimalTextSize];
    Add({digits, std::min(FormatDecimal({value, 0}, digits), sizeof(digits))});
  }
  void AddHundredths(float value) {
    char digits[kNameSize];
    Add({digits, WriteHundredths(Hundredths(value), digits)});
  }
};

}  // namespace

const Device* Peer::Find(uint8_t device_id) const {
  for (size_t i = 0; i < device_count; ++i) {
    if (devices[i].id == device_id) return &devices[i];
  }
  return nullptr;
}

void FillTables(const Peer& peer, Pairing* out) {
  out->device_ids.fill(kUnusedSlot);
  out->device_types.fill(kUnusedSlot);
  out->controls.fill(0);
  for (size_t i = 0; i < peer.device_count; ++i) {
    out->device_ids[i] = peer.devices[i].id;
    out->device_types[i] = peer.devices[i].type;
    out->controls[i] = peer.devices[i].control;
  }
}

size_t WriteName(std::string_view name, uint8_t peer, uint8_t device, std::span<char, kNameSize> out) {
  const int length = static_cast<int>(std::min<size_t>(name.size(), kMaxNameLength));
  const int n = std::snprintf(out.data(), out.size(), "%.*s_%u_%u", length, name.data(), peer, device);
  return static_cast<size_t>(n);
}

size_t WriteEvent(uint8_t peer, int rssi_dbm, const Data& data, std::span<char, kEventSize> out) {
  Text text{out};
  text.Add("{\"PeerID\":");
  text.AddInteger(peer);
  text.Add(",\"DeviceID\":");
  text.AddInteger(data.device_id);
  text.Add(",\"D\":[{\"rssi\":");
  text.AddInteger(rssi_dbm);
  if (data.device_type == static_cast<uint8_t>(DeviceType::kRelay)) {
    text.Add(",\"Cmd\":");
    text.AddInteger(data.u[1]);
    text.Add(",\"U1\":");
    text.AddInteger(data.u[0]);
  } else {
    text.Add(",\"F1\":");
    if (IsTemperature(data.f[0])) {
      text.Add("\"");
      text.AddHundredths(data.f[0]);
      text.Add("\"");
    } else {
      text.Add("null");
    }
    if (data.device_type == static_cast<uint8_t>(DeviceType::kThermostat)) {
      text.Add(",\"F2\":");
      std::isfinite(data.f[1]) ? text.AddHundredths(data.f[1]) : text.Add("null");
      text.Add(",\"U1\":");
      text.AddInteger(data.u[0]);
    }
    text.Add(",\"MsgID\":\"");
    for (size_t i = 0; i < data.sensor.size(); ++i) {
      constexpr char kHex[] = "0123456789abcdef";
      const char pair[3] = {kHex[data.sensor[i] >> 4], kHex[data.sensor[i] & 15], ':'};
      text.Add({pair, i + 1 < data.sensor.size() ? size_t{3} : size_t{2}});
    }
    text.Add("\"");
  }
  text.Add("}]}");
  return text.size;
}

Data MakeSetPoint(const Peer* peer, uint8_t device_id, uint8_t value) {
  const Device* device = peer == nullptr ? nullptr : peer->Find(device_id);
  Data data;
  data.device_id = device_id;
  data.device_type = device == nullptr ? static_cast<uint8_t>(DeviceType::kUnknown) : device->type;
  data.u[0] = value;
  return data;
}

int64_t Hundredths(double value) {
  const double scaled = value * 100;
  if (!(std::fabs(scaled) < kMaxHundredths)) return 0;
  return std::llround(scaled);
}

size_t WriteHundredths(int64_t hundredths, std::span<char, kNameSize> out) {
  char digits[kDecimalTextSize];
  const size_t n = std::min(FormatDecimal({hundredths, -2}, digits), out.size());
  std::copy_n(digits, n, out.begin());
  return n;
}

}  // namespace vesta::espnow::legacy
