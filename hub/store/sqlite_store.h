// History, archive and everything else that survives a restart, in one SQLite file that any tool opens.
//
// Readings are appended in journal order to one table; a second one holds them by series and time. The second lags
// behind: commits leave a tail that is folded in when it is long enough, so that a commit touches a few pages at the
// end of the first table and not one page of every series. That spares SD cards and is three times as fast; readers
// look into both. The write-ahead log is synced with every commit (synchronous=FULL): Commit is durable when it
// returns, as far as the disk is honest about fsync. Tables, units and promises: docs/formats/store.md.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <vector>

#include "hub/store/sqlite_db.h"
#include "hub/store/store.h"

namespace vesta::hub {

struct SqliteStoreOptions {
  // Archive kept per source, verdict and reason: a flood of one leaves the others alone.
  uint64_t archive_class_bytes = 4u << 20;
  // And of all together; the largest class gives way.
  uint64_t archive_total_bytes = 64u << 20;
  std::string vfs;    // SQLite VFS; empty: the system's. Another one also means that the path is no real file
  bool fsync = true;  // false only for the proof that the power-cut test notices
};

// Readings that may wait in the tail. Each reader call that asks by time walks the tail: this is a few milliseconds.
inline constexpr uint64_t kTailRecords = 16384;
// What a frame costs in the archive beside its bytes; bounds the number of empty ones.
inline constexpr uint64_t kFrameOverheadBytes = 64;
// Different (source, verdict, reason). Reasons are few fixed words; beyond this they are archived as "other".
inline constexpr size_t kMaxArchiveClasses = 1024;
// Readings looked at, newest first, for one that is neither late nor suspect, when a series' latest value is restored.
inline constexpr uint64_t kLatestLookBack = 100000;

class SqliteStore final : public Store {
 public:
  // Makes the file when it is missing (its folder must be there). One program at a time may have it open: the second
  // gets kBusy. The file is never deleted or repaired by itself.
  static tl::expected<std::unique_ptr<SqliteStore>, StoreError> Open(const std::string& path,
                                                                     SqliteStoreOptions options);
  ~SqliteStore() override;

  tl::expected<RestoredState, StoreError> Restore() override;
  tl::expected<void, StoreError> Commit(const CommitUnit& unit) override;
  tl::expected<uint64_t, StoreError> TrimStep(UtcUs before_us, JournalNumber up_to, size_t max_rows) override;
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
  using ArchiveKey = std::tuple<std::string, FrameVerdict, std::string>;
  struct Statements {
    Statement begin, commit, rollback, page_count;
    Statement reading, readings, device, series, clear_states, state, position, meta;
    Statement add_class, update_class, frame, frame_reading, oldest_frame, delete_frame, delete_frame_reading;
    Statement fold_end, fold;
    Statement next_series, first_in_series, oldest_in_tail, old_in_series, delete_from_timeline, old_in_tail,
        delete_reading;
  };
  // What a commit changes in memory, put in place only when it is durable.
  struct Working {
    uint64_t tail_records = 0;  // readings that are not in the timeline yet
    JournalNumber timeline_end = 0;
    JournalNumber last_number = 0;
    std::map<ArchiveKey, ArchiveClass> classes;
    uint64_t archive_cost = 0;
  };

  explicit SqliteStore(SqliteStoreOptions options) : options_(std::move(options)) {}
  tl::expected<void, StoreError> PrepareStatements();
  tl::expected<void, StoreError> LoadWorking();
  // The steps of a commit; each returns an SQLite code.
  int WriteUnit(const CommitUnit& unit);
  int WriteDevices(const std::vector<Device>& devices);
  int WriteSeries(const std::vector<Series>& series);
  int WriteReadings(const RecordBatch& batch);
  int WriteFrameLinks(const RecordBatch& batch);
  int WriteFrames(const std::vector<ArchivedFrame>& frames);
  int FindArchiveClass(const ArchivedFrame& frame, ArchiveClass** found);
  int Evict();
  int EvictOldest(ArchiveClass& archive_class);
  int WriteMeta(std::string_view name, int64_t value);
  int Fold();
  StoreError RollBack(std::string_view doing);
  void Checkpoint();
  void Measure();

  SqliteStoreOptions options_;
  int lock_fd_ = -1;
  SqliteDb db_;
  Statements sql_;
  Working working_;
  int log_pages_ = 0;      // in the write-ahead log
  int checkpoint_at_ = 0;  // pages
  int checkpoint_code_ = 0;
  std::atomic<uint64_t> size_bytes_{0};
};

}  // namespace vesta::hub
