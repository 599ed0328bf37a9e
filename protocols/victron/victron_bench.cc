// Prints whether an Instant Readout advert keeps its bar: "bar NAME VALUE LIMIT ok|short".
//
// victron_advert_to_ctr: a whole advert to readings (elements, device, nonce, key, decoding, the call of the events)
// against the bare AES-CTR call of the same library for the same bytes, key schedule cached, in the same run. Each
// advert is new to the session: another nonce each time, and as many devices as adverts in turn.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include "protocols/crypto.h"
#include "protocols/victron/session.h"

namespace {

using vesta::victron::BleSession;

constexpr int kRounds = 101;  // short ones in turn; the best of each counts, since other programs only ever add time
constexpr int kLoops = 10000;
constexpr size_t kDevices = 8;
constexpr double kLimit = 2.0;
constexpr size_t kPayloadSize = 12;
constexpr size_t kNonceAt = vesta::ble::kAdvertHeaderSize + 3 + 4 + 5;
constexpr size_t kPayloadAt = kNonceAt + 3;
constexpr vesta::victron::Key kKey = {0xad, 0xec, 0xcb, 0x94, 0x73, 0x95, 0x80, 0x1a,
                                      0x4d, 0xd4, 0x5a, 0x2e, 0xaa, 0x44, 0xbf, 0x17};
// Absorption, no error, 13.88 V, 1.4 A, 0.03 kWh, 19 W, load 0.0 A.
constexpr uint8_t kPlain[kPayloadSize] = {0x04, 0x00, 0x6c, 0x05, 0x0e, 0x00, 0x03, 0x00, 0x13, 0x00, 0x00, 0xfe};

class Counter : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t, const vesta::DeviceInfo&) override {}
  void OnFrame(const vesta::FrameEvent& frame) override {
    readings += frame.readings.size();
    last_field = frame.readings.back().field;
  }
  size_t readings = 0;
  uint16_t last_field = 0;
};

double NowNs() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

double Best(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

volatile uint8_t g_sink;

}  // namespace

int main() {
  vesta::crypto::Aes128Ctr ctr;
  ctr.SetKey(kKey);
  vesta::victron::KeyRing ring;
  // One advert for each nonce and device, made beforehand.
  constexpr size_t kNonces = 512;
  std::vector<std::array<uint8_t, 64>> adverts(kNonces * kDevices);
  size_t size = 0;
  for (size_t i = 0; i < adverts.size(); ++i) {
    std::vector<uint8_t> data = {0x02, 0x01, 0x06, 11 + kPayloadSize, 0xFF, 0xE1, 0x02, 0x10, 0x02, 0x42, 0xA0, 0x01};
    const auto nonce = static_cast<uint16_t>(i / kDevices * 128);  // 512 steps go once round: none is ever old
    data.push_back(static_cast<uint8_t>(nonce & 0xFF));
    data.push_back(static_cast<uint8_t>(nonce >> 8));
    data.push_back(kKey[0]);
    std::array<uint8_t, 16> counter{};
    counter[0] = static_cast<uint8_t>(nonce & 0xFF);
    counter[1] = static_cast<uint8_t>(nonce >> 8);
    std::array<uint8_t, kPayloadSize> cipher{};
    ctr.Crypt(counter, kPlain, cipher.data());
    data.insert(data.end(), cipher.begin(), cipher.end());
    vesta::ble::Advert advert;
    advert.address = 0xC0FFEE000000 + i % kDevices * 7919;
    advert.rssi_dbm = -60;
    advert.data = data;
    ring.SetKey(advert.address, kKey);
    size = vesta::ble::WriteAdvert(advert, adverts[i]);
  }

  BleSession session(&ring);
  Counter counter;
  vesta::Now now;
  size_t next = 0;
  std::vector<double> ctr_ns;
  std::vector<double> session_ns;
  for (int round = 0; round < kRounds; ++round) {
    std::array<uint8_t, kPayloadSize> out{};
    std::array<uint8_t, 16> block{};
    size_t at = next;
    double start = NowNs();
    for (int i = 0; i < kLoops; ++i) {
      const std::array<uint8_t, 64>& advert = adverts[at];
      block[0] = advert[kNonceAt];
      block[1] = advert[kNonceAt + 1];
      ctr.Crypt(block, {advert.data() + kPayloadAt, kPayloadSize}, out.data());
      g_sink = out[0];
      at = at + 1 == adverts.size() ? 0 : at + 1;
    }
    ctr_ns.push_back((NowNs() - start) / kLoops);
    start = NowNs();
    for (int i = 0; i < kLoops; ++i) {
      session.Receive({adverts[next].data(), size}, now, counter);
      next = next + 1 == adverts.size() ? 0 : next + 1;
      now.monotonic_us += 1000000 / kDevices;  // each device once a second, as in life
    }
    session_ns.push_back((NowNs() - start) / kLoops);
  }
  std::printf("per advert: AES-CTR %.1f ns, session %.1f ns, %.1f readings\n", Best(ctr_ns), Best(session_ns),
              static_cast<double>(counter.readings) / (static_cast<double>(kRounds) * kLoops));
  constexpr uint64_t kWanted = uint64_t{kRounds} * kLoops;
  if (session.counters().records != kWanted || counter.readings < kWanted * 8) {
    std::fprintf(stderr, "victron_bench: not every advert gave its readings\n");
    return 1;
  }
  const double value = Best(session_ns) / Best(ctr_ns);
  const bool ok = value <= kLimit;
  std::printf("bar victron_advert_to_ctr %.2f %.2f %s\n", value, kLimit, ok ? "ok" : "short");
  return ok ? 0 : 1;
}
