#include "node/json.h"

namespace vesta::node {

namespace {

constexpr int kEndOfText = -1;

bool IsDigit(int c) { return c >= '0' && c <= '9'; }

}  // namespace

int JsonReader::Peek() {
  if (at_ == buffered_) {
    buffered_ = source_.Read(offset_, buffer_);
    offset_ += static_cast<uint32_t>(buffered_);
    at_ = 0;
    if (buffered_ == 0) return kEndOfText;
  }
  return buffer_[at_];
}

void JsonReader::Step() {
  const int c = Peek();
  if (c == kEndOfText) return;
  ++at_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  } else if ((c & 0xC0) != 0x80) {
    ++column_;
  }
}

void JsonReader::SkipBlanks() {
  for (int c = Peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = Peek()) Step();
}

Token JsonReader::Fail(const char* what) {
  if (*error_ == '\0') error_ = what;
  return Token::kError;
}

Token JsonReader::Open(Token token, bool is_object) {
  if (depth_ == kMaxJsonDepth) return Fail("nested too deeply");
  Step();
  objects_ = static_cast<uint8_t>(is_object ? objects_ | 1u << depth_ : objects_ & ~(1u << depth_));
  ++depth_;
  expect_ = is_object ? Expect::kKeyOrEnd : Expect::kValueOrEnd;
  return token;
}

Token JsonReader::Close(Token token) {
  Step();
  --depth_;
  expect_ = depth_ == 0 ? Expect::kNothing : Expect::kSeparatorOrEnd;
  return token;
}

Token JsonReader::Next() {
  if (*error_ != '\0') return Token::kError;
  SkipBlanks();
  if (expect_ == Expect::kNothing) return Peek() == kEndOfText ? Token::kEnd : Fail("something behind the end");
  const bool in_object = depth_ > 0 && (objects_ >> (depth_ - 1) & 1) != 0;
  if (expect_ == Expect::kSeparatorOrEnd) {
    if (Peek() == (in_object ? '}' : ']')) return Close(in_object ? Token::kObjectEnd : Token::kArrayEnd);
    if (Peek() != ',') return Fail(in_object ? "',' or '}' expected" : "',' or ']' expected");
    Step();
    SkipBlanks();
    expect_ = in_object ? Expect::kKey : Expect::kValue;
  }
  if (expect_ == Expect::kKeyOrEnd && Peek() == '}') return Close(Token::kObjectEnd);
  if (expect_ == Expect::kValueOrEnd && Peek() == ']') return Close(Token::kArrayEnd);
  if (expect_ == Expect::kKey || expect_ == Expect::kKeyOrEnd) {
    if (Peek() != '"') return Fail("a key in quotes expected");
    if (!Text()) return Token::kError;
    SkipBlanks();
    if (Peek() != ':') return Fail("':' expected");
    Step();
    expect_ = Expect::kValue;
    return Token::kKey;
  }
  return Value();
}

Token JsonReader::Value() {
  const int c = Peek();
  if (c == '{') return Open(Token::kObject, true);
  if (c == '[') return Open(Token::kArray, false);
  expect_ = depth_ == 0 ? Expect::kNothing : Expect::kSeparatorOrEnd;
  if (c == '"') return Text() ? Token::kText : Token::kError;
  if (c == 't') return Literal("true", Token::kTrue);
  if (c == 'f') return Literal("false", Token::kFalse);
  if (c == 'n') return Literal("null", Token::kNull);
  if (c == '-' || IsDigit(c)) return Number();
  return Fail(c == kEndOfText ? "the text ends too early" : "a value expected");
}

Token JsonReader::Literal(std::string_view word, Token token) {
  for (const char c : word) {
    if (Peek() != c) return Fail("unknown word");
    Step();
  }
  return token;
}

Token JsonReader::Number() {
  std::array<char, 24> text;
  size_t size = 0;
  while (Peek() == '-' || Peek() == '.' || IsDigit(Peek())) {
    if (size == text.size()) return Fail("number too long");
    text[size++] = static_cast<char>(Peek());
    Step();
  }
  const std::string_view number(text.data(), size);
  const size_t first = number[0] == '-' ? 1 : 0;
  const bool leads_with_zero = size > first + 1 && number[first] == '0' && IsDigit(number[first + 1]);
  const bool is_whole = size > first && IsDigit(number[first]) && IsDigit(number[size - 1]);
  if (!is_whole || leads_with_zero || Peek() == 'e' || Peek() == 'E' || !ParseDecimal(number, &number_)) {
    return Fail("not a plain decimal number");
  }
  return Token::kNumber;
}

bool JsonReader::AppendByte(uint32_t byte) {
  if (text_size_ == text_.size()) {
    Fail("text too long");
    return false;
  }
  text_[text_size_++] = static_cast<char>(static_cast<uint8_t>(byte));
  return true;
}

bool JsonReader::Append(uint32_t c) {
  if (c < 0x80) return AppendByte(c);
  if (c < 0x800) return AppendByte(0xC0 | c >> 6) && AppendByte(0x80 | (c & 0x3F));
  if (c < 0x10000) {
    return AppendByte(0xE0 | c >> 12) && AppendByte(0x80 | (c >> 6 & 0x3F)) && AppendByte(0x80 | (c & 0x3F));
  }
  return AppendByte(0xF0 | c >> 18) && AppendByte(0x80 | (c >> 12 & 0x3F)) && AppendByte(0x80 | (c >> 6 & 0x3F)) &&
         AppendByte(0x80 | (c & 0x3F));
}

bool JsonReader::HexUnit(uint32_t* out) {
  *out = 0;
  for (int i = 0; i < 4; ++i) {
    const int c = Peek();
    const int digit = IsDigit(c)             ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) {
      Fail("four hex digits expected");
      return false;
    }
    *out = *out << 4 | static_cast<uint32_t>(digit);
    Step();
  }
  return true;
}

bool JsonReader::Escape() {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const int c = Peek();
  if (c == 'u') {
    Step();
    uint32_t unit = 0;
    if (!HexUnit(&unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
      uint32_t low = 0;
      bool is_pair = Peek() == '\\';
      if (is_pair) Step();
      is_pair = is_pair && Peek() == 'u';
      if (is_pair) Step();
      is_pair = is_pair && HexUnit(&low) && low >= 0xDC00 && low <= 0xDFFF;
      if (!is_pair) {
        Fail("half a character");
        return false;
      }
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
      Fail("half a character");
      return false;
    }
    return Append(unit);
  }
  const size_t place = c == kEndOfText ? std::string_view::npos : kLetters.find(static_cast<char>(c));
  if (place == std::string_view::npos) {
    Fail("unknown escape");
    return false;
  }
  Step();
  return AppendByte(static_cast<uint8_t>(kMeanings[place]));
}

bool JsonReader::Text() {
  text_size_ = 0;
  Step();
  while (Peek() != '"') {
    const int c = Peek();
    if (c == kEndOfText || c < 0x20) {
      Fail("the text is not closed");
      return false;
    }
    Step();
    if (c == '\\' ? !Escape() : !AppendByte(static_cast<uint32_t>(c))) return false;
  }
  Step();
  return true;
}

}  // namespace vesta::node
