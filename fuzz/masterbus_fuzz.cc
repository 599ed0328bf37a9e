// Any frames on a MasterBus: no crash, every bound kept, texts clean, and what was learned survives being saved.
#include <cstdint>
#include <cstdlib>
#include <set>

#include "protocols/masterbus/session.h"

namespace {

using vesta::masterbus::MasterBusSession;

void Require(bool condition) {
  if (!condition) std::abort();
}

class Checker : public vesta::SessionEvents {
 public:
  explicit Checker(const MasterBusSession& session) : session_(session) {}
  void OnDevice(uint16_t slot, const vesta::DeviceInfo& device) override {
    Require(device.identity.size() == 6);
    slots_.insert(slot);
  }
  void OnFrame(const vesta::FrameEvent& frame) override {
    ++frames;
    Require((frame.verdict == vesta::FrameVerdict::kAccepted) == (frame.reason[0] == '\0'));
    for (const vesta::Reading& r : frame.readings) {
      Require(slots_.count(r.device) == 1);
      Require(r.field < session_.fields().size());
      const vesta::Field& field = session_.fields()[r.field];
      Require(field.key[0] != '\0');
      for (const char* c = field.key; *c != '\0'; ++c) {
        Require((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
      }
      Require(r.value.is_none() == (r.quality == vesta::ValueQuality::kUnavailable));
    }
  }
  size_t frames = 0;

 private:
  const MasterBusSession& session_;
  std::set<uint16_t> slots_;
};

}  // namespace

// Byte 0: options. Then frames: a length, and so many bytes of a datagram. A length byte above 13 is time that passes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  vesta::masterbus::Options options;
  options.read = (data[0] & 1) != 0;
  // Small tables, so that their ends are reached.
  if ((data[0] & 2) != 0) options.limits = {8, 2, 16, 8, 16, 8, 8, 4, 8, 4, 8, 4, 8, 4};
  MasterBusSession session(options);
  Checker checker(session);
  vesta::Now now;
  size_t sent = 0;
  for (size_t at = 1; at < size;) {
    const uint8_t length = data[at++];
    if (length > vesta::can::kMaxFrameSize) {
      now.monotonic_us += length * 10000;
      now.utc_us += length * 10000;
      if (session.next_deadline_us() <= now.monotonic_us) session.Tick(now, checker);
      if (const vesta::Bytes out = session.Transmit(); !out.empty()) {
        Require(options.read);
        const auto frame = vesta::can::ReadFrame(out);
        Require(frame.has_value());
        Require(vesta::masterbus::IsRequest(vesta::masterbus::ReadMasterBusFrame(*frame).role));
        session.Transmitted(out.size());
      }
      continue;
    }
    const size_t n = length < size - at ? length : size - at;
    session.Receive({data + at, n}, now, checker);
    ++sent;
    at += n;
  }
  Require(checker.frames == sent);
  const auto& limits = options.limits;
  const vesta::masterbus::BusView view = session.view();
  Require(view.model().established() <= limits.devices - limits.tentative);
  Require(view.model().item_count() <= limits.items);
  MasterBusSession again(options);
  Require(again.LoadModel(session.SaveModel()));
  // All that is kept is known; what spoke once only and told no text is not kept.
  uint16_t kept = 0;
  view.ForEachDevice([&](uint16_t, const vesta::masterbus::BusDevice& device) {
    const bool is_kept = device.established && (device.texts > 0 || device.frames + device.polls > 1);
    if (!is_kept) return;
    ++kept;
    Require(again.view().model().FindDevice(device.address) != vesta::masterbus::kNone);
  });
  Require(again.view().model().established() == kept);
  again.LoadModel({data, size});
  return 0;
}
