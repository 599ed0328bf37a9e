// The messages of the original node networks, which have neither version nor checksum nor authentication: they are told
// apart by length and first byte only, and each length is checked exactly.
//
// VESTA 2025 (ESP8266 nodes): pairing 46 bytes, data and set-points 36, ping 8, reset 2. VESTA 2022 (ESP32): reading 16
// and pairing 9. The distributed Victron monitor: reading 44; its later packets of 168 and 196 bytes are recognised,
// their inner layout is not known. All are C structs with natural alignment, little-endian; padding is sent
// uninitialised and ignored. Temperatures in degrees Celsius, voltages V, currents A, powers W, charge in percent.
// Facts: the sources of those projects, checked with the compilers of the chips.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/espnow/frame.h"

namespace vesta::espnow::legacy {

inline constexpr size_t kSlots = 12;  // devices of a node
inline constexpr uint8_t kUnusedSlot = 255;
inline constexpr size_t kNumbers = 5;

inline constexpr size_t kPairingSize = 46;
inline constexpr size_t kDataSize = 36;
inline constexpr size_t kPingSize = 8;
inline constexpr size_t kResetSize = 2;
inline constexpr size_t kPairing2022Size = 9;
inline constexpr size_t kReading2022Size = 16;
inline constexpr size_t kVictronSize = 44;
inline constexpr size_t kVictronPacketSize = 168;
inline constexpr size_t kVictronFridgePacketSize = 196;

enum class DeviceType : uint8_t { kThermostat = 0, kThermometer = 1, kRelay = 2, kUnknown = 255 };

using SensorAddress = std::array<uint8_t, 8>;  // 1-Wire, family first

struct Pairing {
  uint8_t network = 0;   // the server id that the node wants
  uint8_t id = 0;        // request: the node; reply: the server
  Address address = {};  // reply: where data goes
  uint8_t channel = 0;
  std::array<uint8_t, kSlots> device_ids = {};
  std::array<uint8_t, kSlots> device_types = {};
  std::array<uint8_t, kSlots> controls = {};  // 0 none, 1..6 relay board, 101..111 board pins
};

struct Data {  // and set-points
  uint8_t device_id = 0;
  uint8_t device_type = 0;
  std::array<uint8_t, kNumbers> u = {};
  std::array<float, kNumbers> f = {};
  SensorAddress sensor = {};
};

struct Pairing2022 {
  uint8_t id = 0;
  Address address = {};
  uint8_t channel = 0;
};

struct Reading2022 {
  uint8_t id = 0;
  float temperature = 0;
  float humidity = 0;
  uint32_t counter = 0;
};

struct VictronReading {
  uint8_t device_type = 0;            // 1 battery monitor, 2 solar charger, 3 charger, 0 unknown
  std::array<char, 18> address = {};  // text, ends with NUL; hostile
  float voltage = 0;
  float current = 0;
  float power = 0;
  float charge = 0;
  int32_t rssi_dbm = 0;
  uint32_t uptime_ms = 0;
};

enum class Kind : uint8_t {
  kUnknown,
  kPairing,
  kData,
  kSetPoints,
  kPing,
  kReset,
  kPairing2022,
  kReading2022,
  kVictron,
  kVictronPacket,  // 168 or 196 bytes: counted and archived only
};

// Which of the members is meant follows from the kind.
struct Message {
  Kind kind = Kind::kUnknown;
  Pairing pairing;
  Data data;
  int32_t ping_id = 0;
  uint8_t reset_server = 0;
  Pairing2022 pairing_2022;
  Reading2022 reading_2022;
  VictronReading victron;
};

// kUnknown when no message has exactly this length and type.
Message ReadMessage(Bytes body);

void WritePairing(const Pairing& pairing, std::span<uint8_t, kPairingSize> out);
void WriteData(const Data& data, bool is_set_points, std::span<uint8_t, kDataSize> out);
void WritePing(int32_t id, std::span<uint8_t, kPingSize> out);
void WriteReset(uint8_t server_id, std::span<uint8_t, kResetSize> out);

// A temperature that a node reads when it reads none: NaN, infinite, or -100 after a checksum error of the sensor.
bool IsTemperature(float value);

}  // namespace vesta::espnow::legacy
