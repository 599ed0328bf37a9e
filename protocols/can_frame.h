// One CAN frame, and the datagram form in which CAN sources hand it to a session.
//
//   offset  size  content
//   0       4     identifier with flags in the top bits, most significant byte first, as SocketCAN sets them:
//                 bit 31 extended (29 bits), bit 30 remote request, bit 29 error frame
//   4       1     data length code, 0..8
//   5       0..8  data; absent in a remote request
//
// Facts: Linux include/uapi/linux/can.h (documented in Documentation/networking/can.rst).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vesta::can {

using Bytes = std::span<const uint8_t>;

inline constexpr size_t kMaxFrameData = 8;
inline constexpr size_t kFrameHeaderSize = 5;
inline constexpr size_t kMaxFrameSize = kFrameHeaderSize + kMaxFrameData;
// Above the id in the 32-bit word that Linux and its log files use.
inline constexpr uint32_t kExtendedFlag = 0x80000000;
inline constexpr uint32_t kRemoteFlag = 0x40000000;
inline constexpr uint32_t kErrorFlag = 0x20000000;
inline constexpr uint32_t kStandardIdMask = 0x7FF;
inline constexpr uint32_t kExtendedIdMask = 0x1FFFFFFF;

struct Frame {
  uint32_t id = 0;  // without flags; for an error frame the error class bits
  bool is_extended = false;
  bool is_remote = false;
  bool is_error = false;
  uint8_t size = 0;  // data length; of a remote request the length it asks for
  std::array<uint8_t, kMaxFrameData> data = {};
};

// nullopt: wrong size, length code above 8, or an identifier too big for its form.
std::optional<Frame> ReadFrame(Bytes datagram);
// Returns the size written, at most kMaxFrameSize.
size_t WriteFrame(const Frame& frame, std::span<uint8_t, kMaxFrameSize> out);

}  // namespace vesta::can
