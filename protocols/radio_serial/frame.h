// The messages between the hub and an ESP32 that is its radio on a serial port: docs/formats/radio-serial.md.
//
//   offset  size  content of a message, before it is stuffed
//   0       1     type
//   1       1     sequence number, one more for each message in this direction
//   2       n     body
//   2+n     4     CRC-32 of all before (IEEE 802.3), little-endian
//
// On the wire zeros are stuffed away (COBS) and a zero ends the message, so a reader that starts anywhere, or loses
// bytes, is whole again at the next zero. All numbers are little-endian. No I/O, no heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::radio_serial {

using Bytes = std::span<const uint8_t>;
using Address = std::array<uint8_t, 6>;

inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kMaxAirBody = 1470;  // ESP-NOW version 2
inline constexpr size_t kMaxBody = 16 + kMaxAirBody;
inline constexpr size_t kHeadSize = 2;
inline constexpr size_t kCrcSize = 4;
inline constexpr size_t kMaxMessage = kHeadSize + kMaxBody + kCrcSize;
inline constexpr size_t kMaxOnWire = kMaxMessage + kMaxMessage / 254 + 2;

enum class Type : uint8_t {
  // Hub to radio.
  kHello = 0x01,
  kSetChannel = 0x02,
  kSend = 0x03,
  // Radio to hub.
  kWelcome = 0x81,
  kChannel = 0x82,
  kSent = 0x83,
  kStatus = 0x84,
  kReceived = 0x85,
};

struct Message {
  Type type = Type::kHello;
  uint8_t sequence = 0;
  Bytes body;
};

struct Send {
  uint16_t id = 0;
  Address to = {};
  Bytes body;
};
inline constexpr size_t kSendHeadSize = 8;

enum class SendResult : uint8_t { kAcknowledged = 0, kNotAcknowledged = 1, kFull = 2, kRefused = 3 };
struct Sent {
  uint16_t id = 0;
  SendResult result = SendResult::kAcknowledged;
};

struct Welcome {
  uint8_t version = kVersion;
  Address address = {};  // that nodes send to
  uint8_t channel = 0;
  uint8_t window = 1;  // Send messages that may be on their way
  uint16_t max_body = 250;
};

struct Status {
  uint8_t channel = 0;
  uint32_t received = 0;
  uint32_t sent = 0;
  uint32_t dropped = 0;  // heard, but there was no room on the line
};

struct Received {
  Address from = {};
  Address to = {};
  uint8_t channel = 0;
  int8_t rssi_dbm = 0;
  uint16_t age_ms = 0;  // that it waited in the radio
  Bytes body;
};
inline constexpr size_t kReceivedHeadSize = 16;

bool Read(const Message& message, Welcome* out);
bool Read(const Message& message, Sent* out);
bool Read(const Message& message, Status* out);
bool Read(const Message& message, Received* out);
bool Read(const Message& message, Send* out);

// Each writes a whole message for the wire and returns its size; 0 when a body is too long. `out` has kMaxOnWire bytes.
using Wire = std::span<uint8_t, kMaxOnWire>;
size_t WriteHello(uint8_t sequence, Wire out);
size_t WriteSetChannel(uint8_t sequence, uint8_t channel, Wire out);
size_t Write(uint8_t sequence, const Send& send, Wire out);
size_t Write(uint8_t sequence, const Welcome& welcome, Wire out);
size_t Write(uint8_t sequence, const Sent& sent, Wire out);
size_t Write(uint8_t sequence, const Status& status, Wire out);
size_t Write(uint8_t sequence, const Received& received, Wire out);

// Finds messages in a stream of bytes.
class Reader {
 public:
  // True when a message is complete; it lives until the next call.
  bool Take(uint8_t byte, Message* out);
  void Reset() { *this = Reader(); }

  uint32_t bad() const { return bad_; }    // stuffing, checksum or length
  uint32_t lost() const { return lost_; }  // gaps of the sequence

 private:
  bool Finish(Message* out);

  std::array<uint8_t, kMaxMessage> message_;
  size_t size_ = 0;
  uint8_t left_ = 0;  // bytes until the next stuffed zero
  bool is_full_block_ = false;
  bool is_bad_ = false;
  bool is_started_ = false;
  bool has_sequence_ = false;
  uint8_t sequence_ = 0;
  uint32_t bad_ = 0;
  uint32_t lost_ = 0;
};

}  // namespace vesta::radio_serial
