#include "formats/json_writer.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "formats/utf8.h"
#include "model/calendar.h"

namespace vesta {

void JsonWriter::Put(std::string_view text) {
  if (overflow_ || text.size() > capacity_ - size_) {
    overflow_ = true;
    return;
  }
  std::memcpy(buffer_ + size_, text.data(), text.size());
  size_ += text.size();
}

void JsonWriter::Separate() {
  if (needs_comma_) Put(",");
  needs_comma_ = true;
}

JsonWriter& JsonWriter::Open(char c) {
  Separate();
  Put({&c, 1});
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char c) {
  Put({&c, 1});
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  PutEscaped(key);
  Put(":");
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  PutEscaped(text);
  return *this;
}

JsonWriter& JsonWriter::Integer(int64_t v) {
  Separate();
  char digits[24];
  const auto result = std::to_chars(digits, digits + sizeof digits, v);
  Put({digits, static_cast<size_t>(result.ptr - digits)});
  return *this;
}

JsonWriter& JsonWriter::Number(Decimal v) {
  Separate();
  char text[kDecimalTextSize];
  Put({text, FormatDecimal(v, text)});
  return *this;
}

JsonWriter& JsonWriter::Number(double v) {
  if (!std::isfinite(v)) return Null();
  Separate();
  // 17 digits always read back; fewer are tried first because 0.1 should not print as 0.10000000000000001. Not
  // std::to_chars: the chips' library has none for double.
  char text[32];
  int length = 0;
  for (int digits = 6; digits <= 17; ++digits) {
    length = std::snprintf(text, sizeof text, "%.*g", digits, v);
    double back = 0;
    if (std::sscanf(text, "%lf", &back) == 1 && back == v) break;
  }
  Put({text, static_cast<size_t>(length)});
  return *this;
}

JsonWriter& JsonWriter::Boolean(bool v) {
  Separate();
  Put(v ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::Null() {
  Separate();
  Put("null");
  return *this;
}

JsonWriter& JsonWriter::Time(int64_t utc_us) {
  if (utc_us == kNoTime) return Null();
  char text[kIso8601Size];
  return Text({text, FormatIso8601(utc_us, text)});
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  Put(json);
  return *this;
}

void JsonWriter::PutEscaped(std::string_view text) {
  Put("\"");
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"' || c == '\\') {
      const char escaped[2] = {'\\', c};
      Put({escaped, 2});
      text.remove_prefix(1);
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<uint8_t>(c)));
      Put({escaped, 6});
      text.remove_prefix(1);
    } else {
      const size_t length = Utf8Length(text);
      Put(length == 0 ? kUtf8Replacement : text.substr(0, length));
      text.remove_prefix(length == 0 ? 1 : length);
    }
    if (overflow_) return;
  }
  Put("\"");
}

size_t FormatUnknownState(uint32_t code, char* out) {
  return static_cast<size_t>(std::snprintf(out, kUnknownStateSize, "unknown(0x%02X)", static_cast<unsigned>(code)));
}

void WriteJsonValue(JsonWriter& json, const Value& value, FieldKind kind, std::string_view state_name) {
  switch (value.kind()) {
    case ValueKind::kNone:
      json.Null();
      return;
    case ValueKind::kDecimal:
      json.Number(value.decimal());
      return;
    case ValueKind::kReal:
      json.Number(value.real());
      return;
    case ValueKind::kText:
      json.Text(value.text());
      return;
    case ValueKind::kState:
      break;
  }
  if (kind == FieldKind::kFlag && value.state() <= 1) {
    json.Boolean(value.state() == 1);
  } else if (!state_name.empty()) {
    json.Text(state_name);
  } else {
    char text[kUnknownStateSize];
    json.Text({text, FormatUnknownState(value.state(), text)});
  }
}

}  // namespace vesta
