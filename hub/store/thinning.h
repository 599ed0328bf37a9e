// Picks the readings that keep the shape of a curve: of each of equal slices of a span the first, lowest, highest and
// last reading.
//
// Readings come in time order and only those that may be picked are kept: memory is bounded by the number of points
// asked for. When a span holds no more readings than points, all of them are picked. Texts and missing values are never
// lowest or highest.
#pragma once

#include <cstdint>
#include <string>

#include "hub/journal/record.h"

namespace vesta::hub {

class Thinner {
 public:
  Thinner(UtcUs from_us, UtcUs to_us, size_t points_max);

  // from_us <= time < to_us.
  void Add(const Record& record);

  // The picked readings in time order, at most points_max.
  RecordBatch Finish();
  uint64_t total() const { return total_; }

 private:
  struct Point {
    uint64_t place = 0;  // in the order of Add, 1-based; 0 = none
    Record record;
    std::string text;
  };
  void EndSlice();

  UtcUs from_us_;
  uint64_t span_us_;
  size_t points_max_;
  uint64_t slices_;
  uint64_t slice_ = 0;
  uint64_t total_ = 0;
  Point first_, lowest_, highest_, last_;
  RecordBatch all_;     // until there are more than points_max
  RecordBatch picked_;  // of the slices that are done
};

}  // namespace vesta::hub
