// Any bytes from an slcan adapter: the events do not depend on the chunks, memory is bounded, and each frame can be
// written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocols/slcan/error_frame.h"
#include "protocols/slcan/slcan.h"

namespace {

using vesta::slcan::Event;
using vesta::slcan::EventKind;

void Require(bool condition) {
  if (!condition) std::abort();
}

class Events : public vesta::slcan::EventSink {
 public:
  void OnEvent(const Event& event) override {
    log += std::to_string(static_cast<int>(event.kind)) + ' ' + std::string(event.text) + event.reason + '\n';
    Require((event.kind == EventKind::kDiscard) == (event.reason[0] != '\0'));
    const bool of_bus = event.kind == EventKind::kBusError || event.kind == EventKind::kBusState;
    Require(vesta::slcan::ErrorFrame(event).has_value() == of_bus);
    if (event.kind != EventKind::kFrame) return;
    char text[vesta::slcan::kMaxFrameText];
    const size_t size = vesta::slcan::FormatFrame(event.frame, text);
    Require(size > 0 && size <= sizeof text);
    log.append(text, size);
  }
  std::string log;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vesta::slcan::Receiver whole;
  Events all_at_once;
  whole.Receive({data, size}, all_at_once);
  vesta::slcan::Receiver receiver;
  Events one_by_one;
  for (size_t i = 0; i < size; ++i) receiver.Receive({data + i, 1}, one_by_one);
  Require(all_at_once.log == one_by_one.log);
  Require(whole.pending() == receiver.pending() && whole.pending() <= vesta::slcan::kMaxLine);
  return 0;
}
