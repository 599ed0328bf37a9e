#include "model/value.h"

#include <cstring>

namespace vesta {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kExactPowers = 22;  // 10^22 is the last power of ten that a double holds exactly
constexpr int kMaxParsedDigits = 18;

uint64_t Magnitude(int64_t v) { return v < 0 ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v); }

// Removes trailing zeros so that equal numbers become equal pairs.
Decimal Normalise(Decimal d) {
  if (d.mantissa == 0) return {0, 0};
  int exponent = d.exponent;
  while (d.mantissa % 10 == 0 && exponent < INT8_MAX) {
    d.mantissa /= 10;
    ++exponent;
  }
  return {d.mantissa, static_cast<int8_t>(exponent)};
}

int DigitCount(uint64_t v) {
  int n = 1;
  while (v >= 10) {
    v /= 10;
    ++n;
  }
  return n;
}

}  // namespace

bool operator==(const Decimal& a, const Decimal& b) { return Compare(a, b) == 0; }

int Compare(Decimal a, Decimal b) {
  a = Normalise(a);
  b = Normalise(b);
  const int sign_a = (a.mantissa > 0) - (a.mantissa < 0);
  const int sign_b = (b.mantissa > 0) - (b.mantissa < 0);
  if (sign_a != sign_b) return sign_a < sign_b ? -1 : 1;
  if (sign_a == 0) return 0;
  uint64_t ma = Magnitude(a.mantissa);
  uint64_t mb = Magnitude(b.mantissa);
  const int order_a = DigitCount(ma) + a.exponent;
  const int order_b = DigitCount(mb) + b.exponent;
  int magnitude_order;
  if (order_a != order_b) {
    magnitude_order = order_a < order_b ? -1 : 1;
  } else {
    // Same number of digits before the point: padding the shorter one to as many digits never overflows 19 digits.
    while (DigitCount(ma) < DigitCount(mb)) ma *= 10;
    while (DigitCount(mb) < DigitCount(ma)) mb *= 10;
    magnitude_order = ma == mb ? 0 : (ma < mb ? -1 : 1);
  }
  return sign_a * magnitude_order;
}

double Value::ToDouble() const {
  switch (kind_) {
    case ValueKind::kReal:
      return real_;
    case ValueKind::kState:
      return static_cast<double>(mantissa_);
    case ValueKind::kDecimal: {
      double v = static_cast<double>(mantissa_);
      int e = exponent_;
      for (; e > kExactPowers; e -= kExactPowers) v *= kPowersOfTen[kExactPowers];
      for (; e < -kExactPowers; e += kExactPowers) v /= kPowersOfTen[kExactPowers];
      return e >= 0 ? v * kPowersOfTen[e] : v / kPowersOfTen[-e];
    }
    case ValueKind::kNone:
    case ValueKind::kText:
      return 0;
  }
  return 0;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
    case ValueKind::kNone:
      return true;
    case ValueKind::kDecimal:
      return a.decimal() == b.decimal();
    case ValueKind::kReal:
      return a.real_ == b.real_;
    case ValueKind::kText:
      return a.text() == b.text();
    case ValueKind::kState:
      return a.state() == b.state();
  }
  return false;
}

size_t FormatDecimal(Decimal decimal, char* out) {
  char digits[20];
  int n = 0;
  uint64_t rest = Magnitude(decimal.mantissa);
  do {
    digits[n++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  char* p = out;
  if (decimal.mantissa < 0) *p++ = '-';
  const int fraction = decimal.exponent < 0 ? -decimal.exponent : 0;
  int i = n;
  if (n <= fraction) {
    *p++ = '0';
  } else {
    while (i > fraction) *p++ = digits[--i];
    if (decimal.mantissa != 0) {
      for (int z = 0; z < decimal.exponent; ++z) *p++ = '0';
    }
  }
  if (fraction > 0) {
    *p++ = '.';
    for (int z = fraction; z > n; --z) *p++ = '0';
    while (i > 0) *p++ = digits[--i];
  }
  return static_cast<size_t>(p - out);
}

bool ParseDecimal(std::string_view text, Decimal* out) {
  size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  int64_t mantissa = 0;
  int significant = 0;
  int fraction = 0;
  bool point = false;
  bool any = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (point) return false;
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return false;
    any = true;
    if (significant != 0 || c != '0') {
      if (++significant > kMaxParsedDigits) return false;
    }
    mantissa = mantissa * 10 + (c - '0');
    if (point && ++fraction > INT8_MAX) return false;
  }
  if (!any) return false;
  *out = {negative ? -mantissa : mantissa, static_cast<int8_t>(-fraction)};
  return true;
}

}  // namespace vesta
