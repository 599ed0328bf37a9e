// Folding: readings in journal order become blocks and roll-ups, a chunk at a time, in short steps.
//
// A chunk is some hours of the journal: it ends with an hour (of receipt), so that the blocks of a steady device hold
// full hours. A fold job takes one chunk into memory, packs it series by series, works out the roll-ups, and at last
// writes all of it, with the place up to which the journal is folded, in one transaction: after a crash the chunk is
// folded or not, never twice and never in part. Late readings become blocks of their own; the minutes that they fall in
// are worked out anew from all readings of these minutes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "hub/store/history_rows.h"

namespace vesta::hub {

struct FoldLimits {
  // A chunk that has so many readings ends with the hour; a smaller one goes on, but never beyond the day.
  uint64_t worthwhile = 32768;
  // And in any case at so many, or where there are many series at up to kManySeriesFactor times as many: they stand in
  // memory while they are folded, 64 bytes each.
  uint64_t records = 131072;
};
// Series at which a chunk begins to grow, and by how much at most.
inline constexpr uint64_t kManySeries = 256;
inline constexpr uint64_t kManySeriesFactor = 4;
// Readings packed in one step: some milliseconds.
inline constexpr size_t kFoldStepRecords = 32768;

// Where a chunk of the journal ends.
class ChunkCutter {
 public:
  explicit ChunkCutter(FoldLimits limits) : limits_(limits) {}
  // Takes the next reading; false when the chunk ended before it. It stays so then.
  bool Take(const Record& record);
  bool ended() const { return ended_; }
  uint64_t records() const { return records_; }

 private:
  FoldLimits limits_;
  bool ended_ = false;
  uint64_t records_ = 0;
  int64_t hour_ = 0;
  std::vector<bool> seen_;  // series
  uint64_t series_ = 0;
};

struct SeriesFacts {
  DeviceId device = 0;
  bool counter = false;
  SeriesClass series_class = SeriesClass::kMeasurement;
};

// A chunk on its way.
class FoldJob {
 public:
  FoldJob(SqliteDb& db, HistoryRows& history, const std::vector<SeriesFacts>& facts, const Zone& zone)
      : db_(db), history_(history), facts_(facts), zone_(zone) {}

  // The chunk's readings, in journal order; then Step until it says SQLITE_DONE, then Write within a transaction.
  RecordBatch& chunk() { return chunk_; }
  // SQLITE_OK: there is more to do; SQLITE_DONE: ready to be written.
  int Step();
  int Write();
  JournalNumber last_number() const { return chunk_.records.empty() ? 0 : chunk_.records.back().number; }

 private:
  struct SeriesWork {
    std::vector<PlacedRecord> records;
  };
  // What becomes one block.
  struct BlockWork {
    DeviceId device = 0;
    ArrivalList arrivals;
    std::map<SeriesId, SeriesWork> series;
  };
  struct BlockRow {
    DeviceId device;
    UtcUs first_us, last_us;
    JournalNumber first_number, last_number;
    uint64_t readings;
    std::string data;
  };
  // A roll-up row under change.
  struct RollupRow {
    std::string old_data;
    BoxReader old;
    std::map<SeriesId, std::vector<RollupBucket>> changed;
  };
  using RowKey = std::pair<RollupLevel, UtcUs>;

  void Sort();
  void PackSome();
  int RollUp(DeviceId device);
  int RollUpMinutes(SeriesId series, std::set<UtcUs>* hours);
  int RollUpCoarser(SeriesId series, const std::set<UtcUs>& hours);
  int HourFromReadings(SeriesId series, UtcUs hour_us, std::vector<RollupBucket>* minutes);
  int Row(RollupLevel level, UtcUs start_us, RollupRow** row);
  // The series' buckets of a level in from <= start < to, with this job's changes.
  int Buckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, std::vector<RollupBucket>* buckets);
  // Puts buckets in the place of all in from <= start < to, which lie in one row.
  int Replace(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, const std::vector<RollupBucket>& buckets);
  int FinishRollups(DeviceId device);
  SeriesFacts FactsOf(SeriesId series) const;

  SqliteDb& db_;
  HistoryRows& history_;
  const std::vector<SeriesFacts>& facts_;
  Zone zone_;
  RecordBatch chunk_;
  enum class Phase : uint8_t { kSort, kPack, kRollUp, kReady } phase_ = Phase::kSort;
  std::map<std::pair<DeviceId, int64_t>, BlockWork> works_;
  std::map<std::pair<DeviceId, int64_t>, BlockWork>::iterator next_work_;
  SeriesId next_series_ = 0;
  BoxWriter box_;
  std::vector<BlockRow> blocks_;
  std::map<DeviceId, std::map<SeriesId, std::vector<const Record*>>> by_device_;  // in order of time
  DeviceId rolled_device_ = 0;
  std::map<RowKey, RollupRow> rows_;  // of the device under way
  std::vector<std::tuple<DeviceId, RollupLevel, UtcUs, std::string>> rollups_;
};

}  // namespace vesta::hub
