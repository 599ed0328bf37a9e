// ESP-NOW frames in UDP datagrams: a head of eight bytes, then the 802.11 action frame as it would be on the air. The
// format is docs/formats/udp-air.md. For wired nodes, nodes on the same computer, and simulation; the gateway and the
// node program use the same two functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/espnow/frame.h"

namespace vesta::espnow {

inline constexpr size_t kUdpAirHeadSize = 8;
// What a writer needs: some bytes more than a datagram has.
inline constexpr size_t kMaxUdpAirSize = kMaxSentSize;
inline constexpr uint16_t kUdpAirPort = 5770;
inline constexpr uint8_t kMaxChannel = 14;

// False: not this form, another version, or damaged. Else the frame is judged into `out` as ReadPacket would, with the
// channel and the signal of the head in its radiotap part. Views point into the datagram.
bool ReadUdpAir(Bytes datagram, Packet* out);

// Whether a receiver that is tuned to `own` hears `other`; 0 = no radio, hears and is heard everywhere.
constexpr bool IsHeardOn(uint8_t own, uint8_t other) { return own == 0 || other == 0 || own == other; }

// Returns the datagram's size, 0 when the body is too long for the version or `out` is too small.
size_t WriteUdpAir(const SendOptions& options, uint8_t channel, int8_t signal_dbm, Bytes body, std::span<uint8_t> out);

}  // namespace vesta::espnow
