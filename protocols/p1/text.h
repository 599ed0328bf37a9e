// Characters and hex as P1 telegrams use them: ASCII only, no locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/hex_digit.h"

namespace vesta::p1 {

constexpr bool IsDigit(char c) { return static_cast<uint8_t>(c - '0') <= 9; }
constexpr bool IsLetter(char c) { return static_cast<uint8_t>((c | 0x20) - 'a') < 26; }
constexpr bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7E; }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }
constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// Of two characters known to be hex digits.
constexpr uint8_t HexByte(const char* two) {
  return static_cast<uint8_t>(HexDigitValue(two[0]) * 16 + HexDigitValue(two[1]));
}

// Pairs of hex digits, at least one.
constexpr bool IsHex(std::string_view text) {
  if (text.empty() || text.size() % 2 != 0) return false;
  for (const char c : text) {
    if (HexDigitValue(c) < 0) return false;
  }
  return true;
}

constexpr bool IsPrintable(std::string_view text) {
  for (const char c : text) {
    if (!IsPrintable(c)) return false;
  }
  return true;
}

// Whether hex pairs spell printable ASCII.
constexpr bool IsPrintableHex(std::string_view hex) {
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (!IsPrintable(static_cast<char>(HexByte(hex.data() + i)))) return false;
  }
  return true;
}

constexpr std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace vesta::p1
