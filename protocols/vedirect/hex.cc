#include "protocols/vedirect/hex.h"

namespace vesta::vedirect {
namespace {

constexpr uint8_t kCheckSum = 0x55;

int Nibble(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

uint8_t Digit(unsigned nibble) { return static_cast<uint8_t>(nibble < 10 ? '0' + nibble : 'A' + nibble - 10); }

bool CarriesRegister(uint8_t code) { return code == 7 || code == 8 || code == 10; }

}  // namespace

const char* HexProblemName(HexProblem problem) {
  switch (problem) {
    case HexProblem::kNone:
      break;
    case HexProblem::kFraming:
      return "hex_framing";
    case HexProblem::kLength:
      return "hex_length";
    case HexProblem::kCharacter:
      return "hex_character";
    case HexProblem::kChecksum:
      return "hex_checksum";
  }
  return "";
}

HexProblem DecodeHex(Bytes raw, HexEnd end, HexFrame* frame) {
  if (end == HexEnd::kCharacter) return HexProblem::kCharacter;
  if (end != HexEnd::kLineFeed && end != HexEnd::kOther) return HexProblem::kFraming;
  // The colon in front and the line feed behind are not digits.
  const size_t behind = end == HexEnd::kLineFeed ? 1 : 0;
  if (raw.size() < 1 + 3 + behind) return HexProblem::kLength;
  const Bytes digits = raw.subspan(1, raw.size() - 1 - behind);
  if (digits.size() % 2 == 0 || digits.size() > 3 + 2 * kMaxHexData) return HexProblem::kLength;
  for (const uint8_t digit : digits) {
    if (Nibble(digit) < 0) return HexProblem::kCharacter;
  }
  frame->code = static_cast<uint8_t>(Nibble(digits[0]));
  auto sum = frame->code;
  frame->size = (digits.size() - 3) / 2;
  for (size_t i = 0; i <= frame->size; ++i) {
    const auto byte = static_cast<uint8_t>(Nibble(digits[1 + 2 * i]) << 4 | Nibble(digits[2 + 2 * i]));
    sum = static_cast<uint8_t>(sum + byte);
    if (i < frame->size) frame->data[i] = byte;
  }
  if (sum != kCheckSum) return end == HexEnd::kOther ? HexProblem::kCharacter : HexProblem::kChecksum;
  frame->has_register = CarriesRegister(frame->code);
  if (frame->has_register) {
    if (frame->size < 3) return HexProblem::kLength;
    frame->reg = static_cast<uint16_t>(frame->data[0] | frame->data[1] << 8);
    frame->flags = frame->data[2];
  }
  return HexProblem::kNone;
}

size_t EncodeHex(uint8_t code, Bytes data, std::span<uint8_t> out) {
  const size_t size = 5 + 2 * data.size();
  if (code > 15 || out.size() < size || data.size() > kMaxHexData) return 0;
  size_t at = 0;
  out[at++] = ':';
  out[at++] = Digit(code);
  uint8_t sum = code;
  const auto put = [&out, &at](uint8_t byte) {
    out[at++] = Digit(byte >> 4);
    out[at++] = Digit(byte & 15);
  };
  for (const uint8_t byte : data) {
    put(byte);
    sum = static_cast<uint8_t>(sum + byte);
  }
  put(static_cast<uint8_t>(kCheckSum - sum));
  out[at++] = '\n';
  return at;
}

size_t EncodeGet(uint16_t reg, std::span<uint8_t> out) {
  const std::array<uint8_t, 3> data = {static_cast<uint8_t>(reg), static_cast<uint8_t>(reg >> 8), 0};
  return EncodeHex(static_cast<uint8_t>(HexCommand::kGet), data, out);
}

}  // namespace vesta::vedirect
