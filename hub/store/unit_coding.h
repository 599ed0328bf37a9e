// A commit as bytes: its readings in columns, and all the rest of it (devices, series, frames, positions, ...) apart,
// so that who wants readings need not unpack the rest. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/store/store.h"

namespace vesta::hub {

// Readings of a commit in columns. Values are differences to the one before of the same series.
class ReadingsWriter {
 public:
  // The bytes are good until the next call; empty for no readings.
  std::string_view Write(const std::vector<RecordBatch>& batches);

 private:
  struct Last {
    uint64_t turn = 0;
    int64_t marks = 0;
    int64_t exponent = 0;
    int64_t value = 0;
  };
  uint64_t turn_ = 0;
  std::vector<Last> last_;  // by series
  std::vector<int64_t> columns_[8];
  std::string bytes_;
};

class ReadingsReader {
 public:
  // Appends the readings of one series (0: of all), in journal order, to *records; texts are views into *bytes.
  // False: damaged.
  bool Read(std::string_view bytes, SeriesId series, std::vector<Record>* records);

 private:
  struct Last {
    uint64_t turn = 0;
    int64_t marks = 0;
    int64_t exponent = 0;
    int64_t value = 0;
  };
  uint64_t turn_ = 0;
  std::vector<Last> last_;
  std::vector<int64_t> columns_[8];
};

// Whether something of a commit stands in tables, beside what the journal alone keeps.
bool HasRows(const CommitUnit& unit);

// Everything but the readings.
std::string WriteRest(const CommitUnit& unit);
bool ReadRest(std::string_view bytes, CommitUnit* unit);

}  // namespace vesta::hub
