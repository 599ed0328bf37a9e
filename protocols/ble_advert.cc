#include "protocols/ble_advert.h"

#include <algorithm>

namespace vesta::ble {
namespace {

constexpr size_t kCompanySize = 2;

}  // namespace

std::optional<Advert> ReadAdvert(Bytes datagram) {
  if (datagram.size() < kAdvertHeaderSize || datagram.size() > kMaxAdvertSize) return std::nullopt;
  if (datagram[0] != kAdvertVersion) return std::nullopt;
  Advert advert;
  for (size_t i = 1; i <= 6; ++i) advert.address = advert.address << 8 | datagram[i];
  advert.address_is_random = datagram[7] != 0;
  advert.rssi_dbm = static_cast<int8_t>(datagram[8]);
  advert.scanner = datagram[9];
  advert.data = datagram.subspan(kAdvertHeaderSize);
  return advert;
}

size_t WriteAdvert(const Advert& advert, std::span<uint8_t> out) {
  const size_t size = kAdvertHeaderSize + advert.data.size();
  if (size > kMaxAdvertSize || size > out.size()) return 0;
  out[0] = kAdvertVersion;
  for (size_t i = 0; i < 6; ++i) out[1 + i] = static_cast<uint8_t>(advert.address >> (8 * (5 - i)));
  out[7] = advert.address_is_random ? 1 : 0;
  out[8] = static_cast<uint8_t>(advert.rssi_dbm);
  out[9] = advert.scanner;
  std::copy(advert.data.begin(), advert.data.end(), out.begin() + kAdvertHeaderSize);
  return size;
}

bool Elements::Next(uint8_t* type, Bytes* content) {
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

std::optional<Bytes> FindManufacturerData(Bytes data, uint16_t company) {
  Elements elements(data);
  uint8_t type = 0;
  Bytes content;
  while (elements.Next(&type, &content)) {
    if (type != kTypeManufacturer || content.size() < kCompanySize) continue;
    if ((content[0] | content[1] << 8) == company) return content.subspan(kCompanySize);
  }
  return std::nullopt;
}

Bytes FindName(Bytes data) {
  Elements elements(data);
  uint8_t type = 0;
  Bytes content;
  Bytes short_name;
  while (elements.Next(&type, &content)) {
    if (type == kTypeCompleteName) return content;
    if (type == kTypeShortName) short_name = content;
  }
  return short_name;
}

}  // namespace vesta::ble
