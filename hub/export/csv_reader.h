// Rows of a CSV file (RFC 4180), read piece by piece: quoted cells may hold commas, quotes and line ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::hub {

// A row that is longer is no row of ours: a quote was lost, and all that follows would be one cell.
inline constexpr size_t kMaxCsvRowBytes = 1u << 20;

class CsvReader {
 public:
  enum class Result : uint8_t { kRow, kNeedMore, kTooLong, kOpenQuote, kEnd };

  void Feed(std::string_view bytes) { buffer_.append(bytes); }
  // Nothing more will come.
  void Finish() { finished_ = true; }
  // kTooLong and kOpenQuote (the file ends inside a quoted cell) end it.
  Result Next(std::vector<std::string>* cells);
  // Of the row's first line, from 1 on.
  uint64_t line() const { return line_; }

 private:
  std::string buffer_;
  size_t at_ = 0;       // where the next row begins
  size_t scanned_ = 0;  // up to here there is no end of it
  bool quoted_ = false;
  bool finished_ = false;
  uint64_t line_ = 0;
  uint64_t next_line_ = 1;
};

}  // namespace vesta::hub
