// Draws text and lines on the dots of the display, and knows when something did not fit: clipped() counts dots that
// fell beside the display and overdrawn() those that were set already, so that a test can draw every screen with
// extreme values and see that nothing is cut off and nothing runs into something else.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "node/ports/display.h"
#include "node/screens/font.h"

namespace vesta::node {

inline constexpr int kCell = kLetterWidth + 1;  // a letter and the gap behind it
inline constexpr int kColumns = kDisplayWidth / kCell;

class Canvas {
 public:
  explicit Canvas(DisplayDots* dots) : dots_(*dots) { dots_.fill(0); }

  void Dot(int x, int y);
  void Line(int y);  // across the display
  // UTF-8; a letter beyond ASCII is one box. Returns the x behind it.
  int Text(int x, int y, std::string_view text, int scale = 1);
  // So that it ends before `right`.
  void TextRight(int right, int y, std::string_view text, int scale = 1);
  static int WidthOf(std::string_view text, int scale = 1);
  uint32_t clipped() const { return clipped_; }
  uint32_t overdrawn() const { return overdrawn_; }

 private:
  DisplayDots& dots_;
  uint32_t clipped_ = 0;
  uint32_t overdrawn_ = 0;
};

// A text put together in a fixed room; what does not fit is left out and is_cut() says so.
class ShortText {
 public:
  ShortText& Add(std::string_view text);
  ShortText& Add(int64_t number);
  std::string_view view() const { return {text_.data(), size_}; }
  bool is_cut() const { return is_cut_; }

 private:
  std::array<char, 2 * kColumns> text_ = {};
  size_t size_ = 0;
  bool is_cut_ = false;
};

// A number of thousandths with its unit in at most `width` letters: as many decimals as asked, fewer when they do not
// fit, then thousands of the unit (k, M, G), and ">" in front of what is bigger than that shows. Never wider.
ShortText Amount(int64_t milli, int decimals, std::string_view unit, size_t width);

}  // namespace vesta::node
