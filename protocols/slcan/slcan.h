// slcan: CAN over a serial line, the ASCII of LAWICEL's CANUSB and of CANable adapters.
//
// Receiver turns the adapter's bytes, in chunks of any size, into events; the functions below make what is sent to it.
// Nothing but this text form stands here: opening and watching the port is the source's work. A line is what stands
// between carriage returns; a bell ends a line too and marks it as refused. Facts: LAWICEL command set, slcan-core.c of
// Linux, can-utils.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocols/can_frame.h"

namespace vesta::slcan {

using can::Bytes;

// The longest honest line: an extended frame with eight bytes and a time stamp, and some room.
inline constexpr size_t kMaxLine = 31;

enum class EventKind : uint8_t {
  kFrame,
  kAccepted,     // a lone carriage return: the adapter took a command
  kRefused,      // a lone bell: it refused one
  kSent,         // a frame went out ("z", "Z")
  kVersion,      // hardware and software, two digits each
  kVersionText,  // free text
  kSerial,
  kStatusFlags,  // the meaning of the bits differs by maker
  kBusError,
  kBusState,
  kDiscard,  // a line that means nothing: `reason` and `text` say which
};

enum class BusState : uint8_t { kActive, kWarning, kPassive, kBusOff };

struct Event {
  EventKind kind = EventKind::kDiscard;
  can::Frame frame;
  int32_t timestamp_ms = -1;  // 0..65535 as sent (an honest adapter wraps at 60000); -1 = none
  uint8_t flags = 0;
  BusState state = BusState::kActive;
  uint16_t rx_errors = 0;
  uint16_t tx_errors = 0;
  std::string_view text;    // version, serial number, error letters ("1" to "9" of them) or what was discarded
  const char* reason = "";  // of a discard: "unknown", "malformed", "overflow", "refused"
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Texts are valid during the call only.
  virtual void OnEvent(const Event& event) = 0;
};

class Receiver {
 public:
  void Receive(Bytes bytes, EventSink& sink);
  // The port was opened anew: what was half received is void.
  void Reset();
  size_t pending() const { return overflow_ ? 0 : size_; }

 private:
  void EndLine(bool bell, EventSink& sink);

  std::array<char, kMaxLine> line_{};
  size_t size_ = 0;
  bool overflow_ = false;
};

// "ack", "bit0", ... for a letter of a bus error; "" for another letter.
const char* BusErrorName(char letter);
const char* BusStateName(BusState state);  // "active", "warning", "passive", "bus_off"

// Texts to send, each a line with its carriage return.
inline constexpr size_t kMaxFrameText = 32;
// 0 for an error frame: it can't be sent.
size_t FormatFrame(const can::Frame& frame, char* out);

// Closes the channel first, since the adapter may still be open, then sets the bit rate and opens. nullopt: a bit rate
// that has no code. At most 16 bytes.
std::optional<std::string_view> OpenSequence(uint32_t bitrate, bool listen_only);
inline constexpr std::string_view kCloseCommand = "C\r";
inline constexpr std::string_view kFlagsCommand = "F\r";
inline constexpr std::string_view kVersionCommand = "V\r";

}  // namespace vesta::slcan
