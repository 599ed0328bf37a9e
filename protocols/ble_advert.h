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

// nullopt: shorter than the header, another version, or longer than kMaxAdvertSize. Inline, as are the elements: a
// scanner in a harbour hears thousands of adverts a second, most of them of no interest.
inline std::optional<Advert> ReadAdvert(Bytes datagram) {
  if (datagram.size() < kAdvertHeaderSize || datagram.size() > kMaxAdvertSize) return std::nullopt;
  if (datagram[0] != kAdvertVersion) return std::nullopt;
  Advert advert;
  const uint8_t* const p = datagram.data();
  advert.address = uint64_t{p[1]} << 40 | uint64_t{p[2]} << 32 | uint64_t{p[3]} << 24 | uint64_t{p[4]} << 16 |
                   uint64_t{p[5]} << 8 | uint64_t{p[6]};
  advert.address_is_random = datagram[7] != 0;
  advert.rssi_dbm = static_cast<int8_t>(datagram[8]);
  advert.scanner = datagram[9];
  advert.data = datagram.subspan(kAdvertHeaderSize);
  return advert;
}

// Writes the datagram; returns its size, 0 when it does not fit `out` or kMaxAdvertSize.
size_t WriteAdvert(const Advert& advert, std::span<uint8_t> out);

// Steps through the elements.
class Elements {
 public:
  explicit Elements(Bytes data) : rest_(data) {}
  // False at the end or at a malformed element; is_malformed() tells which.
  bool Next(uint8_t* type, Bytes* content) {
    // A length of zero ends the list early: what follows is padding.
    if (rest_.empty() || rest_[0] == 0) {
      rest_ = {};
      return false;
    }
    const size_t size = rest_[0];
    if (size >= rest_.size()) {
      is_malformed_ = true;
      rest_ = {};
      return false;
    }
    *type = rest_[1];
    *content = rest_.subspan(2, size - 1);
    rest_ = rest_.subspan(1 + size);
    return true;
  }
  bool is_malformed() const { return is_malformed_; }

 private:
  Bytes rest_;
  bool is_malformed_ = false;
};

// The content of the first manufacturer element of this company (without the company's two bytes).
inline std::optional<Bytes> FindManufacturerData(Bytes data, uint16_t company) {
  constexpr size_t kCompanySize = 2;
  Elements elements(data);
  uint8_t type = 0;
  Bytes content;
  while (elements.Next(&type, &content)) {
    if (type != kTypeManufacturer || content.size() < kCompanySize) continue;
    if ((content[0] | content[1] << 8) == company) return content.subspan(kCompanySize);
  }
  return std::nullopt;
}
// The device's name as sent (user text: hostile), empty when there is none.
Bytes FindName(Bytes data);

}  // namespace vesta::ble
