// What stands inside a response: records of fixed width, texts, date and time, identification.
//
// Nothing is guessed: a field that is no number gives no number, a code that is not two hex digits is told as such, and
// bytes behind the last whole record are counted. All views point into the payload. Facts: reference of MEDIBUS, values
// and payload layouts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/calendar.h"
#include "model/value.h"
#include "protocols/medibus/wire.h"

namespace vesta::medibus {

enum class FieldContent : uint8_t { kNumber, kBlank, kOther };

// Spaces may stand anywhere, also between sign and digits.
FieldContent ReadNumber(std::string_view field, Decimal* out);

// "DDMM", where spaces stand for zeros. False when it is no date.
bool ReadDayMonth(std::string_view field, uint8_t* day, uint8_t* month);
// "HHMM" in minutes.
bool ReadHourMinute(std::string_view field, int64_t* minutes);

// "HH:MM:SSDD-MMM-YY" in the spellings that devices have: German or English months, spaces for zeros, no seconds.
bool ReadDateTime(std::string_view payload, CivilTime* out);

struct Record {
  bool code_valid = false;
  uint8_t code = 0;
  std::string_view code_text;
  std::string_view field;  // value or phrase
  uint8_t priority = 0;    // of an alarm, 1..31; 0: the byte is no priority
  char priority_char = 0;
};

inline constexpr size_t kDataField = 4;
inline constexpr size_t kSettingField = 5;
inline constexpr size_t kPhrase = 12;

enum class RecordKind : uint8_t { kData, kSetting, kAlarm };

class RecordReader {
 public:
  RecordReader(std::string_view payload, RecordKind kind) : rest_(payload), kind_(kind) {}
  bool Next(Record* out);
  std::string_view leftover() const { return rest_; }  // after the last record

 private:
  std::string_view rest_;
  RecordKind kind_;
};

// Texts: code, length character (30H + n), n bytes, ETX. A wrong length is mended by the ETX, and told.
class TextReader {
 public:
  explicit TextReader(std::string_view payload) : rest_(payload) {}
  bool Next(Record* out);
  std::string_view leftover() const { return rest_; }
  size_t odd_lengths() const { return odd_lengths_; }

 private:
  std::string_view rest_;
  size_t odd_lengths_ = 0;
};

struct DeviceId {
  bool empty = true;
  uint16_t number = 0;  // of the model, as printed: 5700; 0 = not four digits
  std::string_view number_text;
  std::string_view name;
  std::string_view revision;
  std::string_view software;  // without padding
  std::string_view medibus;
};
// False when it has not the form of an identification.
bool ReadDeviceId(std::string_view payload, DeviceId* out);

// Of the realtime configuration (53): 23 characters a stream.
struct StreamConfig {
  uint8_t code = 0;
  int64_t interval_us = 0;
  Decimal min{};
  Decimal max{};
  int64_t max_binary = 0;
};
class StreamConfigReader {
 public:
  explicit StreamConfigReader(std::string_view payload) : rest_(payload) {}
  // Skips streams that can't be read and counts them.
  bool Next(StreamConfig* out);
  std::string_view leftover() const { return rest_; }
  size_t unreadable() const { return unreadable_; }

 private:
  std::string_view rest_;
  size_t unreadable_ = 0;
};

// Without spaces at either end.
std::string_view Trimmed(std::string_view text);

inline std::string_view TextOf(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace vesta::medibus
