#include "hub/nodes/network_values.h"

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "model/hex_digit.h"

namespace vesta::hub {

namespace {

constexpr int8_t kLeastExponent = -4;
constexpr int64_t kMostMantissa = 1'000'000'000'000;

}  // namespace

std::optional<int64_t> WholeNumber(const nlohmann::json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  const std::optional<Decimal> decimal = DecimalOf(value);
  if (!decimal || decimal->exponent != 0) return std::nullopt;
  return decimal->mantissa;
}

std::optional<Decimal> DecimalOf(const nlohmann::json& value) {
  Decimal decimal;
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  if (!ParseDecimal(value.is_string() ? value.get_ref<const std::string&>() : value.dump(), &decimal)) {
    return std::nullopt;
  }
  // What a set-point or a limit can be; also what a JSON number holds exactly.
  if (decimal.exponent < kLeastExponent || std::abs(decimal.mantissa) > kMostMantissa) return std::nullopt;
  return decimal;
}

nlohmann::ordered_json NumberJson(const Decimal& value) {
  if (value.exponent == 0) return value.mantissa;
  std::array<char, kDecimalTextSize> text;
  const size_t size = FormatDecimal(value, text.data());
  return nlohmann::ordered_json::parse(std::string_view(text.data(), size), nullptr, false);
}

bool IsNameText(std::string_view text, size_t most) {
  if (text.size() > most) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

bool ParseHexBytes(std::string_view text, std::span<uint8_t> out) {
  size_t digits = 0;
  for (const char c : text) {
    if (c == ':' || c == '-') continue;
    const int value = HexDigitValue(c);
    if (value < 0 || digits >= 2 * out.size()) return false;
    uint8_t& byte = out[digits / 2];
    byte = static_cast<uint8_t>(digits % 2 == 0 ? value << 4 : byte | value);
    ++digits;
  }
  return digits == 2 * out.size();
}

}  // namespace vesta::hub
