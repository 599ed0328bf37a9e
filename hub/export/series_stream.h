// The readings of a series in order of time, page by page; and several series merged by time.
//
// Memory is one page a series, whatever the span. A page is one short query, so a writer beside it is never held up.
#pragma once

#include <cstddef>
#include <memory>
#include <tl/expected.hpp>
#include <vector>

#include "hub/store/store.h"

namespace vesta::hub {

// Readings a page. Of one time more than fit in the largest page can't be told apart from a store that is damaged.
inline constexpr size_t kPageRecords = 512;
inline constexpr size_t kLargestPage = 1u << 20;

class SeriesStream {
 public:
  SeriesStream(SeriesId series, UtcUs from_us, UtcUs to_us, size_t page = kPageRecords)
      : series_(series), next_us_(from_us), to_us_(to_us), page_(page) {}

  // The next reading; nullptr at the end. Valid until Advance.
  tl::expected<const Record*, StoreError> Peek(StoreReader& reader);
  void Advance() { ++at_; }
  SeriesId series() const { return series_; }

 private:
  SeriesId series_;
  UtcUs next_us_;
  UtcUs to_us_;
  size_t page_;
  RecordBatch batch_;
  size_t at_ = 0;
  JournalNumber last_ = 0;  // of those at next_us_, the last that was given
  bool whole_ = false;      // there are no further pages
};

// By time, then by series.
class MergedStream {
 public:
  MergedStream(const std::vector<SeriesId>& series, UtcUs from_us, UtcUs to_us, size_t page);

  tl::expected<const Record*, StoreError> Peek(StoreReader& reader);
  void Advance();

 private:
  struct Entry {
    UtcUs time_us;
    size_t stream;
  };
  static bool Later(const Entry& a, const Entry& b) {
    return a.time_us != b.time_us ? a.time_us > b.time_us : a.stream > b.stream;
  }
  tl::expected<void, StoreError> Queue(StoreReader& reader, size_t stream);

  std::vector<SeriesStream> streams_;
  std::vector<Entry> heap_;
  bool started_ = false;
  bool advanced_ = false;
};

}  // namespace vesta::hub
