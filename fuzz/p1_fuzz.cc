// Feeds a P1 session any bytes in any chunks, with options, pauses and link resets from the input.
//
// The first bytes choose the options; whole vectors serve as seeds, since the rest is taken as the stream. Checked
// besides memory: readings point into the field table, times and slots are announced, and what is received is accounted
// for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "protocols/p1/session.h"

namespace {

using vesta::p1::CrcVariant;
using vesta::p1::Options;
using vesta::p1::P1Session;

// Traps like a sanitizer, so that libFuzzer keeps the input.
void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t slot, const vesta::DeviceInfo& device) override {
    Require(slot < vesta::p1::kMaxDevices);
    Require(!device.identity.empty() && device.identity.size() <= vesta::kMaxIdentitySize);
    for (const char c : device.identity) Require(c >= 0x20 && c <= 0x7E);
    Require(device.parent == vesta::kNoDevice || slots_.count(device.parent) == 1);
    slots_.insert(slot);
  }
  void OnFrame(const vesta::FrameEvent& frame) override {
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    for (const uint8_t byte : frame.raw) sum_ += byte;
    for (const vesta::Reading& r : frame.readings) {
      Require(slots_.count(r.device) == 1);
      Require(r.field < vesta::p1::Fields().size());
      const vesta::FieldKind kind = vesta::p1::Fields()[r.field].kind;
      if (r.value.kind() == vesta::ValueKind::kText) {
        Require(kind == vesta::FieldKind::kText);
        for (const char c : r.value.text()) Require(c >= 0x20 && c <= 0x7E);
      } else if (!r.value.is_none()) {
        Require(kind != vesta::FieldKind::kText);
      }
      Require(r.value.is_none() == (r.quality == vesta::ValueQuality::kUnavailable));
    }
  }
  uint64_t sum_ = 0;

 private:
  std::set<uint16_t> slots_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  // A vector begins with '/' or DB: then the defaults hold, but for a key.
  const bool plain_seed = data[0] == '/' || data[0] == 0xDB;
  const uint8_t bits = plain_seed ? 0 : data[0];
  const uint8_t more = plain_seed ? 0 : data[1];
  const uint8_t chunking = plain_seed ? data[size - 1] : data[2];
  const size_t skip = plain_seed ? 0 : 3;
  Options options;
  options.max_telegram = (more & 1) != 0 ? vesta::p1::kMinMaxTelegram : vesta::p1::kDefaultMaxTelegram;
  options.accept_missing_crc = (bits & 1) != 0;
  options.strip_bit7 = (bits & 2) != 0;
  options.repair_line_ends = (bits & 4) != 0;
  options.lenient_end_mark = (bits & 8) != 0;
  options.crc = static_cast<CrcVariant>((bits >> 4) % 3);
  options.tariff_rule = static_cast<vesta::p1::TariffRule>((more >> 1) % 3);
  options.summer_time = static_cast<vesta::p1::SummerTimeRule>((more >> 3) & 1);
  options.tag_policy = static_cast<vesta::p1::TagPolicy>((more >> 4) & 1);
  options.has_key = plain_seed || (more & 0x20) != 0;
  // The key of most vectors.
  options.key = {0x8F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5A, 0x69, 0x78, 0x87, 0x96, 0xA5, 0xB4, 0xC3, 0xD2, 0xE1, 0xF0};
  options.has_authentication_key = (more & 0x40) == 0;
  for (uint8_t i = 0; i < 16; ++i) options.authentication_key[i] = static_cast<uint8_t>(i * 0x11);

  P1Session session(options);
  Checker checker;
  vesta::Now now;
  now.utc_us = 1718447696 * vesta::kUsPerSecond;
  now.clock = (more & 0x80) != 0 ? vesta::ClockQuality::kSynchronised : vesta::ClockQuality::kNotSynchronised;
  uint32_t random = chunking * 2654435761u + 1;
  size_t at = skip;
  while (at < size) {
    random = random * 1664525u + 1013904223u;
    const size_t wanted = (chunking & 3) == 0 ? 1 : (random >> 16) % 300 + 1;
    const size_t n = wanted < size - at ? wanted : size - at;
    session.Receive({data + at, n}, now, checker);
    at += n;
    const uint32_t pause = (random >> 8) & 0x3F;
    now.monotonic_us += pause == 1 ? 3 * vesta::kUsPerSecond : pause == 2 ? 150 * vesta::kUsPerMs : 100;
    if (session.next_deadline_us() <= now.monotonic_us) session.Tick(now, checker);
    if (pause == 3 && (chunking & 0x40) != 0) session.LinkReset(now, checker);
  }
  now.monotonic_us += 10 * vesta::kUsPerSecond;
  session.Tick(now, checker);
  Require(session.bytes_pending() == 0);
  Require(session.bytes_received() == size - skip);
  session.LinkReset(now, checker);
  return 0;
}
