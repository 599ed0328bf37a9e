// The network description of the original server, as far as its radio and its page need it: which node has which
// devices, the tables that a pairing reply carries, and the names by which the page and the day log know a value.
//
// Names: NAME_peer_device, for instance F1_3_2. A page's card is S_peer_device. Reading the JSON files is not done
// here. Facts: the original server's sources (Struct.json, Logger, script.js).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocols/espnow/legacy.h"

namespace vesta::espnow::legacy {

inline constexpr size_t kMaxPeers = 254;  // ids are one byte; 0 is nobody and 255 is unused

struct Device {
  uint8_t id = 0;
  uint8_t type = 0;
  uint8_t control = 0;
};

struct Peer {
  uint8_t id = 0;
  uint8_t device_count = 0;
  std::array<Device, kSlots> devices = {};

  const Device* Find(uint8_t device_id) const;
};

// Fills the three tables of a pairing reply: unused slots are 255, 255 and 0.
void FillTables(const Peer& peer, Pairing* out);

inline constexpr size_t kNameSize = 24;
// Writes NAME_peer_device with an end mark; `name` has at most 12 characters. Returns the length.
size_t WriteName(std::string_view name, uint8_t peer, uint8_t device, std::span<char, kNameSize> out);

inline constexpr size_t kEventSize = 192;
// The text of the server-sent event "new_readings" that the original page reads. A value that is none is null.
// Returns the length, without end mark.
size_t WriteEvent(uint8_t peer, int rssi_dbm, const Data& data, std::span<char, kEventSize> out);

// A command of the original page: reset everybody, or a set-point.
inline constexpr uint8_t kResetAllPeer = 99;
Data MakeSetPoint(const Peer* peer, uint8_t device_id, uint8_t value);

// Hundredths, rounded half away from zero, as the original prints them: two decimals. 0 when the value is no number.
int64_t Hundredths(double value);
size_t WriteHundredths(int64_t hundredths, std::span<char, kNameSize> out);

}  // namespace vesta::espnow::legacy
