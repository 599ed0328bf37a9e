#include "app/input_bytes.h"

#include <fmt/format.h>

#include "app/printable.h"
#include "model/hex_digit.h"

namespace vesta::app {
namespace {

bool IsSeparator(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }

}  // namespace

InputForm GuessForm(std::string_view beginning) {
  bool any = false;
  for (const char c : beginning) {
    if (!any && (c == '{' || c == '(')) return InputForm::kCapture;
    if (IsSeparator(c) || (any && (c == 'x' || c == 'X'))) continue;
    if (HexDigitValue(c) < 0) return InputForm::kRaw;
    any = true;
  }
  return any ? InputForm::kHex : InputForm::kRaw;
}

bool HexReader::Read(std::string_view text, std::vector<uint8_t>* bytes, std::string* error) {
  for (const char c : text) {
    ++column_;
    if (c == '\n') {
      ++line_;
      column_ = 0;
    }
    if (IsSeparator(c)) continue;
    if ((c == 'x' || c == 'X') && high_ == 0 && prefix_) {
      high_ = -1;
      prefix_ = false;
      continue;
    }
    const int digit = HexDigitValue(c);
    if (digit < 0) {
      *error = fmt::format("line {}, column {}: \"{}\" is not a hex digit", line_, column_, Printable({&c, 1}));
      return false;
    }
    if (high_ < 0) {
      high_ = digit;
      prefix_ = digit == 0;
      continue;
    }
    bytes->push_back(static_cast<uint8_t>(high_ << 4 | digit));
    high_ = -1;
    prefix_ = false;
  }
  return true;
}

}  // namespace vesta::app
