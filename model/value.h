// The value of a reading: an exact decimal, a real, a text, a state, or none.
//
// A Decimal is what the wire sent: mantissa * 10^exponent, nothing rounded, trailing zeros kept. A Real is used only
// where the wire itself carries a float. A State is a small code whose names stand in the field's table. None means the
// device said that it has no value; a protocol's sentinel (0x7FFF, "3FF", ...) never leaves its decoder as a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vesta {

struct Decimal {
  int64_t mantissa = 0;
  int8_t exponent = 0;

  // Same number, whatever the trailing zeros: 1.50 == 1.5.
  friend bool operator==(const Decimal& a, const Decimal& b);
};

enum class ValueKind : uint8_t { kNone = 0, kDecimal = 1, kReal = 2, kText = 3, kState = 4 };

// 16 bytes, freely copied. A text is a view: it lives as long as the frame that it was read from; who keeps a value
// longer copies the text.
class Value {
 public:
  constexpr Value() : mantissa_(0), text_size_(0), exponent_(0), kind_(ValueKind::kNone) {}

  static constexpr Value None() { return Value(); }
  static constexpr Value OfDecimal(Decimal d) { return OfDecimal(d.mantissa, d.exponent); }
  static constexpr Value OfDecimal(int64_t mantissa, int8_t exponent) {
    Value v;
    v.mantissa_ = mantissa;
    v.exponent_ = exponent;
    v.kind_ = ValueKind::kDecimal;
    return v;
  }
  static constexpr Value OfInteger(int64_t integer) { return OfDecimal(integer, 0); }
  static constexpr Value OfReal(double real) {
    Value v;
    v.real_ = real;
    v.kind_ = ValueKind::kReal;
    return v;
  }
  static constexpr Value OfText(std::string_view text) {
    Value v;
    v.text_ = text.data();
    v.text_size_ = static_cast<uint32_t>(text.size());
    v.kind_ = ValueKind::kText;
    return v;
  }
  static constexpr Value OfState(uint32_t code) {
    Value v;
    v.mantissa_ = code;
    v.kind_ = ValueKind::kState;
    return v;
  }

  constexpr ValueKind kind() const { return kind_; }
  constexpr bool is_none() const { return kind_ == ValueKind::kNone; }
  // Each accessor may be called only for its own kind.
  constexpr Decimal decimal() const { return {mantissa_, exponent_}; }
  constexpr double real() const { return real_; }
  constexpr std::string_view text() const { return {text_, text_size_}; }
  constexpr uint32_t state() const { return static_cast<uint32_t>(mantissa_); }

  // Nearest double of a decimal or real, the code of a state; 0 for text and none. For charts and limits, never for
  // anything that is stored or published.
  double ToDouble() const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  union {
    int64_t mantissa_;
    double real_;
    const char* text_;
  };
  uint32_t text_size_;
  int8_t exponent_;
  ValueKind kind_;
};

// Quality of a value. Out of range and suspect values are kept in history, but never shown as the present state.
enum class ValueQuality : uint8_t { kOk = 0, kUnavailable = 1, kOutOfRange = 2, kSuspect = 3, kDerived = 4 };

// Longest text of a decimal: sign, 19 digits, 128 zeros either side, point. Callers' buffers hold at least this.
inline constexpr size_t kDecimalTextSize = 152;

// Writes the exact decimal as the wire gave it ("230.10", "-63", "0.000"), never in exponent form; returns the length.
size_t FormatDecimal(Decimal decimal, char* out);

// Reads "-12.340" exactly: digits with at most one point and a leading sign, at most 18 significant digits, nothing
// else. False when the text is not such a number or does not fit.
bool ParseDecimal(std::string_view text, Decimal* out);

// Multiplies by 10^power without rounding: only the exponent moves.
constexpr Decimal Scale(Decimal d, int power) { return {d.mantissa, static_cast<int8_t>(d.exponent + power)}; }

// Compares two decimals as numbers: -1, 0 or 1. Exact for every pair.
int Compare(Decimal a, Decimal b);

}  // namespace vesta
