// Feeds a VE.Direct session, or several behind a multiplexer, any bytes in any chunks with pauses and link resets.
//
// The first byte chooses chunking, HEX and the multiplexer; the rest is the stream, so whole vectors serve as seeds.
// Checked besides memory: readings point into the field table and to announced devices, texts are printable, and what
// is asked is a get.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>

#include "protocols/vedirect/multiplexer.h"

namespace {

using vesta::vedirect::Multiplexer;
using vesta::vedirect::Options;
using vesta::vedirect::VedirectSession;

// Traps like a sanitizer, so that libFuzzer keeps the input.
void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t slot, const vesta::DeviceInfo& device) override {
    Require(!device.identity.empty() && device.identity.size() <= vesta::kMaxIdentitySize);
    for (const char c : device.identity) Require(c >= 0x20 && c <= 0x7E);
    slots_.insert(slot);
  }
  void OnFrame(const vesta::FrameEvent& frame) override {
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    for (const uint8_t byte : frame.raw) sum_ += byte;
    for (const vesta::Reading& r : frame.readings) {
      Require(slots_.count(r.device) == 1);
      Require(r.field < vesta::victron::Fields().size());
      const bool is_text = vesta::victron::Fields()[r.field].kind == vesta::FieldKind::kText;
      if (r.value.kind() == vesta::ValueKind::kText) {
        Require(is_text);
        for (const char c : r.value.text()) Require(c >= 0x20 && c <= 0x7E);
      }
      Require(r.value.is_none() == (r.quality == vesta::ValueQuality::kUnavailable));
    }
  }
  uint64_t sum_ = 0;

 private:
  std::set<uint16_t> slots_;
};

class NoLines final : public vesta::vedirect::Selector {
 public:
  bool Select(uint32_t channel) override { return channel != 2; }
};

void Drive(vesta::Session& session, const uint8_t* data, size_t size, uint8_t choice) {
  Checker checker;
  vesta::Now now;
  now.utc_us = 1718447696 * vesta::kUsPerSecond;
  session.LinkReset(now, checker);
  uint32_t random = choice * 2654435761u + 1;
  for (size_t at = 0; at < size;) {
    random = random * 1664525u + 1013904223u;
    const size_t wanted = (choice & 4) == 0 ? 1 : (random >> 16) % 300 + 1;
    const size_t n = wanted < size - at ? wanted : size - at;
    session.Receive({data + at, n}, now, checker);
    at += n;
    const uint32_t pause = (random >> 8) & 0x3F;
    now.monotonic_us += pause == 1 ? 7 * vesta::kUsPerSecond : pause < 6 ? 150 * vesta::kUsPerMs : 100;
    if (session.next_deadline_us() <= now.monotonic_us) session.Tick(now, checker);
    const vesta::Bytes question = session.Transmit();
    if (!question.empty()) {
      Require(question.size() == vesta::vedirect::kGetSize && question[1] == '7');
      session.Transmitted(question.size());
    }
    if (pause == 9 && (choice & 8) != 0) session.LinkReset(now, checker);
  }
  now.monotonic_us += 10 * vesta::kUsPerSecond;
  session.Tick(now, checker);
  session.LinkReset(now, checker);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  Options options;
  options.poll.enabled = (choice & 1) != 0;
  if ((choice & 2) != 0) {
    const uint32_t channels[] = {7, 6, 2};
    Multiplexer multiplexer(options, channels, std::make_unique<NoLines>());
    Drive(multiplexer, data + 1, size - 1, choice);
  } else {
    VedirectSession session(options);
    Drive(session, data + 1, size - 1, choice);
  }
  return 0;
}
