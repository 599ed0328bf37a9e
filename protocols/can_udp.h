// CAN frames in UDP datagrams: several frames, a number to tell lost datagrams by. The format is
// docs/formats/can-udp.md.
//
//   'V' 'C' | version 1 | count | sequence (4, big-endian) | count frames in the form of can_frame.h, one behind the
//   other
#pragma once

#include <cstdint>
#include <span>

#include "protocols/can_frame.h"

namespace vesta::can {

inline constexpr size_t kUdpHeaderSize = 8;
inline constexpr size_t kMaxUdpFrames = 100;  // below the 1,472 bytes that pass an Ethernet in one piece
inline constexpr size_t kMaxUdpSize = kUdpHeaderSize + kMaxUdpFrames * kMaxFrameSize;

class UdpFrames {
 public:
  // False: not this form, another version, or damaged; nothing is taken then.
  bool Read(Bytes datagram);
  uint32_t sequence() const { return sequence_; }
  uint8_t count() const { return count_; }
  // The next frame in its datagram form; empty behind the last.
  Bytes Next();

 private:
  uint32_t sequence_ = 0;
  uint8_t count_ = 0;
  Bytes rest_;
};

class UdpWriter {
 public:
  void Begin(uint32_t sequence);
  // False: the datagram is full.
  bool Add(const Frame& frame);
  Bytes datagram() const { return {bytes_.data(), size_}; }

 private:
  std::array<uint8_t, kMaxUdpSize> bytes_{};
  size_t size_ = 0;
};

}  // namespace vesta::can
