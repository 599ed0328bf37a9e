// Feeds a Victron session a stream of adverts made of the input: each a length, a mode and bytes. Modes wrap the bytes
// as they are, or as the plain content of a record that is then encrypted with the device's key, so that decoders are
// reached behind the cipher. Key texts are tried too.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "protocols/victron/session.h"

namespace {

using vesta::victron::BleSession;
using vesta::victron::Fields;

constexpr uint64_t kAddress = 0xC0FFEE000000;
constexpr vesta::victron::Key kKey = {0xad, 0xec, 0xcb, 0x94, 0x73, 0x95, 0x80, 0x1a,
                                      0x4d, 0xd4, 0x5a, 0x2e, 0xaa, 0x44, 0xbf, 0x17};

void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t slot, const vesta::DeviceInfo& device) override {
    Require(slot <= vesta::victron::kPvSumSlot);
    Require(!device.identity.empty() && device.identity.size() <= vesta::kMaxIdentitySize);
    slots_.insert(slot);
  }
  void OnFrame(const vesta::FrameEvent& frame) override {
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    Require(!frame.link.is_repeat || frame.readings.empty());
    for (const vesta::Reading& r : frame.readings) {
      Require(slots_.count(r.device) == 1);
      Require(r.field < Fields().size());
      const vesta::FieldKind kind = Fields()[r.field].kind;
      Require(r.value.is_none() == (r.quality == vesta::ValueQuality::kUnavailable));
      if (r.value.kind() == vesta::ValueKind::kText) {
        Require(kind == vesta::FieldKind::kText);
        for (const char c : r.value.text()) sum_ += static_cast<uint8_t>(c);
      } else if (r.value.kind() == vesta::ValueKind::kState) {
        Require(kind == vesta::FieldKind::kState || kind == vesta::FieldKind::kFlag);
      } else if (!r.value.is_none()) {
        Require(kind == vesta::FieldKind::kGauge || kind == vesta::FieldKind::kCounter);
      }
    }
  }

 private:
  std::set<uint16_t> slots_;
  uint64_t sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vesta::victron::KeyRing ring;
  for (uint64_t i = 0; i < 4; ++i) ring.SetKey(kAddress + i, kKey);
  vesta::victron::ParseKeyText({reinterpret_cast<const char*>(data), size});
  vesta::victron::TryKey(kKey, {data, size});
  BleSession session(&ring);
  Checker checker;
  vesta::Now now;
  vesta::crypto::Aes128Ctr ctr;
  ctr.SetKey(kKey);
  uint16_t nonce = 0;
  while (size >= 2) {
    const size_t take = data[0] % 40 < size - 2 ? data[0] % 40 : size - 2;
    const uint8_t mode = data[1];
    const std::vector<uint8_t> body(data + 2, data + 2 + take);
    data += 2 + take;
    size -= 2 + take;
    std::vector<uint8_t> elements;
    if ((mode & 3) == 0) {
      elements = body;
    } else {
      std::vector<uint8_t> content = {0xE1, 0x02};
      if ((mode & 3) == 1) {
        content.insert(content.end(), body.begin(), body.end());
      } else {
        nonce = static_cast<uint16_t>(nonce + 1);
        const auto type = static_cast<uint8_t>((mode & 3) == 2 ? mode >> 2 & 0x0F : 0xFF);
        const uint8_t check = type == 0xFF ? 0x01 : kKey[0];
        for (const uint8_t byte : {uint8_t{0x10}, uint8_t{0}, uint8_t{0x42}, uint8_t{0xA0}, type,
                                   static_cast<uint8_t>(nonce & 0xFF), static_cast<uint8_t>(nonce >> 8), check}) {
          content.push_back(byte);
        }
        std::vector<uint8_t> cipher = body;
        std::array<uint8_t, 16> counter{static_cast<uint8_t>(nonce & 0xFF), static_cast<uint8_t>(nonce >> 8)};
        if (type != 0xFF) ctr.Crypt(counter, body, cipher.data());
        content.insert(content.end(), cipher.begin(), cipher.end());
      }
      elements.push_back(static_cast<uint8_t>(content.size() + 1));
      elements.push_back(0xFF);
      elements.insert(elements.end(), content.begin(), content.end());
    }
    vesta::ble::Advert advert;
    advert.address = kAddress + (mode >> 6 & 3);
    advert.rssi_dbm = static_cast<int8_t>(mode);
    advert.data = elements;
    std::array<uint8_t, vesta::ble::kMaxAdvertSize> datagram{};
    const size_t written = vesta::ble::WriteAdvert(advert, datagram);
    session.Receive({datagram.data(), written}, now, checker);
    now.monotonic_us += vesta::kUsPerSecond;
  }
  return 0;
}
