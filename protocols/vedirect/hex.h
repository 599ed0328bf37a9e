// Frames of the VE.Direct HEX protocol: decoding and encoding.
//
// ':', one hex digit for the command, pairs of digits for the data (numbers low byte first), two digits for the check,
// '\n'. Command, data and check add up to 0x55 modulo 256. Upper-case digits only. Facts: reference of Victron, section
// 11. Building a frame sends nothing: what the session asks for is in poll.h, and it only ever asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/session.h"
#include "protocols/vedirect/framer.h"

namespace vesta::vedirect {

enum class HexCommand : uint8_t {  // host to device
  kPing = 1,
  kAppVersion = 3,
  kProductId = 4,
  kRestart = 6,
  kGet = 7,
  kSet = 8,
};
enum class HexResponse : uint8_t {  // device to host
  kDone = 1,
  kUnknown = 3,
  kError = 4,
  kPing = 5,
  kGet = 7,
  kSet = 8,
  kAsync = 10,
};

// Flags of an answer about a register.
inline constexpr uint8_t kFlagUnknownRegister = 0x01;
inline constexpr uint8_t kFlagNotSupported = 0x02;
inline constexpr uint8_t kFlagParameterError = 0x04;

inline constexpr size_t kMaxHexData = (kMaxHexText - 5) / 2;

struct HexFrame {
  uint8_t code = 0;  // of HexCommand or HexResponse, by direction
  std::array<uint8_t, kMaxHexData> data{};
  size_t size = 0;
  // Of the codes 7, 8 and A.
  bool has_register = false;
  uint16_t reg = 0;
  uint8_t flags = 0;
  Bytes value() const { return {data.data() + 3, has_register ? size - 3 : 0}; }
  Bytes bytes() const { return {data.data(), size}; }
};

enum class HexProblem : uint8_t { kNone = 0, kFraming = 1, kLength = 2, kCharacter = 3, kChecksum = 4 };
// "", "hex_framing", "hex_length", "hex_character", "hex_checksum": the reason of a rejected frame.
const char* HexProblemName(HexProblem problem);

// raw: as the framer hands it over. A frame that ended in a byte other than a line feed is taken when its check is
// right.
HexProblem DecodeHex(Bytes raw, HexEnd end, HexFrame* frame);

// Both return the size, 0 when it does not fit.
size_t EncodeHex(uint8_t code, Bytes data, std::span<uint8_t> out);
size_t EncodeGet(uint16_t reg, std::span<uint8_t> out);
inline constexpr size_t kGetSize = 11;  // ":7F0ED0071\n"

}  // namespace vesta::vedirect
