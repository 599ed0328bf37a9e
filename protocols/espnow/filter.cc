#include "protocols/espnow/filter.h"

namespace vesta::espnow {

namespace {

constexpr uint16_t kLoadWordX = 0x40;   // A = 4 bytes at X + k, big-endian
constexpr uint16_t kLoadHalfX = 0x48;   // A = 2 bytes at X + k
constexpr uint16_t kLoadByteX = 0x50;   // A = byte at X + k
constexpr uint16_t kLoadByte = 0x30;    // A = byte at k
constexpr uint16_t kShiftLeft = 0x64;   // A <<= k
constexpr uint16_t kOrX = 0x4C;         // A |= X
constexpr uint16_t kToX = 0x07;         // X = A
constexpr uint16_t kJumpEqual = 0x15;   // A == k
constexpr uint16_t kJumpAnyBit = 0x45;  // A & k
constexpr uint16_t kReturn = 0x06;

constexpr uint32_t kWholePacket = 262144;
constexpr uint8_t kAccept = 0xFF;  // stands for a jump to the end until the end is known
constexpr uint8_t kDrop = 0xFE;

uint32_t Word(const Address& a, size_t at) {
  return static_cast<uint32_t>(a[at]) << 24 | static_cast<uint32_t>(a[at + 1]) << 16 |
         static_cast<uint32_t>(a[at + 2]) << 8 | a[at + 3];
}

}  // namespace

Filter MakeFilter(const FilterOptions& options) {
  Filter filter;
  const auto add = [&filter](uint16_t code, uint32_t k, uint8_t jump_true = 0, uint8_t jump_false = 0) {
    filter.program[filter.size++] = {code, jump_true, jump_false, k};
  };
  // X = length of the radiotap header, which is little-endian.
  add(kLoadByte, 3);
  add(kShiftLeft, 8);
  add(kToX, 0);
  add(kLoadByte, 2);
  add(kOrX, 0);
  add(kToX, 0);
  add(kLoadByteX, 0);
  if (options.pass_acknowledgements) add(kJumpEqual, 0xD4, kAccept, 0);
  add(kJumpEqual, 0xD0, 0, kDrop);
  if (options.drop_own) {
    add(kLoadWordX, 10);
    add(kJumpEqual, Word(options.own, 0), 0, 2);
    add(kLoadHalfX, 14);
    add(kJumpEqual, static_cast<uint32_t>(options.own[4] << 8 | options.own[5]), kDrop, 0);
  }
  if (options.pass_encrypted) {
    add(kLoadByteX, 1);
    add(kJumpAnyBit, 0x40, kAccept, 0);
  }
  add(kLoadWordX, 24);
  add(kJumpEqual, 0x7F18FE34, 0, kDrop);
  add(kLoadByteX, 32);
  add(kJumpEqual, 0xDD, 0, kDrop);
  add(kLoadWordX, 34);
  add(kJumpEqual, 0x18FE3404, 0, kDrop);
  add(kReturn, kWholePacket);
  add(kReturn, 0);
  for (size_t i = 0; i + 2 < filter.size; ++i) {
    const auto target = [&filter, i](uint8_t jump) -> uint8_t {
      if (jump == kAccept) return static_cast<uint8_t>(filter.size - 2 - i - 1);
      if (jump == kDrop) return static_cast<uint8_t>(filter.size - 1 - i - 1);
      return jump;
    };
    filter.program[i].jump_true = target(filter.program[i].jump_true);
    filter.program[i].jump_false = target(filter.program[i].jump_false);
  }
  return filter;
}

}  // namespace vesta::espnow
