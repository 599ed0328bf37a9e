// History, archive and everything else that survives a restart: one SQLite file that any tool opens, and the journal of
// the newest readings in files beside it.
//
// A commit is one entry of the journal: one write of some hundred bytes and one sync. What is not readings (devices,
// frames, ...) goes to its tables in the same call, without a sync of its own: after a power cut it is made up from the
// journal. Behind the commits the readings are folded into compressed blocks and roll-ups, hour by hour, in one synced
// transaction each, and the journal's files are used again. Readers look into both.
// Tables, units and promises: docs/formats/store.md; the files beside: docs/formats/journal.md.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <vector>

#include "hub/store/fold.h"
#include "hub/store/frame_packer.h"
#include "hub/store/history_rows.h"
#include "hub/store/segments.h"
#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"
#include "hub/store/unit_coding.h"

namespace vesta::hub {

struct SqliteStoreOptions {
  // Archive kept per source, verdict, reason and sender: a flood of one leaves the others alone.
  uint64_t archive_class_bytes = 4u << 20;
  // And of all together; the largest class gives way.
  uint64_t archive_total_bytes = 64u << 20;
  Zone zone{60, true};  // of the site: its days are those of the roll-ups
  FoldLimits fold;
  uint64_t segment_bytes = kSegmentBytes;
  std::string vfs;    // SQLite VFS; empty: the system's. Another one also means that the path is no real file
  bool fsync = true;  // false only for the proof that the power-cut test notices
};

// What a frame costs in the archive beside its bytes; bounds the number of empty ones.
inline constexpr uint64_t kFrameOverheadBytes = 64;
// Different (source, verdict, reason, sender). Reasons are few fixed words; beyond this they are archived as "other".
inline constexpr size_t kMaxArchiveClasses = 1024;
// Senders of one (source, verdict, reason) that have a quota of their own: a marina's worth. Those that come beyond
// share one, so that any number of invented addresses evicts nothing of those that were there before.
inline constexpr size_t kMaxArchiveSenders = 64;
// Rows looked at, and deleted at most, in one step of trimming.
inline constexpr int kTrimLook = 512;
inline constexpr int kTrimRows = 64;

// Locks the store of this path against every other writer; closing the file gives it free.
tl::expected<int, StoreError> LockStore(const std::string& path);

class SqliteStore final : public Store {
 public:
  // Makes the file when it is missing (its folder must be there). One program at a time may have it open: the second
  // gets kBusy. The file is never deleted or repaired by itself.
  static tl::expected<std::unique_ptr<SqliteStore>, StoreError> Open(const std::string& path,
                                                                     SqliteStoreOptions options);
  ~SqliteStore() override;

  tl::expected<RestoredState, StoreError> Restore() override;
  tl::expected<void, StoreError> Commit(const CommitUnit& unit) override;
  tl::expected<bool, StoreError> FoldStep() override;
  tl::expected<uint64_t, StoreError> TrimStep(const Retention& retention, UtcUs now_us, JournalNumber up_to) override;
  tl::expected<UtcUs, StoreError> OldestTime() override;
  // May be called from any thread.
  tl::expected<std::unique_ptr<StoreReader>, StoreError> OpenReader() override;
  uint64_t SizeBytes() const override { return size_bytes_.load(std::memory_order_relaxed); }

 private:
  struct ArchiveClass {
    int64_t id = 0;
    uint64_t frames = 0;
    uint64_t bytes = 0;
    bool changed = false;
    uint64_t cost() const { return bytes + frames * kFrameOverheadBytes; }
  };
  using ArchiveKey = std::tuple<std::string, FrameVerdict, std::string, uint64_t>;
  struct Statements {
    Statement begin, commit, rollback, page_count;
    Statement device, series, clear_states, state, position, meta;
    Statement add_class, update_class, drop_class, move_frame, find_frame, frame, frame_reading, oldest_frame,
        delete_frame, delete_frame_reading, dictionary;
  };
  // What a commit changes in memory beside the tables, put in place only when it is durable.
  struct Working {
    std::map<ArchiveKey, ArchiveClass> classes;
    uint64_t archive_cost = 0;
  };
  // Readings in the journal, as far as it is not folded.
  struct Journaled {
    JournalNumber last_number = 0;  // ever committed
    JournalNumber folded_to = 0;
    JournalPlace fold_place;    // first entry that is not folded whole
    uint64_t applied_unit = 0;  // commits up to this one are in the tables, but for their readings
    std::map<std::string, JournalNumber> positions;
    JournalNumber reserved_numbers_end = 1;
    FrameId reserved_frames_end = 1;
  };

