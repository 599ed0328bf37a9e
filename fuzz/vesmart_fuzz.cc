// VE.Smart messages of any content, sealed with the network's key so that they are opened, and adverts of any bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "protocols/victron/session.h"

namespace {

constexpr uint16_t kNetwork = 0xA1B2;
constexpr vesta::victron::Key kKey = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                      0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};

void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t, const vesta::DeviceInfo& device) override { Require(!device.identity.empty()); }
  void OnFrame(const vesta::FrameEvent& frame) override {
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    for (const vesta::Reading& r : frame.readings) {
      Require(r.field < vesta::victron::Fields().size());
      if (r.value.kind() != vesta::ValueKind::kText) continue;
      for (const char c : r.value.text()) sum_ += static_cast<uint8_t>(c);
    }
  }

 private:
  uint64_t sum_ = 0;
};

std::vector<uint8_t> Seal(uint8_t op, uint32_t sequence, vesta::vesmart::Bytes clear) {
  std::vector<uint8_t> data = {op, kNetwork >> 8, 1, 2, 3, 4};
  std::array<uint8_t, 4> sequence_bytes{};
  for (size_t i = 0; i < 4; ++i) sequence_bytes[i] = static_cast<uint8_t>(sequence >> (8 * i));
  data.insert(data.end(), sequence_bytes.begin(), sequence_bytes.end());
  if (op == vesta::vesmart::kOpOverflow) data.insert(data.end(), {0, 0});
  vesta::crypto::Aes128Ccm ccm;
  ccm.SetKey(kKey);
  std::vector<uint8_t> cipher(clear.size() + 1);
  std::array<uint8_t, vesta::vesmart::kTagSize> tag{};
  ccm.Encrypt(vesta::vesmart::MakeNonce(op, sequence_bytes, {0, 0}, {1, 2, 3, 4}, kNetwork), {}, clear, cipher.data(),
              tag);
  data.insert(data.end(), cipher.begin(), cipher.begin() + static_cast<ptrdiff_t>(clear.size()));
  data.insert(data.end(), tag.begin(), tag.end());
  return data;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vesta::victron::KeyRing ring;
  ring.SetNetwork(kNetwork, kKey);
  vesta::victron::BleSession session(&ring);
  Checker checker;
  uint32_t sequence = 1;
  const auto send = [&](const std::vector<uint8_t>& manufacturer_data) {
    std::vector<uint8_t> elements = {static_cast<uint8_t>(manufacturer_data.size() + 3), 0xFF, 0xE1, 0x02};
    elements.insert(elements.end(), manufacturer_data.begin(), manufacturer_data.end());
    vesta::ble::Advert advert;
    advert.address = 0xC0FFEE000001;
    advert.data = elements;
    std::array<uint8_t, vesta::ble::kMaxAdvertSize> datagram{};
    session.Receive({datagram.data(), vesta::ble::WriteAdvert(advert, datagram)}, vesta::Now(), checker);
  };
  send(Seal(vesta::vesmart::kOpOverflow, sequence++, {}));
  while (size >= 1) {
    const size_t take = data[0] % 64 < size - 1 ? data[0] % 64 : size - 1;
    const bool is_raw = (data[0] & 0x80) != 0;
    const vesta::vesmart::Bytes body(data + 1, take);
    if (is_raw) {
      send({body.begin(), body.end()});
    } else {
      send(Seal(vesta::vesmart::kOpMessage, sequence++, body));
    }
    data += 1 + take;
    size -= 1 + take;
  }
  return 0;
}
