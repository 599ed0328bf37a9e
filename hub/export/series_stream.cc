#include "hub/export/series_stream.h"

#include <algorithm>

namespace vesta::hub {

tl::expected<const Record*, StoreError> SeriesStream::Peek(StoreReader& reader) {
  while (at_ >= batch_.records.size()) {
    if (whole_) return nullptr;
    size_t limit = page_;
    while (true) {
      auto page = reader.ReadRange(series_, next_us_, to_us_, limit);
      if (!page) return tl::unexpected(page.error());
      batch_ = std::move(*page);
      whole_ = batch_.records.size() < limit;
      at_ = 0;
      // A page begins at the last time of the one before; what was given of that is skipped.
      while (at_ < batch_.records.size() && last_ != 0 && batch_.records[at_].time_us == next_us_ &&
             batch_.records[at_].number <= last_) {
        ++at_;
      }
      if (at_ < batch_.records.size() || whole_) break;
      if (limit >= kLargestPage) {
        return tl::unexpected(StoreError{StoreErrorKind::kCorrupt, "too many readings of one time in a series"});
      }
      limit *= 2;
    }
    if (!batch_.records.empty()) {
      next_us_ = batch_.records.back().time_us;
      last_ = batch_.records.back().number;
    }
  }
  return &batch_.records[at_];
}

MergedStream::MergedStream(const std::vector<SeriesId>& series, UtcUs from_us, UtcUs to_us, size_t page) {
  streams_.reserve(series.size());
  for (const SeriesId id : series) streams_.emplace_back(id, from_us, to_us, page);
}

tl::expected<void, StoreError> MergedStream::Queue(StoreReader& reader, size_t stream) {
  auto next = streams_[stream].Peek(reader);
  if (!next) return tl::unexpected(next.error());
  if (*next == nullptr) return {};
  heap_.push_back({(*next)->time_us, stream});
  std::push_heap(heap_.begin(), heap_.end(), Later);
  return {};
}

tl::expected<const Record*, StoreError> MergedStream::Peek(StoreReader& reader) {
  if (!started_) {
    started_ = true;
    for (size_t i = 0; i < streams_.size(); ++i) {
      if (auto queued = Queue(reader, i); !queued) return tl::unexpected(queued.error());
    }
  }
  if (advanced_) {
    advanced_ = false;
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    const size_t stream = heap_.back().stream;
    heap_.pop_back();
    streams_[stream].Advance();
    if (auto queued = Queue(reader, stream); !queued) return tl::unexpected(queued.error());
  }
  if (heap_.empty()) return nullptr;
  return streams_[heap_.front().stream].Peek(reader);
}

void MergedStream::Advance() { advanced_ = true; }

}  // namespace vesta::hub
