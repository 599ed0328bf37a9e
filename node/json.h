// Reads JSON (RFC 8259) token by token from a place that is read in small pieces, such as flash: no heap, no copy of
// the whole text. Texts have at most kMaxJsonText bytes, nesting at most kMaxJsonDepth levels, numbers are exact
// decimals without exponent and with at most 18 digits.
//
// After an error Next() gives kError for ever; error() says what is wrong, line() and column() where, counted from 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/value.h"

namespace vesta::node {

inline constexpr size_t kMaxJsonText = 64;
inline constexpr size_t kMaxJsonDepth = 6;

class TextSource {
 public:
  virtual ~TextSource() = default;
  // Copies the bytes from `offset` on; returns how many, fewer than asked at the end.
  virtual size_t Read(uint32_t offset, std::span<uint8_t> out) = 0;
};

// A text in memory.
class TextView final : public TextSource {
 public:
  explicit TextView(std::string_view text) : text_(text) {}
  size_t Read(uint32_t offset, std::span<uint8_t> out) override {
    if (offset >= text_.size()) return 0;
    return text_.copy(reinterpret_cast<char*>(out.data()), out.size(), offset);
  }

 private:
  std::string_view text_;
};

enum class Token : uint8_t {
  kObject,
  kObjectEnd,
  kArray,
  kArrayEnd,
  kKey,
  kText,
  kNumber,
  kTrue,
  kFalse,
  kNull,
  kEnd,
  kError,
};

class JsonReader {
 public:
  explicit JsonReader(TextSource& source) : source_(source) {}

  Token Next();
  // Of the last kKey or kText; valid until the next call.
  std::string_view text() const { return {text_.data(), text_size_}; }
  Decimal number() const { return number_; }
  const char* error() const { return error_; }
  uint16_t line() const { return line_; }
  uint16_t column() const { return column_; }

 private:
  enum class Expect : uint8_t { kValue, kValueOrEnd, kKey, kKeyOrEnd, kSeparatorOrEnd, kNothing };

  int Peek();
  void Step();
  void SkipBlanks();
  Token Fail(const char* what);
  Token Value();
  Token Literal(std::string_view word, Token token);
  Token Number();
  bool Text();
  bool Escape();
  bool HexUnit(uint32_t* out);
  bool Append(uint32_t code_point);
  bool AppendByte(uint32_t byte);
  Token Open(Token token, bool is_object);
  Token Close(Token token);

  TextSource& source_;
  std::array<uint8_t, 32> buffer_ = {};
  size_t buffered_ = 0;
  size_t at_ = 0;
  uint32_t offset_ = 0;  // behind the buffer
  std::array<char, kMaxJsonText> text_ = {};
  size_t text_size_ = 0;
  Decimal number_;
  const char* error_ = "";
  uint16_t line_ = 1;
  uint16_t column_ = 1;
  uint8_t depth_ = 0;
  uint8_t objects_ = 0;  // bit i: level i is an object
  Expect expect_ = Expect::kValue;
};

}  // namespace vesta::node