  explicit SqliteStore(SqliteStoreOptions options) : options_(std::move(options)) {}
  tl::expected<void, StoreError> PrepareStatements();
  tl::expected<void, StoreError> LoadWorking();
  tl::expected<void, StoreError> LoadMeta();
  // Folds what a file of an older format has as rows.
  tl::expected<void, StoreError> FoldOldRows();
  // Takes up the journal where it was left: what did not reach the tables goes there now.
  tl::expected<void, StoreError> OpenJournal();
  tl::expected<void, StoreError> Replay(const Entry& entry);
  tl::expected<void, StoreError> ReplayPending();
  tl::expected<void, StoreError> CountTail();
  tl::expected<void, StoreError> LoadChunk();
  tl::expected<void, StoreError> WriteChunk();
  // Entries from the fold place on, until `take` says false.
  tl::expected<void, StoreError> ForEachEntry(const std::function<bool(const Entry&, const JournalPlace&)>& take);
  tl::expected<void, StoreError> ReadLatest(RestoredState* state);
  void LearnSeries(const std::vector<Series>& series);
  void Took(const CommitUnit& unit);
  StoreError JournalError(std::string_view doing, int code) const;
  void SyncCommits(bool full);
  // The steps of a commit's part in the tables; each returns an SQLite code.
  int WriteUnit(const CommitUnit& unit, uint64_t unit_number);
  int WritePositions();
  int WriteDevices(const std::vector<Device>& devices);
  int WriteSeries(const std::vector<Series>& series);
  int WriteFrameLinks(const RecordBatch& batch);
  int WriteFrames(const std::vector<ArchivedFrame>& frames);
  tl::expected<void, StoreError> LoadDictionaries();
  // Trains the dictionary of a source that has frames enough by now. False: nothing was to be done.
  tl::expected<bool, StoreError> TrainStep();
  int WriteMarks(const std::vector<FrameMark>& marks);
  int FindArchiveClass(ArchiveKey key, ArchiveClass** found);
  int MakeRoomForSender(ArchiveKey* key);
  void AddToClass(ArchiveClass& archive_class, uint64_t bytes);
  void TakeFromClass(ArchiveClass& archive_class, uint64_t bytes);
  int Evict();
  int EvictOldest(ArchiveClass& archive_class);
  int WriteMeta(std::string_view name, int64_t value);
  tl::expected<uint64_t, StoreError> TrimBlocks(const Retention& retention, UtcUs now_us, JournalNumber up_to);
  tl::expected<uint64_t, StoreError> TrimRollups(const Retention& retention, UtcUs now_us);
  tl::expected<uint64_t, StoreError> TrimToSize(uint64_t max_bytes, JournalNumber up_to);
  StoreError RollBack(std::string_view doing);
  void Checkpoint();
  void Measure();

  SqliteStoreOptions options_;
  int lock_fd_ = -1;
  SqliteDb db_;
  Statements sql_;
  Working working_;
  Journaled journaled_;
  std::unique_ptr<SegmentLog> log_;
  Packer packer_;
  ReadingsWriter readings_;
  FramePacker frame_packer_;
  std::vector<uint8_t> packed_frame_;
  // Frames that are archived, roughly, of sources without a dictionary: says when one is due.
  struct Untrained {
    uint64_t frames = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Untrained> untrained_;
  HistoryRows history_;
  std::vector<SeriesFacts> facts_;  // by series
  ChunkCutter cutter_{FoldLimits{}};
  std::unique_ptr<FoldJob> job_;
  JournalPlace after_job_;
  // A commit that is durable in the journal, but did not get into the tables: the disk was full in between.
  std::unique_ptr<CommitUnit> pending_;
  uint64_t pending_unit_ = 0;
  // Readers show nothing beyond: it was written, but is perhaps not durable.
  std::shared_ptr<std::atomic<JournalNumber>> durable_ = std::make_shared<std::atomic<JournalNumber>>(0);
  std::array<int64_t, kSeriesClasses> trimmed_to_{};  // block ids up to which all was looked at
  UtcUs trim_round_us_ = 0;
  int log_pages_ = 0;      // in the write-ahead log
  int checkpoint_at_ = 0;  // pages
  int checkpoint_code_ = 0;
  std::atomic<uint64_t> size_bytes_{0};
};

}  // namespace vesta::hub
