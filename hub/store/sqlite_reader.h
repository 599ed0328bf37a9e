// Reads a store on a connection of its own, beside the writer.
//
// What is asked comes from two places: the blocks and roll-ups of the file, and the readings in the journal that were
// not folded into them yet. The file says, in one read transaction, how far it is folded; from there on the journal is
// read. When the writer has used a slot of the journal again meanwhile, the question is asked once more.
// Who reads a long span asks page by page; each page is a short question, so the writer is never held up. What was
// unpacked last is kept for the next page. Memory: that, an hour of a series, and the answer.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/store/frame_packer.h"
#include "hub/store/history_rows.h"
#include "hub/store/journal_tail.h"
#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"
#include "hub/store/thinning.h"

namespace vesta::hub {

// Bytes of frames in one answer: whoever wants more asks again below the last id.
inline constexpr size_t kMaxFrameAnswerBytes = 4u << 20;

class SqliteReader final : public StoreReader {
 public:
  // durable: up to which number readings are shown; nullptr (another process): all that are whole.
  static tl::expected<std::unique_ptr<SqliteReader>, StoreError> Open(
      const std::string& path, const std::string& vfs,
      std::shared_ptr<const std::atomic<JournalNumber>> durable = nullptr);

  tl::expected<RecordBatch, StoreError> ReadJournal(JournalNumber after, size_t limit) override;
  tl::expected<RecordBatch, StoreError> ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit) override;
  tl::expected<RecordBatch, StoreError> ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us, size_t max_points,
                                                    uint64_t* total) override;
  tl::expected<RecordBatch, StoreError> ReadAtOrBefore(SeriesId series, UtcUs time_us) override;
  tl::expected<std::vector<RollupBucket>, StoreError> ReadRollups(SeriesId series, RollupLevel level, UtcUs from_us,
                                                                  UtcUs to_us, size_t limit) override;
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadFrames(const std::string& source, bool rejected_only,
                                                                  FrameId before, size_t limit) override;
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadSelected(const FrameSelection& selection,
                                                                    size_t limit) override;
  tl::expected<uint64_t, StoreError> CountSelected(const FrameSelection& selection) override;
  tl::expected<RecordBatch, StoreError> ReadFrameRecords(FrameId frame) override;
  tl::expected<std::vector<ArchiveStats>, StoreError> ReadArchiveStats() override;

 private:
  // A read transaction: all statements within see the same.
  class Snapshot {
   public:
    explicit Snapshot(SqliteReader& reader) : reader_(reader) { reader_.begin_.Run(); }
    ~Snapshot() { reader_.end_.Run(); }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

   private:
    SqliteReader& reader_;
  };
  class TailReadings;

  SqliteReader(SqliteDb db, std::shared_ptr<const std::atomic<JournalNumber>> durable)
      : db_(std::move(db)), durable_(std::move(durable)) {}
  tl::expected<void, StoreError> PrepareStatements();
  // How far the file is folded, as this transaction sees it.
  int ReadFold();
  // What is wanted, without what is folded or not known to be durable.
  JournalTail::Wanted Unfolded(JournalTail::Wanted wanted) const;
  // Adds readings of the journal that are not folded.
  int ReadTail(const JournalTail::Wanted& wanted, RecordBatch* batch);
  DeviceId DeviceOf(SeriesId series);
  // Runs a question within a transaction, once more when the journal went on under it. ask() returns an SQLite code.
  template <typename Ask>
  tl::expected<void, StoreError> InSnapshot(std::string_view doing, Ask ask);
  int ThinRollups(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, Thinner* thinner, uint64_t* total);
  int ReadClass(int64_t frame_class, const ArchivedFrame& model, const FrameSelection& selection, size_t limit,
                std::vector<ArchivedFrame>* frames, FrameId* complete_to);
  // What was archived, of which `stored` stands in the table. A damaged frame has no bytes.
  std::vector<uint8_t> UnpackFrame(std::span<const uint8_t> stored, int64_t dictionary);
  // Whether a class is one of those that were asked for.
  bool IsSelected(const FrameSelection& selection) const;

  SqliteDb db_;
  std::shared_ptr<const std::atomic<JournalNumber>> durable_;
  std::unique_ptr<JournalTail> tail_;
  HistoryRows history_;
  FrameUnpacker unpacker_;
  JournalNumber folded_to_ = 0;
  JournalPlace fold_place_;
  Statement begin_, end_, fold_, device_, frames_, frame_links_, classes_, class_frames_, dictionary_, stats_;
};

}  // namespace vesta::hub
