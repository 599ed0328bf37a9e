#include "node/screens/canvas.h"

#include "model/value.h"

namespace vesta::node {

namespace {

constexpr Letter kBox = {0x7F, 0x41, 0x41, 0x41, 0x7F};

// The next character of UTF-8; bytes that are none are one box each.
Letter NextLetter(std::string_view* text) {
  const char c = text->front();
  text->remove_prefix(1);
  if (c >= kFirstLetter && c <= kLastLetter) return kFont[static_cast<size_t>(c - kFirstLetter)];
  while (!text->empty() && (static_cast<uint8_t>(text->front()) & 0xC0) == 0x80) text->remove_prefix(1);
  return kBox;
}

}  // namespace

void Canvas::Dot(int x, int y) {
  if (x < 0 || x >= kDisplayWidth || y < 0 || y >= kDisplayHeight) {
    ++clipped_;
    return;
  }
  uint8_t& byte = dots_[static_cast<size_t>(y / 8 * kDisplayWidth + x)];
  const auto dot = static_cast<uint8_t>(1u << (y % 8));
  if ((byte & dot) != 0) ++overdrawn_;
  byte |= dot;
}

void Canvas::Line(int y) {
  for (int x = 0; x < kDisplayWidth; ++x) Dot(x, y);
}

int Canvas::Text(int x, int y, std::string_view text, int scale) {
  while (!text.empty()) {
    const Letter letter = NextLetter(&text);
    for (int column = 0; column < kLetterWidth * scale; ++column) {
      for (int row = 0; row < kLetterHeight * scale; ++row) {
        if ((letter[static_cast<size_t>(column / scale)] >> (row / scale) & 1) != 0) Dot(x + column, y + row);
      }
    }
    x += kCell * scale;
  }
  return x;
}

int Canvas::WidthOf(std::string_view text, int scale) {
  int letters = 0;
  for (; !text.empty(); ++letters) NextLetter(&text);
  return letters * kCell * scale;
}

void Canvas::TextRight(int right, int y, std::string_view text, int scale) {
  Text(right - WidthOf(text, scale) + scale, y, text, scale);
}

ShortText& ShortText::Add(std::string_view text) {
  const size_t copied = text.copy(text_.data() + size_, text_.size() - size_);
  is_cut_ = is_cut_ || copied < text.size();
  size_ += copied;
  return *this;
}

ShortText& ShortText::Add(int64_t number) {
  std::array<char, kDecimalTextSize> text;
  return Add({text.data(), FormatDecimal({number, 0}, text.data())});
}

ShortText Amount(int64_t milli, int decimals, std::string_view unit, size_t width) {
  constexpr std::string_view kThousands[] = {"", "k", "M", "G"};
  constexpr int64_t kPowers[] = {1000, 100, 10, 1};
  const bool is_negative = milli < 0;
  if (milli == INT64_MIN) ++milli;  // so that it has a positive twin
  const auto size = static_cast<uint64_t>(is_negative ? -milli : milli);
  uint64_t scaled = size;
  for (const std::string_view prefix : kThousands) {
    // Behind a prefix two decimals say as much as none before it.
    for (int digits = prefix.empty() ? decimals : 2; digits >= 0; --digits) {
      const auto step = static_cast<uint64_t>(kPowers[digits]);
      const auto mantissa = static_cast<int64_t>((scaled + step / 2) / step);
      std::array<char, kDecimalTextSize> number;
      const size_t length =
          FormatDecimal({is_negative ? -mantissa : mantissa, static_cast<int8_t>(-digits)}, number.data());
      if (length + prefix.size() + unit.size() <= width) {
        return ShortText().Add({number.data(), length}).Add(prefix).Add(unit);
      }
    }
    scaled /= 1000;
  }
  return ShortText().Add(is_negative ? "<-" : ">").Add("999G");
}

}  // namespace vesta::node
