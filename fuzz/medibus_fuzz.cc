// Feeds a MEDIBUS session any bytes in any chunks, with pauses, line resets and a farewell from the input, and reads
// the same bytes as a message of the original nodes.
//
// Checked besides memory: the session sends nothing but what only reads, a listener sends nothing, readings point into
// the field table and to devices that were announced, and time never stands still.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "protocols/medibus/legacy_mqtt.h"
#include "protocols/medibus/read_only_check_for_test.h"
#include "protocols/medibus/session.h"

namespace {

using vesta::medibus::MedibusSession;

// Traps like a sanitizer, so that libFuzzer keeps the input.
void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  explicit Checker(const MedibusSession* session) : session_(session) {}
  void OnDevice(uint16_t slot, const vesta::DeviceInfo& device) override {
    Require(slot < vesta::medibus::kMaxDevices);
    Require(!device.identity.empty() && device.identity.size() <= vesta::kMaxIdentitySize);
    for (const char c : device.identity) Require(c >= 0x20 && c <= 0x7E);
    Require(device.parent == vesta::kNoDevice || slots_.count(device.parent) == 1);
    slots_.insert(slot);
  }
  void OnFrame(const vesta::FrameEvent& frame) override {
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    Require(frame.verdict == vesta::FrameVerdict::kAccepted || frame.readings.empty());
    for (const uint8_t byte : frame.raw) sum_ += byte;
    for (const vesta::Reading& r : frame.readings) {
      Require(slots_.count(r.device) == 1);
      Require(r.field < session_->fields().size());
      const vesta::FieldKind kind = session_->fields()[r.field].kind;
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
  const MedibusSession* session_;
  std::set<uint16_t> slots_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const uint8_t bits = data[0];
  vesta::medibus::Options options;
  options.passive = (bits & 1) != 0;
  options.link.realtime_streams = static_cast<uint8_t>((bits >> 1) & 3);
  if ((bits & 8) != 0) options.link.host_name = "Fuzz";
  if ((bits & 16) != 0) options.assumed_family = vesta::medibus::Family::kNone;
  MedibusSession session(options);
  Checker checker(&session);
  vesta::medibus::ReadOnlyCheck check;
  vesta::Now now;
  now.utc_us = 1718447696 * vesta::kUsPerSecond;
  session.LinkReset(now, checker);
  uint32_t random = data[1] * 2654435761u + 1;
  const bool takes = (bits & 32) == 0;
  for (size_t at = 2; at < size;) {
    random = random * 1664525u + 1013904223u;
    size_t n = (random >> 16) % 80 + 1;
    if (n > size - at) n = size - at;
    session.Receive({data + at, n}, now, checker);
    at += n;
    const uint32_t pause = (random >> 8) & 0x1F;
    int64_t left_us = pause == 1 ? 12 * vesta::kUsPerSecond : pause < 6 ? 400 * vesta::kUsPerMs : 1000;
    for (int turns = 0; left_us >= 0 && session.next_deadline_us() <= now.monotonic_us + left_us; ++turns) {
      Require(turns < 10000);
      const int64_t step_us =
          session.next_deadline_us() > now.monotonic_us ? session.next_deadline_us() - now.monotonic_us : 0;
      now.monotonic_us += step_us;
      now.utc_us += step_us;
      left_us -= step_us;
      session.Tick(now, checker);
      if (!takes) continue;
      check.Take(session.Transmit());
      session.Transmitted(session.Transmit().size());
    }
    now.monotonic_us += left_us > 0 ? left_us : 0;
    if (pause == 7 && (bits & 64) != 0) session.LinkReset(now, checker);
    if (pause == 8 && (bits & 128) != 0) session.BeginFarewell(now, checker);
    if (takes) {
      const vesta::Bytes sent = session.Transmit();
      Require(!options.passive || sent.empty());
      check.Take(sent);
      session.Transmitted(sent.size());
    }
  }
  Require(check.ok());
  vesta::medibus::LegacyMessage message;
  if (vesta::medibus::ReadLegacyMessage({reinterpret_cast<const char*>(data), size}, &message)) {
    Require(message.frame_size >= 2 && message.frame_size <= message.frame.size());
    Require(message.has_time == (vesta::medibus::LegacyTime(message, 120) != vesta::kNoTime));
  }
  return 0;
}
