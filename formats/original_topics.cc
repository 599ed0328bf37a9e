#include "formats/original_topics.h"

#include <cstring>

namespace vesta::original_topics {
namespace {

constexpr size_t kMaxSerial = 32;

bool IsLevel(std::string_view text) {
  if (text.empty() || text.size() > kMaxSerial) return false;
  for (const char c : text) {
    const bool fine =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    if (!fine) return false;
  }
  return true;
}

struct Hex {
  char text[9] = {};
  size_t size = 0;
  std::string_view view() const { return {text, size}; }
};

Hex HexOf(uint32_t number, size_t digits) {
  Hex hex;
  hex.size = digits;
  for (size_t i = 0; i < digits; ++i) hex.text[i] = "0123456789ABCDEF"[(number >> (4 * (digits - 1 - i))) & 15];
  return hex;
}

struct Prefixed {
  char text[12] = {'0', 'x'};
  size_t size = 2;
  explicit Prefixed(const Hex& hex) {
    std::memcpy(text + 2, hex.text, hex.size);
    size += hex.size;
  }
  std::string_view view() const { return {text, size}; }
};

}  // namespace

Topic VeNetworking(std::string_view serial, uint16_t reg) {
  if (!IsLevel(serial)) return {};
  return {"venetworking", serial, HexOf(reg, 4).view()};
}

Topic VeDirect(std::string_view serial, uint16_t reg) {
  if (!IsLevel(serial)) return {};
  return {"vedirect", serial, Prefixed(HexOf(reg, 4)).view()};
}

Topic ShareOfNetwork(std::string_view serial) {
  if (!IsLevel(serial)) return {};
  return {"vedirect", serial, "shareOfNetwork"};
}

Topic MasterBus(uint32_t uid, uint8_t item) {
  size_t digits = 2;
  while (digits < 8 && (uid >> (4 * digits)) != 0) ++digits;
  return {"masterbus", Prefixed(HexOf(uid, digits)).view(), Prefixed(HexOf(item, 2)).view()};
}

size_t FormatFixed(Decimal value, int digits, char* out) {
  // Cut to the wanted digits first, rounding at each lost digit's place only once.
  Decimal cut = value;
  bool negative = cut.mantissa < 0;
  uint64_t magnitude = negative ? ~static_cast<uint64_t>(cut.mantissa) + 1 : static_cast<uint64_t>(cut.mantissa);
  bool round_up = false;
  while (cut.exponent < -digits) {
    round_up = magnitude % 10 >= 5;
    magnitude /= 10;
    ++cut.exponent;
  }
  magnitude += round_up ? 1 : 0;
  if (magnitude == 0) negative = false;
  cut.mantissa = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  size_t size = FormatDecimal(cut, out);
  int after_point = 0;
  const char* const point = static_cast<const char*>(std::memchr(out, '.', size));
  if (point != nullptr) {
    after_point = static_cast<int>(out + size - point) - 1;
  } else if (digits > 0) {
    out[size++] = '.';
  }
  for (; after_point < digits; ++after_point) out[size++] = '0';
  return size;
}

bool RawOf(Decimal value, int exponent, int bytes, uint64_t* raw) {
  int64_t number = value.mantissa;
  for (int e = value.exponent; e > exponent; --e) {
    if (__builtin_mul_overflow(number, int64_t{10}, &number)) return false;
  }
  for (int e = value.exponent; e < exponent; ++e) {
    if (number % 10 != 0) return false;
    number /= 10;
  }
  if (bytes < 1 || bytes > 8) return false;
  const int bits = 8 * bytes;
  if (bits < 64) {
    const int64_t top = int64_t{1} << bits;
    if (number >= top || number < -(top / 2)) return false;
    if (number < 0) number += top;
  }
  *raw = static_cast<uint64_t>(number);
  return true;
}

}  // namespace vesta::original_topics
