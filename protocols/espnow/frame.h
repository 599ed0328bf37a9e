// ESP-NOW frames as they are on the air: 802.11 vendor-specific action frames of Espressif, versions 1 and 2.
//
//   offset  size  content (from the first byte behind radiotap)
//   0       2     frame control: 0xD0 (action), then 0x08 retry, 0x40 protected
//   2       2     duration in us
//   4       6     receiver      10  6  sender      16  6  third address: never tested, senders disagree on it
//   22      2     sequence control: 4 bits fragment, 12 bits sequence number
//   24      4     category 127, OUI 18:FE:34
//   28      4     random value, the same in repetitions of one message
//   32      n     elements: 221, length (5 + body), 18:FE:34, type 4, version byte, body of 0..250 bytes.
//                 Version byte: low nibble 1 or 2; bit 4 in version 2: another element follows
//   32+n    4     checksum, if the receiver passes it on
//
// ReadPacket judges a captured packet and gives views into it; nothing is copied. The bytes of the body still mean
// nothing: the node layer checks the length of each of its messages. Facts: Espressif's ESP-NOW guide; checked on
// captures (see the vectors).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocols/espnow/radiotap.h"

namespace vesta::espnow {

using Address = std::array<uint8_t, 6>;
inline constexpr Address kBroadcast = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

inline constexpr size_t kMacHeaderSize = 24;
inline constexpr size_t kActionHeaderSize = 8;
inline constexpr size_t kElementHeaderSize = 7;
inline constexpr size_t kFcsSize = 4;
inline constexpr size_t kMaxElementBody = 250;
inline constexpr size_t kMaxBody1 = 250;   // version 1
inline constexpr size_t kMaxBody2 = 1470;  // version 2
// A full version 2 body needs six elements; the rest is for senders that cut it finer.
inline constexpr size_t kMaxElements = 16;
inline constexpr size_t kCcmpHeaderSize = 8;

enum class Verdict : uint8_t { kEspNow, kEncrypted, kDropped, kMalformed, kNotEspNow };
enum class Fcs : uint8_t { kUnknown, kOk, kBad, kAbsent, kNotCaptured };

struct Element {
  uint8_t version = 0;
  bool more = false;
  Bytes body;
};

struct Packet {
  Verdict verdict = Verdict::kMalformed;
  const char* reason = "";  // stable word, "" for kEspNow
  bool has_radiotap = false;
  bool has_mac_header = false;
  bool has_random = false;
  Radiotap radiotap;
  Fcs fcs = Fcs::kUnknown;
  bool retry = false;
  uint16_t duration_us = 0;
  uint16_t sequence = 0;
  uint8_t fragment = 0;
  Address receiver = {};
  Address sender = {};
  Address third = {};
  std::array<uint8_t, 4> random = {};
  Bytes ccmp_header;  // of an encrypted frame
  uint8_t element_count = 0;
  std::array<Element, kMaxElements> elements = {};
  size_t body_size = 0;
  size_t trailing_bytes = 0;  // behind the last element: a warning
};

// `packet` begins with radiotap. `air_size`: how long the packet was before the capture cut it; at least packet.size().
Packet ReadPacket(Bytes packet, size_t air_size);
inline Packet ReadPacket(Bytes packet) { return ReadPacket(packet, packet.size()); }
// The same for a frame without radiotap and without checksum.
Packet ReadFrame(Bytes frame);

// The body in one piece: a view into the frame when there is one element, else copied to `scratch`.
Bytes JoinBody(const Packet& packet, std::span<uint8_t, kMaxBody2> scratch);

// Whom an 802.11 acknowledgement frame is for; nullopt when the packet is none.
std::optional<Address> ReadAcknowledgement(Bytes packet);

struct SendOptions {
  Address receiver = kBroadcast;
  Address sender = {};
  uint16_t sequence = 0;  // most drivers write their own
  std::array<uint8_t, 4> random = {};
  uint8_t version = 1;  // 2 allows bodies above 250 bytes, which receivers of version 1 cut or drop
  uint32_t rate_kbps = 1000;
};

inline constexpr size_t kMaxSentSize =
    kTransmitRadiotapSize + kMacHeaderSize + kActionHeaderSize + 6 * kElementHeaderSize + kMaxBody2;

// Writes radiotap and frame, without checksum (the driver adds it). 0 when the body is too long for the version or
// `out` is too small.
size_t WritePacket(const SendOptions& options, Bytes body, std::span<uint8_t> out);

// The frame's checksum: CRC-32 of IEEE 802.3.
uint32_t FrameChecksum(Bytes bytes);

}  // namespace vesta::espnow
