// Reads a store file on a connection of its own, beside the writer.
//
// What is asked by series and time comes from two places: the table `timeline`, and the tail of `reading` that was not
// folded into it yet. Both are walked in one read transaction, so nothing is seen twice or missed while the writer
// folds. Memory is bounded by the tail and by what was asked for, never by the span.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"

namespace vesta::hub {

// Bytes of frames in one answer: whoever wants more asks again below the last id.
inline constexpr size_t kMaxFrameAnswerBytes = 4u << 20;

class SqliteReader final : public StoreReader {
 public:
  static tl::expected<std::unique_ptr<SqliteReader>, StoreError> Open(const std::string& path, const std::string& vfs);

  tl::expected<RecordBatch, StoreError> ReadJournal(JournalNumber after, size_t limit) override;
  tl::expected<RecordBatch, StoreError> ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit) override;
  tl::expected<RecordBatch, StoreError> ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us, size_t max_points,
                                                    uint64_t* total) override;
  tl::expected<RecordBatch, StoreError> ReadAtOrBefore(SeriesId series, UtcUs time_us) override;
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadFrames(const std::string& source, bool rejected_only,
                                                                  FrameId before, size_t limit) override;
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadRejected(const FrameSelection& selection,
                                                                    size_t limit) override;
  tl::expected<RecordBatch, StoreError> ReadFrameRecords(FrameId frame) override;
  tl::expected<std::vector<ArchiveStats>, StoreError> ReadArchiveStats() override;

 private:
  // A reading as far as its place in time and its order go.
  struct Point {
    UtcUs time_us;
    JournalNumber number;
    Value value;  // a text's bytes are not kept
  };
  class Snapshot;

  explicit SqliteReader(SqliteDb db) : db_(std::move(db)) {}
  tl::expected<void, StoreError> PrepareStatements();
  // The points of the span that stand in the tail, in time order.
  int ReadTail(SeriesId series, UtcUs from_us, UtcUs to_us, std::vector<Point>* tail);
  // Calls take(point) for each reading of the span in time order until it returns false; returns an SQLite code.
  template <typename Take>
  int Walk(SeriesId series, UtcUs from_us, UtcUs to_us, Take take);
  // Adds the readings with these numbers, in this order.
  int ReadClass(int64_t frame_class, const ArchivedFrame& model, const FrameSelection& selection, size_t limit,
                std::vector<ArchivedFrame>* frames, FrameId* complete_to);
  int Fetch(const std::vector<JournalNumber>& numbers, RecordBatch* batch);

  SqliteDb db_;
  Statement begin_, end_, journal_, one_, tail_, timeline_, tail_before_, timeline_before_, frames_, frame_links_,
      rejected_classes_, class_frames_, frame_records_, stats_;
};

}  // namespace vesta::hub
