// What MEDIBUS bytes look like on the line: control bytes, checksum, and the only things a host may send.
//
// The link is read-only by type: a command can be made of a Request only, and Request lists what a reader needs:
// nothing in it changes a setting of a device. An answer to the device's own commands begins with SOH and is empty but
// for our identification. There is no function that takes a command byte from outside. Facts: reference of MEDIBUS,
// bytes and frames, commands, realtime channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/session.h"

namespace vesta::medibus {

inline constexpr uint8_t kSoh = 0x01;      // first byte of a response
inline constexpr uint8_t kEtx = 0x03;      // ends one text in a response
inline constexpr uint8_t kCr = 0x0D;       // ends every frame
inline constexpr uint8_t kSuspend = 0x11;  // DC1: the reverse of XON/XOFF
inline constexpr uint8_t kResume = 0x13;   // DC3
inline constexpr uint8_t kNak = 0x15;      // code of the response to a corrupt command
inline constexpr uint8_t kCancel = 0x18;   // drops what is being transmitted
inline constexpr uint8_t kEsc = 0x1B;      // first byte of a command
inline constexpr uint8_t kRealtimeBit = 0x80;

inline constexpr size_t kMaxCommand = 260;
inline constexpr size_t kMaxResponse = 3845;

// Every command that Vesta can send. All of them read, or keep the link itself up.
enum class Request : uint8_t {
  kMeasured1 = 0x24,
  kLowLimits1 = 0x25,
  kHighLimits1 = 0x26,
  kAlarms1 = 0x27,
  kDateTime = 0x28,
  kSettings = 0x29,
  kTexts = 0x2A,
  kMeasured2 = 0x2B,
  kLowLimits2 = 0x2C,
  kHighLimits2 = 0x2D,
  kAlarms2 = 0x2E,
  kNop = 0x30,
  kInitialise = 0x51,
  kIdentify = 0x52,
  kRealtimeConfiguration = 0x53,
  kRealtimeSelection = 0x54,  // which streams are sent to us; with SelectionArgument only
  kStop = 0x55,
};
inline constexpr std::array<Request, 17> kAllRequests = {Request::kMeasured1,
                                                         Request::kLowLimits1,
                                                         Request::kHighLimits1,
                                                         Request::kAlarms1,
                                                         Request::kDateTime,
                                                         Request::kSettings,
                                                         Request::kTexts,
                                                         Request::kMeasured2,
                                                         Request::kLowLimits2,
                                                         Request::kHighLimits2,
                                                         Request::kAlarms2,
                                                         Request::kNop,
                                                         Request::kInitialise,
                                                         Request::kIdentify,
                                                         Request::kRealtimeConfiguration,
                                                         Request::kRealtimeSelection,
                                                         Request::kStop};

// Commands of the device that matter; any other is answered and left.
inline constexpr uint8_t kCommandTimeChanged = 0x49;
inline constexpr uint8_t kCommandRealtimeChanged = 0x56;

inline constexpr size_t kMaxRealtimeStreams = 4;

// Streams to be sent, in the order that numbers them, every sample of each.
struct RealtimeSelection {
  std::array<uint8_t, kMaxRealtimeStreams> codes{};
  uint8_t count = 0;
};

// The code of a command that the device sent, to be echoed. Printable only: an answer never holds a control byte.
class DeviceCommand {
 public:
  static constexpr bool IsEchoable(uint8_t code) { return code >= 0x20 && code < kRealtimeBit; }
  explicit constexpr DeviceCommand(uint8_t code) : code_(IsEchoable(code) ? code : kNak) {}
  constexpr uint8_t code() const { return code_; }

 private:
  uint8_t code_;
};

// Low eight bits of the sum.
constexpr uint8_t Checksum(Bytes bytes) {
  unsigned sum = 0;
  for (const uint8_t byte : bytes) sum += byte;
  return static_cast<uint8_t>(sum);
}

// Bytes for the line, whole messages only.
inline constexpr size_t kOutboxSize = 512;  // answers to a device that asks a hundred times before we may send
class Outbox {
 public:
  // Each false when there is no room: nothing was added then.
  bool Ask(Request request);  // not kRealtimeSelection
  bool AskForStreams(const RealtimeSelection& selection);
  bool EnableStreams(uint8_t count);  // 0: none; bytes of the realtime channel
  bool Echo(DeviceCommand command);
  bool AnswerNak();
  // "" answers without one, as devices accept; else 0161'NAME'01.00:06.00.
  bool Identify(std::string_view host_name);

  Bytes pending() const { return {bytes_.data() + sent_, size_ - sent_}; }
  void Sent(size_t count);
  void Clear() { sent_ = size_ = 0; }

 private:
  bool Add(uint8_t start, uint8_t code, std::string_view payload);
  bool Append(Bytes message);

  std::array<uint8_t, kOutboxSize> bytes_{};
  size_t sent_ = 0;
  size_t size_ = 0;
};
inline constexpr size_t kMaxHostName = 30;

// Two capital hex digits; -1 for anything else.
int HexByte(uint8_t high, uint8_t low);

}  // namespace vesta::medibus
