// A record as a row: the columns of the table `reading` in their order, and the packed column `marks`.
//
// Columns: number, series, time_us, delay_us, marks, frame, exponent, value. delay_us is the time of receipt minus
// time_us, which is small or 0 for most and so takes less room. value is a decimal's mantissa or a state's code
// (INTEGER), a real (REAL; NULL when it is not a number), a text (TEXT), or NULL. The format is docs/formats/store.md.
#pragma once

#include <cstdint>
#include <limits>

#include "hub/journal/record.h"
#include "hub/store/block.h"
#include "hub/store/sqlite_db.h"

namespace vesta::hub {

inline ValueKind KindOfMarks(int64_t marks) { return static_cast<ValueKind>(marks & 7); }
inline ValueQuality QualityOfMarks(int64_t marks) { return static_cast<ValueQuality>((marks >> 3) & 7); }
inline uint8_t FlagsOfMarks(int64_t marks) { return static_cast<uint8_t>(marks >> 8); }

inline constexpr int kRecordColumns = 8;
inline constexpr char kRecordColumnNames[] = "number, series, time_us, delay_us, marks, frame, exponent, value";

// Binds a record to the parameters first .. first + 7. A text is bound without a copy.
inline void BindRecord(Statement& statement, int first, const Record& record) {
  statement.BindInteger(first, static_cast<int64_t>(record.number));
  statement.BindInteger(first + 1, record.series);
  statement.BindInteger(first + 2, record.time_us);
  statement.BindInteger(first + 3, WrappingSubtract(record.received_us, record.time_us));
  statement.BindInteger(first + 4, PackMarks(record));
  statement.BindInteger(first + 5, static_cast<int64_t>(record.frame));
  int64_t exponent = 0;
  switch (record.value.kind()) {
    case ValueKind::kNone:
      statement.BindNull(first + 7);
      break;
    case ValueKind::kDecimal:
      exponent = record.value.decimal().exponent;
      statement.BindInteger(first + 7, record.value.decimal().mantissa);
      break;
    case ValueKind::kReal:
      statement.BindReal(first + 7, record.value.real());  // SQLite makes NULL of what is not a number
      break;
    case ValueKind::kText:
      statement.BindText(first + 7, record.value.text());
      break;
    case ValueKind::kState:
      statement.BindInteger(first + 7, record.value.state());
      break;
  }
  statement.BindInteger(first + 6, exponent);
}

// The value in a row; a text is a view into the row.
inline Value ValueOfRow(const Statement& row, int64_t marks, int exponent_column, int value_column) {
  switch (KindOfMarks(marks)) {
    case ValueKind::kNone:
      break;
    case ValueKind::kDecimal:
      return Value::OfDecimal(row.Integer(value_column), static_cast<int8_t>(row.Integer(exponent_column)));
    case ValueKind::kReal:
      return Value::OfReal(row.IsNull(value_column) ? std::numeric_limits<double>::quiet_NaN()
                                                    : row.Real(value_column));
    case ValueKind::kText:
      return Value::OfText(row.Text(value_column));
    case ValueKind::kState:
      return Value::OfState(static_cast<uint32_t>(row.Integer(value_column)));
  }
  return Value::None();
}

// A text is a view into the row: RecordBatch::Add copies it.
inline Record RecordOfRow(const Statement& row) {
  Record record;
  record.number = static_cast<JournalNumber>(row.Integer(0));
  record.series = static_cast<SeriesId>(row.Integer(1));
  record.time_us = row.Integer(2);
  record.received_us = WrappingAdd(record.time_us, row.Integer(3));
  const int64_t marks = row.Integer(4);
  record.quality = QualityOfMarks(marks);
  record.time_quality = static_cast<TimeQuality>((marks >> 6) & 3);
  record.flags = FlagsOfMarks(marks);
  record.index = static_cast<uint16_t>(marks >> 16);
  record.frame = static_cast<FrameId>(row.Integer(5));
  record.value = ValueOfRow(row, marks, 6, 7);
  return record;
}

}  // namespace vesta::hub
