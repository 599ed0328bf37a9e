// CAN frames as text: the form of can-utils ("086F1297#010069914B41") and the lines of its log files, and the 16 bytes
// of Linux' struct can_frame.
//
//   (1641765623.744161) can0 086F1297#010069914B41
//
// Stricter than can-utils: what it would cut or read as something else is refused. CAN FD frames are read as text so
// that a log with some of them can be told from damage; no session takes them. Facts: linux/can.h and can-utils' lib.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/time.h"
#include "protocols/can_frame.h"

namespace vesta::can {

inline constexpr size_t kMaxFdData = 64;

struct TextFrame {
  uint32_t id = 0;  // without flags
  bool is_extended = false;
  bool is_remote = false;
  bool is_error = false;
  bool is_fd = false;
  uint8_t fd_flags = 0;  // of an FD frame
  uint8_t len8_dlc = 0;  // raw length code 9..15 of a frame with 8 bytes; else 0
  uint8_t size = 0;      // data length; of a remote request the length it asks for
  std::array<uint8_t, kMaxFdData> data = {};
};

// nullopt for an FD frame: it has no datagram form.
std::optional<Frame> ClassicFrame(const TextFrame& text);

std::optional<TextFrame> ParseFrameText(std::string_view text);

// Longest text of a classic frame: 8 digits, '#', 16 digits.
inline constexpr size_t kFrameTextSize = 32;
size_t FormatFrameText(const Frame& frame, char* out);

enum class CandumpStatus : uint8_t {
  kFrame,
  kSkip,    // comment, notice, blank, another form: a line that does not begin with '('
  kReject,  // begins like a frame and is none
};
enum class Direction : uint8_t { kNotSaid, kReceived, kSent };

struct CandumpLine {
  UtcUs time_us = 0;
  std::string_view interface_name;  // view into the line
  TextFrame frame;
  Direction direction = Direction::kNotSaid;
};

// `line` without its line feed; a carriage return is tolerated.
CandumpStatus ParseCandumpLine(std::string_view line, CandumpLine* out);

// A line with its line feed, at most kCandumpLineSize bytes; an interface name is cut at 32 bytes.
inline constexpr size_t kCandumpLineSize = 128;
size_t FormatCandumpLine(UtcUs time_us, std::string_view interface_name, const Frame& frame, char* out);

// struct can_frame as a little-endian host has it in memory.
inline constexpr size_t kKernelFrameSize = 16;
// nullopt: a length above 8 or an identifier too big for its form.
std::optional<Frame> ReadKernelFrame(std::span<const uint8_t, kKernelFrameSize> bytes);
void WriteKernelFrame(const Frame& frame, uint8_t len8_dlc, std::span<uint8_t, kKernelFrameSize> out);

}  // namespace vesta::can
