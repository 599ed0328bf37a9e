#include "protocols/ble_advert.h"

#include <algorithm>

namespace vesta::ble {
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
