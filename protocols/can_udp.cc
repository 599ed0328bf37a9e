#include "protocols/can_udp.h"

namespace vesta::can {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kRemoteBit = 0x40;  // of a frame's first byte

// Of the frame that begins here; 0 when it is cut.
size_t FrameSize(Bytes bytes) {
  if (bytes.size() < kFrameHeaderSize) return 0;
  const bool is_remote = (bytes[0] & kRemoteBit) != 0;
  const size_t size = kFrameHeaderSize + (is_remote ? 0u : bytes[4]);
  return size <= bytes.size() ? size : 0;
}

}  // namespace

bool UdpFrames::Read(Bytes datagram) {
  rest_ = {};
  count_ = 0;
  if (datagram.size() < kUdpHeaderSize || datagram[0] != 'V' || datagram[1] != 'C' || datagram[2] != kVersion) {
    return false;
  }
  const Bytes frames = datagram.subspan(kUdpHeaderSize);
  Bytes left = frames;
  for (uint8_t i = 0; i < datagram[3]; ++i) {
    const size_t size = FrameSize(left);
    if (size == 0 || !ReadFrame(left.first(size))) return false;
    left = left.subspan(size);
  }
  if (!left.empty()) return false;
  count_ = datagram[3];
  sequence_ = static_cast<uint32_t>(datagram[4]) << 24 | static_cast<uint32_t>(datagram[5]) << 16 |
              static_cast<uint32_t>(datagram[6]) << 8 | datagram[7];
  rest_ = frames;
  return true;
}

Bytes UdpFrames::Next() {
  const size_t size = FrameSize(rest_);
  const Bytes frame = rest_.first(size);
  rest_ = rest_.subspan(size);
  return frame;
}

void UdpWriter::Begin(uint32_t sequence) {
  bytes_[0] = 'V';
  bytes_[1] = 'C';
  bytes_[2] = kVersion;
  bytes_[3] = 0;
  for (size_t i = 0; i < 4; ++i) bytes_[4 + i] = static_cast<uint8_t>(sequence >> (24 - 8 * i));
  size_ = kUdpHeaderSize;
}

bool UdpWriter::Add(const Frame& frame) {
  if (bytes_[3] >= kMaxUdpFrames) return false;
  size_ += WriteFrame(frame, std::span<uint8_t, kMaxFrameSize>(&bytes_[size_], kMaxFrameSize));
  ++bytes_[3];
  return true;
}

}  // namespace vesta::can
