#include "protocols/medibus/values.h"

#include <algorithm>

namespace vesta::medibus {
namespace {

constexpr uint8_t kLengthBase = 0x30;
constexpr uint8_t kPriorityBase = 0x30;
constexpr uint8_t kMaxPriority = 31;
constexpr size_t kMaxText = 32;
constexpr size_t kStreamRecord = 23;
constexpr size_t kWidestField = 8;  // the interval of a stream

struct Month {
  const char* name;
  uint8_t number;
};
constexpr Month kMonths[] = {{"JAN", 1},  {"FEB", 2},  {"MAR", 3},  {"APR", 4},  {"MAI", 5},
                             {"MAY", 5},  {"JUN", 6},  {"JUL", 7},  {"AUG", 8},  {"SEP", 9},
                             {"OKT", 10}, {"OCT", 10}, {"NOV", 11}, {"DEZ", 12}, {"DEC", 12}};

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Exactly two characters, the first of which may be a space.
bool TwoDigits(std::string_view text, uint8_t* out) {
  if (text.size() < 2 || !IsDigit(text[1]) || (text[0] != ' ' && !IsDigit(text[0]))) return false;
  *out = static_cast<uint8_t>((text[0] == ' ' ? 0 : text[0] - '0') * 10 + (text[1] - '0'));
  return true;
}

void SetCode(std::string_view text, Record* out) {
  const int code = HexByte(static_cast<uint8_t>(text[0]), static_cast<uint8_t>(text[1]));
  out->code_text = text.substr(0, 2);
  out->code_valid = code >= 0;
  out->code = code >= 0 ? static_cast<uint8_t>(code) : 0;
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  void SkipSpaces() {
    while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
  }
  bool Take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // One or two digits, spaces before them.
  bool Number(uint8_t* out) {
    SkipSpaces();
    size_t n = 0;
    unsigned number = 0;
    while (n < 2 && n < text_.size() && IsDigit(text_[n]))
      number = number * 10 + static_cast<unsigned>(text_[n++] - '0');
    if (n == 0) return false;
    text_.remove_prefix(n);
    *out = static_cast<uint8_t>(number);
    return true;
  }
  bool MonthName(uint8_t* out) {
    for (const Month& month : kMonths) {
      if (text_.substr(0, 3) != month.name) continue;
      text_.remove_prefix(3);
      *out = month.number;
      return true;
    }
    return false;
  }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

FieldContent ReadNumber(std::string_view field, Decimal* out) {
  char digits[kWidestField];
  size_t n = 0;
  for (const char c : field) {
    if (c == ' ') continue;
    if (n == sizeof(digits)) return FieldContent::kOther;
    digits[n++] = c;
  }
  if (n == 0) return FieldContent::kBlank;
  return ParseDecimal({digits, n}, out) ? FieldContent::kNumber : FieldContent::kOther;
}

bool ReadDayMonth(std::string_view field, uint8_t* day, uint8_t* month) {
  if (field.size() != 4 || !TwoDigits(field.substr(0, 2), day) || !TwoDigits(field.substr(2, 2), month)) return false;
  // 2000: a leap year, since the device tells none.
  return *month >= 1 && *month <= 12 && *day >= 1 && *day <= DaysInMonth(2000, *month);
}

bool ReadHourMinute(std::string_view field, int64_t* minutes) {
  uint8_t hour = 0;
  uint8_t minute = 0;
  if (field.size() != 4 || !TwoDigits(field.substr(0, 2), &hour) || !TwoDigits(field.substr(2, 2), &minute)) {
    return false;
  }
  if (minute > 59) return false;
  *minutes = hour * 60 + minute;
  return true;
}

bool ReadDateTime(std::string_view payload, CivilTime* out) {
  Cursor cursor(payload);
  CivilTime time;
  uint8_t year = 0;
  if (!cursor.Number(&time.hour) || !cursor.Take(':') || !cursor.Number(&time.minute)) return false;
  if (cursor.Take(':') && !cursor.Number(&time.second)) return false;
  if (!cursor.Number(&time.day) || !cursor.Take('-') || !cursor.MonthName(&time.month) || !cursor.Take('-') ||
      !cursor.Number(&year)) {
    return false;
  }
  cursor.SkipSpaces();
  time.year = 2000 + year;
  if (!cursor.empty() || time.hour > 23 || time.minute > 59 || time.second > 59) return false;
  if (time.day < 1 || time.day > DaysInMonth(time.year, time.month)) return false;
  *out = time;
  return true;
}

bool RecordReader::Next(Record* out) {
  *out = Record();
  const size_t before = kind_ == RecordKind::kAlarm ? 1 : 0;
  const size_t field = kind_ == RecordKind::kAlarm     ? kPhrase
                       : kind_ == RecordKind::kSetting ? kSettingField
                                                       : kDataField;
  const size_t size = before + 2 + field;
  if (rest_.size() < size) return false;
  if (before == 1) {
    out->priority_char = rest_[0];
    const int priority = static_cast<uint8_t>(rest_[0]) - kPriorityBase;
    out->priority = priority >= 1 && priority <= kMaxPriority ? static_cast<uint8_t>(priority) : 0;
  }
  SetCode(rest_.substr(before, 2), out);
  out->field = rest_.substr(before + 2, field);
  rest_.remove_prefix(size);
  return true;
}

bool TextReader::Next(Record* out) {
  *out = Record();
  if (rest_.size() < 4) return false;
  const size_t length = static_cast<uint8_t>(rest_[2]) - static_cast<size_t>(kLengthBase);
  size_t end = 3 + length;
  if (length > kMaxText || end >= rest_.size() || rest_[end] != static_cast<char>(kEtx)) {
    end = rest_.find(static_cast<char>(kEtx), 3);
    if (end == std::string_view::npos) return false;
    ++odd_lengths_;
  }
  SetCode(rest_, out);
  out->field = rest_.substr(3, std::min(end - 3, kMaxText));
  rest_.remove_prefix(end + 1);
  return true;
}

bool ReadDeviceId(std::string_view payload, DeviceId* out) {
  *out = DeviceId();
  if (Trimmed(payload).empty()) return true;
  const size_t first = payload.find('\'');
  const size_t last = payload.rfind('\'');
  if (first == std::string_view::npos || last == first || first > 4) return false;
  out->empty = false;
  out->number_text = Trimmed(payload.substr(0, first));
  out->name = Trimmed(payload.substr(first + 1, last - first - 1));
  out->revision = payload.substr(last + 1);
  const size_t colon = out->revision.find(':');
  out->software = Trimmed(out->revision.substr(0, colon));
  if (colon != std::string_view::npos) out->medibus = Trimmed(out->revision.substr(colon + 1));
  uint16_t number = 0;
  for (const char c : out->number_text) {
    if (!IsDigit(c)) return true;  // a number with letters is in no table
    number = static_cast<uint16_t>(number * 10 + (c - '0'));
  }
  out->number = number;
  return true;
}

bool StreamConfigReader::Next(StreamConfig* out) {
  while (rest_.size() >= kStreamRecord) {
    const std::string_view record = rest_.substr(0, kStreamRecord);
    rest_.remove_prefix(kStreamRecord);
    Decimal interval;
    const int code = HexByte(static_cast<uint8_t>(record[0]), static_cast<uint8_t>(record[1]));
    const int high = HexByte('0', static_cast<uint8_t>(record[20]));
    const int low = HexByte(static_cast<uint8_t>(record[21]), static_cast<uint8_t>(record[22]));
    const bool readable = code >= 0 && high >= 0 && low >= 0 &&
                          ReadNumber(record.substr(2, 8), &interval) == FieldContent::kNumber &&
                          ReadNumber(record.substr(10, 5), &out->min) == FieldContent::kNumber &&
                          ReadNumber(record.substr(15, 5), &out->max) == FieldContent::kNumber &&
                          interval.exponent == 0 && interval.mantissa > 0 && (high != 0 || low != 0);
    if (!readable) {
      ++unreadable_;
      continue;
    }
    out->code = static_cast<uint8_t>(code);
    out->interval_us = interval.mantissa;
    out->max_binary = high << 8 | low;
    return true;
  }
  return false;
}

}  // namespace vesta::medibus
