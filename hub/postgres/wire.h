// Values as PostgreSQL's binary format has them: integers and times in network order, numeric, and rows of COPY.
//
// A decimal is a numeric whose scale is the number of decimals that the device sent, so trailing zeros stay. A time is
// a timestamptz, microseconds since 2000; what lies before the year -4712, which PostgreSQL can't have, is -infinity.
// Facts: PostgreSQL 15's documentation, "COPY" (binary format) and the send and receive functions of its types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/journal/record.h"

namespace vesta::hub::postgres {

// Kinds of value in `marks`, beside those of ValueKind: a text that is no UTF-8 or has a NUL, in hex.
inline constexpr uint32_t kHexTextKind = 5;

// A payload for COPY ... FROM STDIN (FORMAT binary).
class CopyRows {
 public:
  CopyRows();
  void BeginRow(int columns);
  void Null();
  void Smallint(int16_t number);
  void Integer(int32_t number);
  void Bigint(int64_t number);
  void Boolean(bool truth);
  void Time(UtcUs time_us);
  void Text(std::string_view text);
  void Numeric(Decimal decimal);  // exponent at most 0
  void Wide(__int128 number);     // as numeric
  std::string_view Finish();
  size_t rows() const { return rows_; }

 private:
  void Put16(uint16_t number);
  void Put32(uint32_t number);
  void Put64(uint64_t number);
  void Digits(std::string_view digits, bool negative, int scale);

  std::string data_;
  size_t rows_ = 0;
};

// The same in answers. Damaged or foreign bytes give 0 or nothing, never a crash.
int16_t ReadSmallint(std::string_view bytes);
int32_t ReadInteger(std::string_view bytes);
int64_t ReadBigint(std::string_view bytes);
UtcUs ReadTime(std::string_view bytes);
std::optional<Decimal> ReadNumeric(std::string_view bytes);
__int128 ReadWide(std::string_view bytes);

// A time as PostgreSQL can have it: what is earlier is INT64_MIN.
UtcUs KeptTime(UtcUs time_us);
// For a parameter or in SQL text: '2026-08-11 06:21:25.123456+00', '-infinity', 'infinity'.
std::string TimeText(UtcUs time_us);
// "column >= ... AND column < ...", by the times that the database has.
std::string SpanSql(UtcUs from_us, UtcUs to_us, std::string_view column);
// Hours since 1970, and where one begins.
int64_t HourOf(UtcUs time_us);
UtcUs HourStart(int64_t hour);
bool IsPlainText(std::string_view text);  // UTF-8 without NUL
// A text for a table: what is no plain text loses the bytes that are not ASCII.
std::string PlainText(std::string_view text);

// The columns of the table `reading`, in the order in which they are written and read.
inline constexpr char kReadingColumns[] = "number, series, time, delay_us, frame, marks, value, text";
void AddReading(const Record& record, CopyRows* rows);
// From a binary row with these columns from `first` on. A text lives in *text.
class Connection;
class Answer;
Record ReadReading(const Answer& row, int first, std::string* text);

}  // namespace vesta::hub::postgres
