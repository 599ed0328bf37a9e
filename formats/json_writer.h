// Writes JSON into a buffer of the caller's: bounded, no heap, commas and escapes taken care of.
//
// Portable, so that a node can publish too. When the buffer is too small the writer stops, says so (ok() is false) and
// what stands in the buffer must not be used. Texts from devices are hostile: control characters are escaped, and bytes
// that are not UTF-8 become U+FFFD, so the result is always valid JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/field.h"
#include "model/value.h"

namespace vesta {

class JsonWriter {
 public:
  JsonWriter(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& Text(std::string_view text);
  JsonWriter& Integer(int64_t v);
  JsonWriter& Number(Decimal v);
  JsonWriter& Number(double v);  // shortest text that reads back the same; null when not finite
  JsonWriter& Boolean(bool v);
  JsonWriter& Null();
  JsonWriter& Time(int64_t utc_us);  // ISO 8601 text, null for kNoTime
  // Already JSON.
  JsonWriter& Raw(std::string_view json);

  bool ok() const { return !overflow_; }
  std::string_view view() const { return {buffer_, size_}; }

 private:
  JsonWriter& Open(char c);
  JsonWriter& Close(char c);
  void Separate();
  void Put(std::string_view text);
  void PutEscaped(std::string_view text);

  char* buffer_;
  size_t capacity_;
  size_t size_ = 0;
  bool needs_comma_ = false;
  bool overflow_ = false;
};

// A value as every JSON output shows it: decimal and real as numbers, a flag as true/false, a state by its name (an
// unknown code as "unknown(0x2A)"), a text as text, none as null.
void WriteJsonValue(JsonWriter& json, const Value& value, FieldKind kind, std::string_view state_name);

// "unknown(0x2A)"; returns the length.
inline constexpr size_t kUnknownStateSize = 24;
size_t FormatUnknownState(uint32_t code, char* out);

}  // namespace vesta
