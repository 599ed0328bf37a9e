// The reader of a history that is in PostgreSQL: its tables, and the readings that are in the journal and not there
// yet.
//
// What lies within the time that the data folder keeps anyway is answered from the folder alone: such questions work
// while the server is away, and cost it nothing. Everything else is asked in one read-only snapshot of the database;
// the readings behind the position that the snapshot shows come from the folder. While the server is away these
// questions are answered with an error that says so. Frames and the journal's order are always the folder's. Memory is
// bounded by kWindowHours of a series, kKeptReadings, kTailScan and the answer.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/postgres/schema.h"

namespace vesta::hub::postgres {

// Hours of a series read at a time.
inline constexpr int64_t kWindowHours = 6;
// Readings of hours read last that are kept for the next page of whoever reads page by page.
inline constexpr size_t kKeptReadings = 1u << 18;
// Hours whose roll-ups are worked out for an answer, because they are not in the table yet; beyond, the table's count.
inline constexpr size_t kDueHoursMax = 48;
// Readings that are looked through for what the database does not have yet. When it is further behind than this, it
// must catch up before it is asked.
inline constexpr size_t kTailScan = 1u << 20;
// After a failed log-in the next is not tried for so long: each question would wait for it.
inline constexpr int64_t kTryAgain_us = 5 * kUsPerSecond;
// A series with more hours than this is thinned from roll-ups.
inline constexpr size_t kReadHoursMax = 72;

class Reader final : public StoreReader {
 public:
  // folder: of the hub that writes there; nullptr: the database alone. complete_from: from which time on the folder has
  // everything; nullptr: never.
  Reader(ServerSettings settings, const Zone& zone, std::unique_ptr<StoreReader> folder,
         std::function<UtcUs()> complete_from, const std::atomic<bool>* stop = nullptr)
      : connection_(std::move(settings), stop),
        zone_(zone),
        folder_(std::move(folder)),
        complete_from_(std::move(complete_from)) {}

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

  // The database's devices and series.
  tl::expected<void, StoreError> ReadSeries(std::vector<Device>* devices, std::vector<Series>* series);
  // Whose history it is, and how far it goes.
  tl::expected<DatabaseFacts, StoreError> Facts();
  // Readings by series, up to a number.
  tl::expected<std::map<SeriesId, uint64_t>, StoreError> CountReadings(JournalNumber up_to);

 private:
  using Done = tl::expected<void, StoreError>;
  using Take = std::function<bool(const Record&)>;

  bool FolderHasAll(UtcUs from_us) const;
  // Runs a question in a snapshot, once more on a new connection when the link broke.
  Done InSnapshot(const std::function<Done()>& ask);
  Done Connect();
  Done ReadTail(SeriesId series, UtcUs from_us, UtcUs to_us);
  // Readings of the database and the tail, in order of time and number.
  Done Walk(SeriesId series, UtcUs from_us, UtcUs to_us, const Take& take);
  Done WalkTable(SeriesId series, UtcUs from_us, UtcUs to_us, const Take& take);
  // The readings of whole hours, from what is kept or the table.
  struct Window {
    SeriesId series = 0;
    UtcUs from_us = 0;
    UtcUs to_us = 0;
    JournalNumber position = 0;
    RecordBatch batch;
  };
  tl::expected<std::shared_ptr<const Window>, StoreError> Load(SeriesId series, int64_t first_hour, int64_t last_hour);
  tl::expected<bool, StoreError> IsUnchanged(const Window& window);
  Done HoursOf(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit, std::vector<int64_t>* hours);
  // Roll-ups as they would be if all were rolled up.
  Done Buckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t limit,
               std::vector<RollupBucket>* buckets);
  Done StoredBuckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t limit,
                     std::vector<RollupBucket>* buckets);
  Done ThinBuckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t max_points,
                   RecordBatch* batch, uint64_t* total);
  StoreError FolderOnly() const;

  Connection connection_;
  Zone zone_;
  std::unique_ptr<StoreReader> folder_;
  std::function<UtcUs()> complete_from_;
  int64_t next_try_us_ = INT64_MIN;
  StoreError why_away_;
  JournalNumber position_ = 0;                     // in this snapshot
  RecordBatch tail_;                               // of the question at hand, in order of time and number
  std::list<std::shared_ptr<const Window>> kept_;  // newest first
  size_t kept_readings_ = 0;
};

}  // namespace vesta::hub::postgres
