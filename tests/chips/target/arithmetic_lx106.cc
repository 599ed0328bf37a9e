// Division, multiplication and floating point for lx106: an ESP8266 has these functions in its ROM, so Debian's libgcc
// leaves them out. Slow and plain; IEEE 754 with rounding to nearest, ties to even. Held against the host's own
// arithmetic by arithmetic_test.cc.
//
// Single precision is done in double precision and rounded once more: with 53 bits for 24 that gives the same result.
#include <cstdint>
#include <cstring>

#ifdef VESTA_ARITHMETIC_TEST
#define CHIP_NAME(name) chip##name
#else
#define CHIP_NAME(name) name
#endif

namespace {

constexpr int kMantissaBits = 52;
constexpr int kBias = 1023;
constexpr int kMaxExponent = 0x7FF;
constexpr uint64_t kHidden = uint64_t{1} << kMantissaBits;
constexpr uint64_t kInfinity = uint64_t{kMaxExponent} << kMantissaBits;
constexpr uint64_t kNaN = kInfinity | (kHidden >> 1);
constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr int kGuardBits = 3;  // behind the mantissa while something is worked out; the last one is sticky

template <typename To, typename From>
To Bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// value = mantissa * 2^(exponent - kBias - kMantissaBits - kGuardBits), with the highest bit at
// kMantissaBits + kGuardBits unless it is zero.
struct Number {
  bool is_negative;
  int exponent;
  uint64_t mantissa;
};

constexpr uint64_t kTop = kHidden << kGuardBits;

uint64_t ShiftRightSticky(uint64_t value, int by) {
  if (by <= 0) return value;
  if (by > 63) return value != 0;
  return (value >> by) | ((value & ((uint64_t{1} << by) - 1)) != 0);
}

void Normalise(Number* n) {
  if (n->mantissa == 0) return;
  while (n->mantissa >= kTop << 1) {
    n->mantissa = ShiftRightSticky(n->mantissa, 1);
    ++n->exponent;
  }
  while (n->mantissa < kTop) {
    n->mantissa <<= 1;
    --n->exponent;
  }
}

// Not for infinity and NaN.
Number Unpack(uint64_t bits) {
  Number n = {(bits & kSign) != 0, static_cast<int>(bits >> kMantissaBits) & kMaxExponent, bits & (kHidden - 1)};
  if (n.exponent == 0) {
    n.exponent = 1;
  } else {
    n.mantissa |= kHidden;
  }
  n.mantissa <<= kGuardBits;
  Normalise(&n);
  return n;
}

uint64_t RoundOff(uint64_t mantissa, int bits) {
  const uint64_t half = uint64_t{1} << (bits - 1);
  const uint64_t rest = mantissa & ((half << 1) - 1);
  const uint64_t rounded = mantissa >> bits;
  return rounded + (rest > half || (rest == half && (rounded & 1) != 0));
}

uint64_t Pack(Number n) {
  const uint64_t sign = n.is_negative ? kSign : 0;
  if (n.mantissa == 0) return sign;
  Normalise(&n);
  if (n.exponent < 1) {  // subnormal
    n.mantissa = ShiftRightSticky(n.mantissa, 1 - n.exponent);
    n.exponent = 0;
  }
  uint64_t mantissa = RoundOff(n.mantissa, kGuardBits);
  if (n.exponent == 0)
    return sign | mantissa;  // one that was rounded up to the smallest normal number is right as well
  if (mantissa == kHidden << 1) {
    mantissa >>= 1;
    ++n.exponent;
  }
  if (n.exponent >= kMaxExponent) return sign | kInfinity;
  return sign | (static_cast<uint64_t>(n.exponent) << kMantissaBits) | (mantissa & (kHidden - 1));
}

bool IsNaN(uint64_t bits) { return (bits & ~kSign) > kInfinity; }
bool IsInfinite(uint64_t bits) { return (bits & ~kSign) == kInfinity; }
bool IsZero(uint64_t bits) { return (bits & ~kSign) == 0; }

uint64_t Add(uint64_t a, uint64_t b) {
  if (IsNaN(a) || IsNaN(b)) return kNaN;
  if (IsInfinite(a)) return IsInfinite(b) && a != b ? kNaN : a;
  if (IsInfinite(b)) return b;
  if (IsZero(a) && IsZero(b)) return a & b;  // -0 only of two of them
  if (IsZero(a)) return b;
  if (IsZero(b)) return a;
  Number x = Unpack(a);
  Number y = Unpack(b);
  if (x.exponent < y.exponent || (x.exponent == y.exponent && x.mantissa < y.mantissa)) {
    const Number swapped = x;
    x = y;
    y = swapped;
  }
  y.mantissa = ShiftRightSticky(y.mantissa, x.exponent - y.exponent);
  if (x.is_negative == y.is_negative) {
    x.mantissa += y.mantissa;
  } else {
    x.mantissa -= y.mantissa;
    if (x.mantissa == 0) return 0;
  }
  return Pack(x);
}

// The upper half of a product of 64 by 64 bits; *low gets the lower.
uint64_t MultiplyWide(uint64_t a, uint64_t b, uint64_t* low) {
  const uint64_t a0 = static_cast<uint32_t>(a);
  const uint64_t a1 = a >> 32;
  const uint64_t b0 = static_cast<uint32_t>(b);
  const uint64_t b1 = b >> 32;
  const uint64_t low_part = a0 * b0;
  const uint64_t middle = a1 * b0 + (low_part >> 32);
  const uint64_t middle2 = a0 * b1 + static_cast<uint32_t>(middle);
  *low = (middle2 << 32) | static_cast<uint32_t>(low_part);
  return a1 * b1 + (middle >> 32) + (middle2 >> 32);
}

uint64_t Multiply(uint64_t a, uint64_t b) {
  const uint64_t sign = (a ^ b) & kSign;
  if (IsNaN(a) || IsNaN(b)) return kNaN;
  if (IsInfinite(a) || IsInfinite(b)) return IsZero(a) || IsZero(b) ? kNaN : sign | kInfinity;
  if (IsZero(a) || IsZero(b)) return sign;
  const Number x = Unpack(a);
  const Number y = Unpack(b);
  // Both have their highest bit at 55: shifted up by 8 and 1 the product's upper half has it at 55 or 56.
  uint64_t low = 0;
  const uint64_t high = MultiplyWide(x.mantissa << 8, y.mantissa << 1, &low);
  return Pack({sign != 0, x.exponent + y.exponent - kBias, high | (low != 0)});
}

uint64_t Divide(uint64_t a, uint64_t b) {
  const uint64_t sign = (a ^ b) & kSign;
  if (IsNaN(a) || IsNaN(b)) return kNaN;
  if (IsInfinite(a)) return IsInfinite(b) ? kNaN : sign | kInfinity;
  if (IsInfinite(b)) return sign;
  if (IsZero(b)) return IsZero(a) ? kNaN : sign | kInfinity;
  if (IsZero(a)) return sign;
  const Number x = Unpack(a);
  const Number y = Unpack(b);
  uint64_t rest = x.mantissa;
  uint64_t quotient = 0;
  for (int bit = kMantissaBits + kGuardBits; bit >= 0; --bit) {
    quotient <<= 1;
    if (rest >= y.mantissa) {
      rest -= y.mantissa;
      quotient |= 1;
    }
    rest <<= 1;
  }
  // When x is the smaller the first bit was 0: one more keeps all the guard bits.
  int exponent = x.exponent - y.exponent + kBias;
  if (quotient < kTop) {
    quotient <<= 1;
    if (rest >= y.mantissa) {
      rest -= y.mantissa;
      quotient |= 1;
    }
    --exponent;
  }
  return Pack({sign != 0, exponent, quotient | (rest != 0)});
}

uint64_t FromUnsigned(uint32_t value, bool is_negative) {
  return Pack({is_negative, kBias + kMantissaBits, uint64_t{value} << kGuardBits});
}

// Towards zero. What does not fit gives some number, as in C.
uint32_t ToUnsigned(uint64_t bits) {
  const int exponent = static_cast<int>((bits & ~kSign) >> kMantissaBits) - kBias;
  if (exponent < 0) return 0;
  if (exponent > 31) return UINT32_MAX;
  return static_cast<uint32_t>(((bits & (kHidden - 1)) | kHidden) >> (kMantissaBits - exponent));
}

uint64_t Extend(uint32_t single) {
  const uint64_t sign = uint64_t{single >> 31} << 63;
  const int exponent = static_cast<int>(single >> 23) & 0xFF;
  const uint64_t mantissa = single & 0x7FFFFF;
  if (exponent == 0xFF) return mantissa != 0 ? kNaN : sign | kInfinity;
  // Bias 127, 23 bits of mantissa.
  const uint64_t whole = exponent == 0 ? mantissa : mantissa | 0x800000;
  return Pack({sign != 0, (exponent == 0 ? 1 : exponent) - 127 + kBias, whole << (kMantissaBits - 23 + kGuardBits)});
}

uint32_t Truncate(uint64_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits >> 63) << 31;
  if (IsNaN(bits)) return 0x7FC00000;
  if (IsInfinite(bits)) return sign | 0x7F800000;
  if (IsZero(bits)) return sign;
  Number n = Unpack(bits);
  int exponent = n.exponent - kBias + 127;
  if (exponent < 1) {
    n.mantissa = ShiftRightSticky(n.mantissa, 1 - exponent);
    exponent = 0;
  }
  uint64_t mantissa = RoundOff(n.mantissa, kMantissaBits - 23 + kGuardBits);
  if (exponent == 0) return sign | static_cast<uint32_t>(mantissa);
  if (mantissa == 0x1000000) {
    mantissa >>= 1;
    ++exponent;
  }
  if (exponent >= 0xFF) return sign | 0x7F800000;
  return sign | (static_cast<uint32_t>(exponent) << 23) | (static_cast<uint32_t>(mantissa) & 0x7FFFFF);
}

