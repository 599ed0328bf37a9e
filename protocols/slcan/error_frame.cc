#include "protocols/slcan/error_frame.h"

#include <algorithm>

#include "protocols/can_error.h"

namespace vesta::slcan {
namespace {

// The kinds and places of a protocol violation, data[2] and data[3].
enum Violation : uint8_t { kForm = 0x02, kStuff = 0x04, kBit0 = 0x08, kBit1 = 0x10 };
constexpr uint8_t kCrcPlace = 0x08;
constexpr uint16_t kWarningAt = 96;
constexpr uint16_t kPassiveAt = 128;

void AddLetter(char letter, can::Frame* frame) {
  const auto violate = [frame](uint8_t kind) {
    frame->id |= can::kProtocolViolation | can::kBusError;
    frame->data[2] = static_cast<uint8_t>(frame->data[2] | kind);
  };
  const auto overrun = [frame](uint8_t bit) {
    frame->id |= can::kController;
    frame->data[1] = static_cast<uint8_t>(frame->data[1] | bit);
  };
  switch (letter) {
    case 'a':
      frame->id |= can::kNoAcknowledge;
      break;
    case 'b':
      return violate(kBit0);
    case 'B':
      return violate(kBit1);
    case 'c':
      violate(0);
      frame->data[3] = kCrcPlace;
      break;
    case 'f':
      return violate(kForm);
    case 's':
      return violate(kStuff);
    case 'o':
      return overrun(can::kRxOverflow);
    case 'O':
      return overrun(can::kTxOverflow);
    default:
      break;
  }
}

uint8_t ControllerBits(const Event& event) {
  const auto bits = [&event](uint16_t least, uint8_t rx, uint8_t tx) {
    uint8_t set = event.tx_errors >= least ? tx : 0;
    if (event.rx_errors >= least || set == 0) set = static_cast<uint8_t>(set | rx);
    return set;
  };
  switch (event.state) {
    case BusState::kWarning:
      return bits(kWarningAt, can::kRxWarning, can::kTxWarning);
    case BusState::kPassive:
      return bits(kPassiveAt, can::kRxPassive, can::kTxPassive);
    default:
      return can::kActive;
  }
}

}  // namespace

std::optional<can::Frame> ErrorFrame(const Event& event) {
  can::Frame frame;
  frame.is_error = true;
  frame.size = can::kMaxFrameData;
  if (event.kind == EventKind::kBusError) {
    for (const char letter : event.text) AddLetter(letter, &frame);
    return frame;
  }
  if (event.kind != EventKind::kBusState) return std::nullopt;
  frame.id = can::kCountersValid;
  if (event.state == BusState::kBusOff) {
    frame.id |= can::kBusOff;
  } else {
    frame.id |= can::kController;
    frame.data[1] = ControllerBits(event);
  }
  frame.data[6] = static_cast<uint8_t>(std::min<uint16_t>(event.tx_errors, 255));
  frame.data[7] = static_cast<uint8_t>(std::min<uint16_t>(event.rx_errors, 255));
  return frame;
}

}  // namespace vesta::slcan
