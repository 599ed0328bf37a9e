// One Bluetooth LE advertisement as bytes: what the bluetooth source, a relaying node, a capture and the simulators
// hand to a session as one datagram, whatever scanner heard it.
//
//   offset  size  content
//   0       1     version, 1
//   1       6     sender's address, most significant byte first (as it is printed)
//   7       1     address type: 0 public, 1 random
//   8       1     RSSI in dBm as a signed byte, 127 = not known
//   9       1     scanner: a small number of the adapter or node that heard it, 0 when there is one only
//   10      n     advertising data as on the air: elements of length, type, content (Core Specification, volume 3,
//                 part C, section 11)
//
// A scanner that reports only parts (BlueZ gives manufacturer data by company) writes those parts as elements. Bounds
// are checked on reading; a malformed element ends the list and is told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vesta::ble {

using Bytes = std::span<const uint8_t>;

inline constexpr uint8_t kAdvertVersion = 1;
inline constexpr size_t kAdvertHeaderSize = 10;
inline constexpr size_t kMaxAdvertData = 254;  // one extended advertising fragment; legacy ones have at most 31 bytes
inline constexpr size_t kMaxAdvertSize = kAdvertHeaderSize + kMaxAdvertData;
inline constexpr int8_t kUnknownRssi = 127;

inline constexpr uint8_t kTypeShortName = 0x08;
inline constexpr uint8_t kTypeCompleteName = 0x09;
inline constexpr uint8_t kTypeManufacturer = 0xFF;

struct Advert {
  uint64_t address = 0;  // 48 bits, first printed byte highest
  bool address_is_random = false;
  int8_t rssi_dbm = kUnknownRssi;
  uint8_t scanner = 0;
  Bytes data;  // elements; a view into the datagram
};

// nullopt: shorter than the header, another version, or longer than kMaxAdvertSize.
std::optional<Advert> ReadAdvert(Bytes datagram);

// Writes the datagram; returns its size, 0 when it does not fit `out` or kMaxAdvertSize.
size_t WriteAdvert(const Advert& advert, std::span<uint8_t> out);

// Steps through the elements.
class Elements {
 public:
  explicit Elements(Bytes data) : rest_(data) {}
  // False at the end or at a malformed element; is_malformed() tells which.
  bool Next(uint8_t* type, Bytes* content);
  bool is_malformed() const { return is_malformed_; }

 private:
  Bytes rest_;
  bool is_malformed_ = false;
};

// The content of the first manufacturer element of this company (without the company's two bytes).
std::optional<Bytes> FindManufacturerData(Bytes data, uint16_t company);
// The device's name as sent (user text: hostile), empty when there is none.
Bytes FindName(Bytes data);

}  // namespace vesta::ble
