// The tables that a telegram carries in one object: power failures and demand history.
#include "protocols/p1/decode.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {

namespace {
// Rows of these roles may print stamps without a letter.
const ObisRow& FailureRow() {
  static const ObisRow* const row = FindObis("1-0:99.97.0");
  return *row;
}
const ObisRow& HistoryRow() {
  static const ObisRow* const row = FindObis("0-0:98.1.0");
  return *row;
}
}  // namespace

FailureLogCursor::FailureLogCursor(std::string_view groups, const TimeRules& rules) : cursor_(groups), rules_(rules) {
  std::string_view raw;
  if (!cursor_.Next(&raw)) return;
  declared_ = SmallNumber(Classify(&FailureRow(), raw, rules_));
  if (Trim(raw).empty()) anomalies_ |= kFailureLogEmptyGroup;
}

bool FailureLogCursor::Next(FailureEntry* entry) {
  std::string_view raw;
  bool has_stamp = false;
  while (cursor_.Next(&raw)) {
    const Scalar scalar = Classify(&FailureRow(), raw, rules_);
    if (scalar.kind == ScalarKind::kStamp) {
      entry->end_raw = scalar.raw;
      entry->end = scalar.stamp;
      has_stamp = true;
      anomalies_ |= StampAnomalies(scalar.stamp, false);
    } else if (scalar.kind == ScalarKind::kNumber && has_stamp) {
      entry->duration_s = scalar.number;
      return true;
    }
  }
  return false;
}

HistoryCursor::HistoryCursor(std::string_view groups, const TimeRules& rules) : cursor_(groups), rules_(rules) {
  std::string_view raw;
  if (!cursor_.Next(&raw)) return;
  declared_ = SmallNumber(Classify(&HistoryRow(), raw, rules_));
  if (declared_ < 0) {
    anomalies_ |= kHistoryNonstandard;
    return;
  }
  while ((has_pending_ = cursor_.Next(&pending_)) && column_count_ < kMaxHistoryColumns) {
    if (Classify(&HistoryRow(), pending_, rules_).kind != ScalarKind::kObis) break;
    columns_[column_count_++] = pending_;
  }
  standard_ = true;
}

bool HistoryCursor::StartRow() {
  if (!has_pending_ || column_count_ == 0) return false;
  const Scalar month = Classify(&HistoryRow(), pending_, rules_);
  if (month.kind != ScalarKind::kStamp) return false;
  entry_ = HistoryEntry();
  entry_.month_raw = month.raw;
  entry_.month_end = month.stamp;
  entry_.row = static_cast<uint16_t>(rows_);
  anomalies_ |= StampAnomalies(month.stamp, true);
  column_ = 0;
  in_row_ = true;
  return true;
}

bool HistoryCursor::Next(HistoryEntry* entry) {
  while (standard_) {
    if (!in_row_ && !StartRow()) break;
    std::string_view raw;
    while (column_ < column_count_) {
      if (!cursor_.Next(&raw)) {
        standard_ = false;
        has_pending_ = false;
        in_row_ = false;
        break;
      }
      const std::string_view column = columns_[column_++];
      const Scalar scalar = Classify(&HistoryRow(), raw, rules_);
      if (scalar.kind == ScalarKind::kStamp) {
        entry_.peak_raw = scalar.raw;
        entry_.peak_at = scalar.stamp;
        entry_.has_peak_at = true;
        anomalies_ |= StampAnomalies(scalar.stamp, true);
      } else if (scalar.kind == ScalarKind::kNumber && (column == "1-0:1.6.0" || column == "1-0:2.6.0")) {
        const UnitScale scale = FindUnit(scalar.unit);
        entry_.value = Scale(scalar.number, scale.power);
        entry_.unit = scale.unit;
        entry_.is_export = column == "1-0:2.6.0";
        *entry = entry_;
        return true;
      }
    }
    if (!in_row_) break;
    in_row_ = false;
    ++rows_;
    has_pending_ = cursor_.Next(&pending_);
  }
  if (declared_ >= 0 && rows_ != declared_) anomalies_ |= kHistoryCountMismatch;
  return false;
}

void Decoder::ExamineLists(Content* content) const {
  if (content->failure_log_seen) {
    FailureLogCursor cursor(content->failure_log, rules_);
    FailureEntry entry;
    while (cursor.Next(&entry)) {
    }
    content->anomalies |= cursor.anomalies();
  }
  if (content->history_seen) {
    HistoryCursor cursor(content->history, rules_);
    HistoryEntry entry;
    while (cursor.Next(&entry)) {
    }
    content->anomalies |= cursor.anomalies();
  }
}

}  // namespace vesta::p1
