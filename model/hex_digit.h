// One hex digit, either case: what the text forms of frames share.
#pragma once

namespace vesta {

// 0..15, or -1 for anything else.
constexpr int HexDigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

inline constexpr char kUpperHexDigits[] = "0123456789ABCDEF";

}  // namespace vesta