uint64_t Of(double value) { return Bits<uint64_t>(value); }
uint64_t Of(float value) { return Extend(Bits<uint32_t>(value)); }
double Double(uint64_t bits) { return Bits<double>(bits); }
float Single(uint64_t bits) { return Bits<float>(Truncate(bits)); }
uint32_t Magnitude(int32_t value) {
  return value < 0 ? 0U - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
}
int32_t Signed(uint64_t bits) {
  const uint32_t magnitude = ToUnsigned(bits);
  return static_cast<int32_t>((bits & kSign) != 0 ? 0U - magnitude : magnitude);
}

uint32_t DivideUnsigned(uint32_t a, uint32_t b, uint32_t* rest) {
  uint32_t quotient = 0;
  uint32_t left = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const bool carry = (left >> 31) != 0;
    left = (left << 1) | ((a >> bit) & 1);
    if (carry || left >= b) {
      left -= b;
      quotient |= uint32_t{1} << bit;
    }
  }
  *rest = left;
  return quotient;
}

}  // namespace

extern "C" {

uint32_t CHIP_NAME(__udivsi3)(uint32_t a, uint32_t b) {
  uint32_t rest = 0;
  return DivideUnsigned(a, b, &rest);
}
uint32_t CHIP_NAME(__umodsi3)(uint32_t a, uint32_t b) {
  uint32_t rest = 0;
  DivideUnsigned(a, b, &rest);
  return rest;
}
int32_t CHIP_NAME(__divsi3)(int32_t a, int32_t b) {
  uint32_t rest = 0;
  const uint32_t quotient = DivideUnsigned(Magnitude(a), Magnitude(b), &rest);
  return static_cast<int32_t>((a < 0) != (b < 0) ? 0U - quotient : quotient);
}

// From four products of 16 bits.
uint64_t CHIP_NAME(__umulsidi3)(uint32_t a, uint32_t b) {
  const uint32_t low = (a & 0xFFFF) * (b & 0xFFFF);
  const uint32_t middle = (a >> 16) * (b & 0xFFFF) + (low >> 16);
  const uint32_t middle2 = (a & 0xFFFF) * (b >> 16) + (middle & 0xFFFF);
  const uint32_t high = (a >> 16) * (b >> 16) + (middle >> 16) + (middle2 >> 16);
  return (static_cast<uint64_t>(high) << 32) | ((middle2 << 16) | (low & 0xFFFF));
}

uint64_t CHIP_NAME(__muldi3)(uint64_t a, uint64_t b) {
  const uint32_t a0 = static_cast<uint32_t>(a);
  const uint32_t b0 = static_cast<uint32_t>(b);
  const uint32_t cross = static_cast<uint32_t>(a >> 32) * b0 + a0 * static_cast<uint32_t>(b >> 32);
  return CHIP_NAME(__umulsidi3)(a0, b0) + (static_cast<uint64_t>(cross) << 32);
}

uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t* rest);
int64_t __divmoddi4(int64_t a, int64_t b, int64_t* rest);
#ifndef VESTA_ARITHMETIC_TEST
uint64_t __udivdi3(uint64_t a, uint64_t b) { return __udivmoddi4(a, b, nullptr); }
uint64_t __umoddi3(uint64_t a, uint64_t b) {
  uint64_t rest = 0;
  __udivmoddi4(a, b, &rest);
  return rest;
}
int64_t __divdi3(int64_t a, int64_t b) {
  int64_t rest = 0;
  return __divmoddi4(a, b, &rest);
}
#endif

