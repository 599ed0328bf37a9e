#include "hub/postgres/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "hub/postgres/connection.h"
#include "hub/store/block.h"
#include "hub/store/record_row.h"
#include "model/calendar.h"

namespace vesta::hub::postgres {
namespace {

// 2000-01-01, where PostgreSQL's times begin, and its earliest time, 4714-11-24 BC.
constexpr int64_t kEpoch_us = 946684800 * kUsPerSecond;
constexpr UtcUs kEarliest_us = -210866803200 * kUsPerSecond;
constexpr int64_t kHour_us = 3600 * kUsPerSecond;
constexpr int kNumericBase = 10000;
constexpr int kGroup = 4;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kSpecial = 0xC000;  // NaN and the infinities
constexpr char kCopyHead[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
constexpr size_t kCopyHeadSize = 19;

template <typename Unsigned>
Unsigned ReadUnsigned(std::string_view bytes) {
  if (bytes.size() != sizeof(Unsigned)) return 0;
  Unsigned number = 0;
  for (const char byte : bytes) number = static_cast<Unsigned>(number << 8 | static_cast<uint8_t>(byte));
  return number;
}

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    uint8_t byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

double RealOfText(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

// Length of the UTF-8 sequence at the front; 0 when it is none.
size_t SequenceAt(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                      : (first & 0xF0) == 0xE0         ? 3
                      : first >= 0xF0 && first <= 0xF4 ? 4
                                                       : 0;
  if (size == 0 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // too long for what it says
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return size;
}

}  // namespace

CopyRows::CopyRows() : data_(kCopyHead, kCopyHeadSize) {}

void CopyRows::Put16(uint16_t number) {
  data_ += static_cast<char>(number >> 8);
  data_ += static_cast<char>(number);
}
void CopyRows::Put32(uint32_t number) {
  Put16(static_cast<uint16_t>(number >> 16));
  Put16(static_cast<uint16_t>(number));
}
void CopyRows::Put64(uint64_t number) {
  Put32(static_cast<uint32_t>(number >> 32));
  Put32(static_cast<uint32_t>(number));
}

void CopyRows::BeginRow(int columns) {
  Put16(static_cast<uint16_t>(columns));
  ++rows_;
}
void CopyRows::Null() { Put32(UINT32_MAX); }
void CopyRows::Smallint(int16_t number) {
  Put32(2);
  Put16(static_cast<uint16_t>(number));
}
void CopyRows::Integer(int32_t number) {
  Put32(4);
  Put32(static_cast<uint32_t>(number));
}
void CopyRows::Bigint(int64_t number) {
  Put32(8);
  Put64(static_cast<uint64_t>(number));
}
void CopyRows::Boolean(bool truth) {
  Put32(1);
  data_ += static_cast<char>(truth ? 1 : 0);
}
void CopyRows::Time(UtcUs time_us) {
  time_us = KeptTime(time_us);
  Bigint(time_us == INT64_MIN ? INT64_MIN : time_us - kEpoch_us);
}
void CopyRows::Text(std::string_view text) {
  Put32(static_cast<uint32_t>(text.size()));
  data_ += text;
}

// digits: an integer without a sign; scale: how many of them are decimals.
void CopyRows::Digits(std::string_view digits, bool negative, int scale) {
  const auto decimals = static_cast<size_t>(scale);
  std::string padded(digits.size() <= decimals ? decimals - digits.size() + 1 : 0, '0');
  padded += digits;
  const size_t whole = padded.size() - decimals;
  padded.insert(0, (kGroup - whole % kGroup) % kGroup, '0');
  padded.append((kGroup - decimals % kGroup) % kGroup, '0');
  std::array<uint16_t, 64> groups{};
  const size_t count = std::min(groups.size(), padded.size() / kGroup);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < kGroup; ++k) {
      groups[i] = static_cast<uint16_t>(groups[i] * 10 + (padded[i * kGroup + k] - '0'));
    }
  }
  int weight = static_cast<int>((whole + kGroup - 1) / kGroup) - 1;
  size_t first = 0;
  size_t end = count;
  for (; first < end && groups[first] == 0; ++first) --weight;
  while (end > first && groups[end - 1] == 0) --end;
  if (first == end) {
    weight = 0;
    negative = false;
  }
  Put32(static_cast<uint32_t>(8 + 2 * (end - first)));
  Put16(static_cast<uint16_t>(end - first));
  Put16(static_cast<uint16_t>(weight));
  Put16(negative ? kNegative : 0);
  Put16(static_cast<uint16_t>(scale));
  for (size_t i = first; i < end; ++i) Put16(groups[i]);
}

void CopyRows::Numeric(Decimal decimal) {
  char digits[24];
  const bool negative = decimal.mantissa < 0;
  const auto magnitude =
      negative ? 0 - static_cast<uint64_t>(decimal.mantissa) : static_cast<uint64_t>(decimal.mantissa);
  const char* const end = std::to_chars(digits, digits + sizeof digits, magnitude).ptr;
  Digits({digits, static_cast<size_t>(end - digits)}, negative, -decimal.exponent);
}

void CopyRows::Wide(__int128 number) {
  const bool negative = number < 0;
  auto magnitude = static_cast<unsigned __int128>(number);
  if (negative) magnitude = 0 - magnitude;
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  std::reverse(digits.begin(), digits.end());
  Digits(digits, negative, 0);
}

std::string_view CopyRows::Finish() {
  Put16(UINT16_MAX);
  return data_;
}

int16_t ReadSmallint(std::string_view bytes) { return static_cast<int16_t>(ReadUnsigned<uint16_t>(bytes)); }
int32_t ReadInteger(std::string_view bytes) { return static_cast<int32_t>(ReadUnsigned<uint32_t>(bytes)); }
int64_t ReadBigint(std::string_view bytes) { return static_cast<int64_t>(ReadUnsigned<uint64_t>(bytes)); }

UtcUs ReadTime(std::string_view bytes) {
  const int64_t since = ReadBigint(bytes);
  if (since == INT64_MIN || since == INT64_MAX) return since;
  UtcUs time_us = 0;
  return __builtin_add_overflow(since, kEpoch_us, &time_us) ? INT64_MAX : time_us;
}

namespace {

// The number times 10^scale, and the scale; nothing when it is none.
std::optional<std::pair<__int128, int>> ReadScaled(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  const auto groups = static_cast<size_t>(ReadSmallint(bytes.substr(0, 2)));
  const int weight = ReadSmallint(bytes.substr(2, 2));
  const uint16_t sign = ReadUnsigned<uint16_t>(bytes.substr(4, 2));
  const int scale = ReadSmallint(bytes.substr(6, 2));
  if ((sign & kSpecial) == kSpecial || bytes.size() != 8 + 2 * groups) return std::nullopt;
  __int128 number = 0;
  for (size_t i = 0; i < groups; ++i) {
    if (__builtin_mul_overflow(number, static_cast<__int128>(kNumericBase), &number)) return std::nullopt;
    number += ReadUnsigned<uint16_t>(bytes.substr(8 + 2 * i, 2));
  }
  int power = number == 0 ? 0 : kGroup * (weight - static_cast<int>(groups) + 1) + scale;
  for (; power > 0; --power) {
    if (__builtin_mul_overflow(number, static_cast<__int128>(10), &number)) return std::nullopt;
  }
  for (; power < 0; ++power) number /= 10;
  return std::pair(sign == kNegative ? -number : number, scale);
}

}  // namespace

std::optional<Decimal> ReadNumeric(std::string_view bytes) {
  const auto scaled = ReadScaled(bytes);
  if (!scaled || scaled->first > INT64_MAX || scaled->first < INT64_MIN || scaled->second > 128) return std::nullopt;
  return Decimal{static_cast<int64_t>(scaled->first), static_cast<int8_t>(-scaled->second)};
}

__int128 ReadWide(std::string_view bytes) {
  const auto scaled = ReadScaled(bytes);
  return scaled ? scaled->first : 0;
}

UtcUs KeptTime(UtcUs time_us) { return time_us < kEarliest_us ? INT64_MIN : time_us; }

std::string TimeText(UtcUs time_us) {
  if (KeptTime(time_us) == INT64_MIN) return "-infinity";
  if (time_us == INT64_MAX) return "infinity";
  // By arithmetic that is exact for every year: seconds and microseconds apart.
  int64_t seconds = time_us / kUsPerSecond;
  int64_t rest_us = time_us % kUsPerSecond;
  if (rest_us < 0) {
    rest_us += kUsPerSecond;
    --seconds;
  }
  const CivilTime civil = CivilFromUs(seconds * kUsPerSecond);
  const bool before_christ = civil.year <= 0;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00{}", before_christ ? 1 - civil.year : civil.year,
                     civil.month, civil.day, civil.hour, civil.minute, civil.second, rest_us,
                     before_christ ? " BC" : "");
}

std::string SpanSql(UtcUs from_us, UtcUs to_us, std::string_view column) {
  // Between what is kept as -infinity and the earliest time there is nothing.
  const auto bound = [](UtcUs time_us) {
    return time_us > INT64_MIN && time_us < kEarliest_us ? kEarliest_us : time_us;
  };
  return fmt::format("{0} >= '{1}' AND {0} < '{2}'", column, TimeText(bound(from_us)), TimeText(bound(to_us)));
}

int64_t HourOf(UtcUs time_us) {
  const int64_t hour = time_us / kHour_us;
  return time_us % kHour_us < 0 ? hour - 1 : hour;
}

UtcUs HourStart(int64_t hour) {
  if (hour < INT64_MIN / kHour_us) return INT64_MIN;
  return hour > INT64_MAX / kHour_us ? INT64_MAX : hour * kHour_us;
}

bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    const size_t size = SequenceAt(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string PlainText(std::string_view text) {
  std::string plain(text);
  if (IsPlainText(plain)) return plain;
  for (char& c : plain) {
    if (c == 0 || static_cast<uint8_t>(c) >= 0x80) c = '?';
  }
  return plain;
}

void AddReading(const Record& record, CopyRows* rows) {
  const Value& value = record.value;
  auto marks = static_cast<uint32_t>(PackMarks(record));
  const bool is_hex = value.kind() == ValueKind::kText && !IsPlainText(value.text());
  if (is_hex) marks = (marks & ~7u) | kHexTextKind;
  rows->BeginRow(8);
  rows->Bigint(static_cast<int64_t>(record.number));
  rows->Integer(static_cast<int32_t>(record.series));
  rows->Time(record.time_us);
  rows->Bigint(WrappingSubtract(record.received_us, KeptTime(record.time_us)));
  rows->Bigint(static_cast<int64_t>(record.frame));
  rows->Integer(static_cast<int32_t>(marks));
  switch (value.kind()) {
    case ValueKind::kNone:
      rows->Null();
      rows->Null();
      break;
    case ValueKind::kDecimal: {
      const Decimal decimal = value.decimal();
      if (decimal.exponent <= 0) {
        rows->Numeric(decimal);
        rows->Null();
      } else {
        rows->Null();
        rows->Text(fmt::format("{}e{}", decimal.mantissa, decimal.exponent));
      }
      break;
    }
    case ValueKind::kReal:
      rows->Null();
      rows->Text(fmt::format("{}", value.real()));  // the shortest text that reads back as the same number
      break;
    case ValueKind::kText:
      rows->Null();
      rows->Text(is_hex ? HexOf(value.text()) : std::string(value.text()));
      break;
    case ValueKind::kState:
      rows->Numeric({value.state(), 0});
      rows->Null();
      break;
  }
}

Record ReadReading(const Answer& row, int first, std::string* text) {
  Record record;
  record.number = static_cast<JournalNumber>(ReadBigint(row.Bytes(0, first)));
  record.series = static_cast<SeriesId>(ReadInteger(row.Bytes(0, first + 1)));
  record.time_us = ReadTime(row.Bytes(0, first + 2));
  record.received_us = WrappingAdd(record.time_us, ReadBigint(row.Bytes(0, first + 3)));
  record.frame = static_cast<FrameId>(ReadBigint(row.Bytes(0, first + 4)));
  const auto marks = static_cast<int64_t>(static_cast<uint32_t>(ReadInteger(row.Bytes(0, first + 5))));
  record.quality = QualityOfMarks(marks);
  record.time_quality = static_cast<TimeQuality>((marks >> 6) & 3);
  record.flags = FlagsOfMarks(marks);
  record.index = static_cast<uint16_t>(marks >> 16);
  *text = row.Text(0, first + 7);
  if (static_cast<uint32_t>(marks & 7) == kHexTextKind) {
    *text = FromHex(*text);
    record.value = Value::OfText(*text);
    return record;
  }
  switch (KindOfMarks(marks)) {
    case ValueKind::kDecimal:
      if (row.IsNull(0, first + 6)) {
        const size_t e = text->find('e');
        Decimal decimal;
        int exponent = 0;
        if (e != std::string::npos) {
          std::from_chars(text->data(), text->data() + e, decimal.mantissa);
          std::from_chars(text->data() + e + 1, text->data() + text->size(), exponent);
        }
        decimal.exponent = static_cast<int8_t>(exponent);
        record.value = Value::OfDecimal(decimal);
      } else {
        record.value = Value::OfDecimal(ReadNumeric(row.Bytes(0, first + 6)).value_or(Decimal{}));
      }
      break;
    case ValueKind::kReal:
      record.value = Value::OfReal(RealOfText(*text));
      break;
    case ValueKind::kText:
      record.value = Value::OfText(*text);
      break;
    case ValueKind::kState:
      record.value =
          Value::OfState(static_cast<uint32_t>(ReadNumeric(row.Bytes(0, first + 6)).value_or(Decimal{}).mantissa));
      break;
    case ValueKind::kNone:
      break;
  }
  return record;
}

}  // namespace vesta::hub::postgres
