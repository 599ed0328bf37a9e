#include "protocols/can_frame.h"

#include <algorithm>

namespace vesta::can {
std::optional<Frame> ReadFrame(Bytes datagram) {
  if (datagram.size() < kFrameHeaderSize || datagram.size() > kMaxFrameSize) return std::nullopt;
  const uint32_t word = static_cast<uint32_t>(datagram[0]) << 24 | static_cast<uint32_t>(datagram[1]) << 16 |
                        static_cast<uint32_t>(datagram[2]) << 8 | datagram[3];
  Frame frame;
  frame.is_extended = (word & kExtendedFlag) != 0;
  frame.is_remote = (word & kRemoteFlag) != 0;
  frame.is_error = (word & kErrorFlag) != 0;
  frame.id = word & kExtendedIdMask;
  frame.size = datagram[4];
  if (frame.size > kMaxFrameData) return std::nullopt;
  if (!frame.is_extended && !frame.is_error && frame.id > kStandardIdMask) return std::nullopt;
  const size_t data_size = frame.is_remote ? 0 : frame.size;
  if (datagram.size() != kFrameHeaderSize + data_size) return std::nullopt;
  std::copy_n(datagram.begin() + kFrameHeaderSize, data_size, frame.data.begin());
  return frame;
}

size_t WriteFrame(const Frame& frame, std::span<uint8_t, kMaxFrameSize> out) {
  const uint32_t word = (frame.id & kExtendedIdMask) | (frame.is_extended ? kExtendedFlag : 0) |
                        (frame.is_remote ? kRemoteFlag : 0) | (frame.is_error ? kErrorFlag : 0);
  out[0] = static_cast<uint8_t>(word >> 24);
  out[1] = static_cast<uint8_t>(word >> 16);
  out[2] = static_cast<uint8_t>(word >> 8);
  out[3] = static_cast<uint8_t>(word);
  const size_t size = std::min<size_t>(frame.size, kMaxFrameData);
  out[4] = static_cast<uint8_t>(size);
  if (frame.is_remote) return kFrameHeaderSize;
  std::copy_n(frame.data.begin(), size, out.begin() + kFrameHeaderSize);
  return kFrameHeaderSize + size;
}

}  // namespace vesta::can