double CHIP_NAME(__adddf3)(double a, double b) { return Double(Add(Of(a), Of(b))); }
double CHIP_NAME(__subdf3)(double a, double b) { return Double(Add(Of(a), Of(b) ^ kSign)); }
double CHIP_NAME(__muldf3)(double a, double b) { return Double(Multiply(Of(a), Of(b))); }
double CHIP_NAME(__divdf3)(double a, double b) { return Double(Divide(Of(a), Of(b))); }
float CHIP_NAME(__addsf3)(float a, float b) { return Single(Add(Of(a), Of(b))); }
float CHIP_NAME(__subsf3)(float a, float b) { return Single(Add(Of(a), Of(b) ^ kSign)); }
float CHIP_NAME(__mulsf3)(float a, float b) { return Single(Multiply(Of(a), Of(b))); }
double CHIP_NAME(__extendsfdf2)(float a) { return Double(Of(a)); }
float CHIP_NAME(__truncdfsf2)(double a) { return Single(Of(a)); }
double CHIP_NAME(__floatsidf)(int32_t a) { return Double(FromUnsigned(Magnitude(a), a < 0)); }
double CHIP_NAME(__floatunsidf)(uint32_t a) { return Double(FromUnsigned(a, false)); }
float CHIP_NAME(__floatsisf)(int32_t a) { return Single(FromUnsigned(Magnitude(a), a < 0)); }
float CHIP_NAME(__floatunsisf)(uint32_t a) { return Single(FromUnsigned(a, false)); }
int32_t CHIP_NAME(__fixdfsi)(double a) { return Signed(Of(a)); }
uint32_t CHIP_NAME(__fixunsdfsi)(double a) { return ToUnsigned(Of(a)); }
uint32_t CHIP_NAME(__fixunssfsi)(float a) { return ToUnsigned(Of(a)); }

}  // extern "C"
