#include "protocols/espnow/legacy.h"

#include <algorithm>
#include <cmath>

#include "protocols/little_endian.h"

namespace vesta::espnow::legacy {

namespace {

constexpr uint8_t kTypePairing = 0;
constexpr uint8_t kTypeData = 1;
constexpr uint8_t kTypeSetPoints = 2;
constexpr uint8_t kTypePing = 3;
constexpr uint8_t kTypeReset = 4;
constexpr float kSensorFault = -100.0f;

template <typename Array>
void Take(Bytes body, size_t at, Array* out) {
  std::copy_n(body.begin() + static_cast<ptrdiff_t>(at), out->size(), out->begin());
}

template <typename Array>
void Put(const Array& in, size_t at, std::span<uint8_t> out) {
  std::copy(in.begin(), in.end(), out.begin() + static_cast<ptrdiff_t>(at));
}

Pairing ReadPairing(Bytes b) {
  Pairing p;
  p.network = b[1];
  p.id = b[2];
  Take(b, 3, &p.address);
  p.channel = b[9];
  Take(b, 10, &p.device_ids);
  Take(b, 22, &p.device_types);
  Take(b, 34, &p.controls);
  return p;
}

Data ReadData(Bytes b) {
  Data d;
  d.device_id = b[1];
  d.device_type = b[2];
  Take(b, 3, &d.u);
  for (size_t i = 0; i < kNumbers; ++i) d.f[i] = wire::GetFloat(&b[8 + 4 * i]);
  Take(b, 28, &d.sensor);
  return d;
}

VictronReading ReadVictron(Bytes b) {
  VictronReading v;
  v.device_type = b[0];
  std::transform(b.begin() + 1, b.begin() + 1 + v.address.size(), v.address.begin(),
                 [](uint8_t c) { return static_cast<char>(c); });
  v.address.back() = '\0';
  v.voltage = wire::GetFloat(&b[20]);
  v.current = wire::GetFloat(&b[24]);
  v.power = wire::GetFloat(&b[28]);
  v.charge = wire::GetFloat(&b[32]);
  v.rssi_dbm = static_cast<int32_t>(wire::Get32(&b[36]));
  v.uptime_ms = wire::Get32(&b[40]);
  return v;
}

}  // namespace

Message ReadMessage(Bytes body) {
  Message m;
  if (body.empty()) return m;
  const uint8_t type = body[0];
  if (body.size() == kPairingSize && type == kTypePairing) {
    m.kind = Kind::kPairing;
    m.pairing = ReadPairing(body);
  } else if (body.size() == kDataSize && (type == kTypeData || type == kTypeSetPoints)) {
    m.kind = type == kTypeData ? Kind::kData : Kind::kSetPoints;
    m.data = ReadData(body);
  } else if (body.size() == kPingSize && type == kTypePing) {
    m.kind = Kind::kPing;
    m.ping_id = static_cast<int32_t>(wire::Get32(&body[4]));
  } else if (body.size() == kResetSize && type == kTypeReset) {
    m.kind = Kind::kReset;
    m.reset_server = body[1];
  } else if (body.size() == kPairing2022Size && type == kTypePairing) {
    m.kind = Kind::kPairing2022;
    m.pairing_2022.id = body[1];
    Take(body, 2, &m.pairing_2022.address);
    m.pairing_2022.channel = body[8];
  } else if (body.size() == kReading2022Size && type == kTypeData) {
    m.kind = Kind::kReading2022;
    m.reading_2022 = {body[1], wire::GetFloat(&body[4]), wire::GetFloat(&body[8]), wire::Get32(&body[12])};
  } else if (body.size() == kVictronSize) {
    m.kind = Kind::kVictron;
    m.victron = ReadVictron(body);
  } else if (body.size() == kVictronPacketSize || body.size() == kVictronFridgePacketSize) {
    m.kind = Kind::kVictronPacket;
  }
  return m;
}

void WritePairing(const Pairing& p, std::span<uint8_t, kPairingSize> out) {
  out[0] = kTypePairing;
  out[1] = p.network;
  out[2] = p.id;
  Put(p.address, 3, out);
  out[9] = p.channel;
  Put(p.device_ids, 10, out);
  Put(p.device_types, 22, out);
  Put(p.controls, 34, out);
}

void WriteData(const Data& d, bool is_set_points, std::span<uint8_t, kDataSize> out) {
  out[0] = is_set_points ? kTypeSetPoints : kTypeData;
  out[1] = d.device_id;
  out[2] = d.device_type;
  Put(d.u, 3, out);
  for (size_t i = 0; i < kNumbers; ++i) wire::PutFloat(&out[8 + 4 * i], d.f[i]);
  Put(d.sensor, 28, out);
}

void WritePing(int32_t id, std::span<uint8_t, kPingSize> out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  out[0] = kTypePing;
  wire::Put32(&out[4], static_cast<uint32_t>(id));
}

void WriteReset(uint8_t server_id, std::span<uint8_t, kResetSize> out) {
  out[0] = kTypeReset;
  out[1] = server_id;
}

bool IsTemperature(float value) { return std::isfinite(value) && value != kSensorFault; }

}  // namespace vesta::espnow::legacy
