// Adverts of a solar charger as it would send them, for tests and benchmarks: Instant Readout with a key and a nonce of
// the caller's choice, as datagrams of protocols/ble_advert.h. Layout and plaintext: the worked example of the
// reference of the Victron formats, section 3.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocols/ble_advert.h"
#include "protocols/crypto.h"
#include "protocols/victron/keys.h"

namespace vesta::victron {

inline constexpr std::string_view kKeyTextForTest = "adeccb947395801a4dd45a2eaa44bf17";
inline constexpr Key kKeyForTest = {0xad, 0xec, 0xcb, 0x94, 0x73, 0x95, 0x80, 0x1a,
                                    0x4d, 0xd4, 0x5a, 0x2e, 0xaa, 0x44, 0xbf, 0x17};

// Battery voltage in 0.01 V.
inline std::vector<uint8_t> SolarAdvertForTest(uint64_t address, const Key& key, uint16_t nonce, uint16_t centivolts) {
  std::array<uint8_t, 12> payload = {0x04, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x03, 0x00, 0x13, 0x00, 0x00, 0xfe};
  payload[2] = static_cast<uint8_t>(centivolts);
  payload[3] = static_cast<uint8_t>(centivolts >> 8);
  std::array<uint8_t, crypto::kAesBlockSize> counter{};
  counter[0] = static_cast<uint8_t>(nonce);
  counter[1] = static_cast<uint8_t>(nonce >> 8);
  std::array<uint8_t, crypto::kAesBlockSize> stream{};
  crypto::Aes128Block cipher;
  cipher.SetKey(key);
  cipher.Encrypt(counter, stream);
  std::vector<uint8_t> data = {
      0, ble::kTypeManufacturer, 0xE1, 0x02, 0x10, 0x02, 0x42, 0xA0, 0x01, counter[0], counter[1], key.front()};
  for (size_t i = 0; i < payload.size(); ++i) data.push_back(static_cast<uint8_t>(payload[i] ^ stream[i]));
  data[0] = static_cast<uint8_t>(data.size() - 1);
  ble::Advert advert;
  advert.address = address;
  advert.rssi_dbm = -70;
  advert.data = data;
  std::vector<uint8_t> datagram(ble::kMaxAdvertSize);
  datagram.resize(ble::WriteAdvert(advert, datagram));
  return datagram;
}

}  // namespace vesta::victron
