#include "hub/export/csv_reader.h"

#include <algorithm>

namespace vesta::hub {
namespace {

// Without the line end.
void Split(std::string_view row, std::vector<std::string>* cells) {
  cells->assign(1, {});
  bool quoted = false;
  for (size_t i = 0; i < row.size(); ++i) {
    const char c = row[i];
    if (c == '"') {
      if (quoted && i + 1 < row.size() && row[i + 1] == '"') {
        cells->back() += '"';
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (c == ',' && !quoted) {
      cells->emplace_back();
    } else {
      cells->back() += c;
    }
  }
}

}  // namespace

CsvReader::Result CsvReader::Next(std::vector<std::string>* cells) {
  line_ = next_line_;
  while (scanned_ < buffer_.size()) {
    const char c = buffer_[scanned_];
    // A doubled quote turns it off and on again.
    if (c == '"') quoted_ = !quoted_;
    ++scanned_;
    if (scanned_ - at_ > kMaxCsvRowBytes) return Result::kTooLong;
    if (c == '\n' && !quoted_) break;
  }
  const bool ended = scanned_ > at_ && buffer_[scanned_ - 1] == '\n' && !quoted_;
  if (!ended && !finished_) {
    buffer_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
    return Result::kNeedMore;
  }
  if (scanned_ == at_) return Result::kEnd;
  if (!ended && quoted_) return Result::kOpenQuote;
  std::string_view row = std::string_view(buffer_).substr(at_, scanned_ - at_);
  next_line_ += static_cast<uint64_t>(std::count(row.begin(), row.end(), '\n'));
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.ends_with('\r')) row.remove_suffix(1);
  Split(row, cells);
  at_ = scanned_;
  return Result::kRow;
}

}  // namespace vesta::hub
