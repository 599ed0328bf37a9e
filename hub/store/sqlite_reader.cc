#include "hub/store/sqlite_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hub/store/sqlite_schema.h"
#include "hub/store/thinning.h"

namespace vesta::hub {
namespace {

// Attempts to ask while the writer folds and uses slots again: a fold takes longer than a question.
constexpr int kAttempts = 20;
// A span with more blocks than this is thinned from roll-ups: beyond some days, hours long.
constexpr uint64_t kReadBlocksMax = 72;
// Buckets that a slice of a thinned span must hold for roll-ups to serve it.
constexpr int64_t kBucketsPerSlice = 4;
constexpr size_t kPointsPerSlice = 4;
constexpr UtcUs kBucket_us[] = {60 * kUsPerSecond, 900 * kUsPerSecond, 3600 * kUsPerSecond};
// Readings of the journal in memory at a time.
constexpr size_t kTailPage = 4096;
// Unpacked readings of blocks kept for the next page: 2 MiB.
constexpr size_t kKeptRecords = 32768;

}  // namespace

// A series' readings that are not folded, in order of time, page by page.
class SqliteReader::TailReadings final : public ReadingSource {
 public:
  TailReadings(SqliteReader& reader, SeriesId series, UtcUs from_us, UtcUs to_us, size_t page)
      : reader_(reader), page_(page) {
    wanted_.series = series;
    wanted_.from_us = from_us;
    wanted_.to_us = to_us - 1;
    wanted_.by_time = true;
  }

  int Peek(UtcUs until_us, const Record** record) override {
    *record = nullptr;
    if (at_ < batch_.records.size()) {
      *record = &batch_.records[at_];
      return SQLITE_DONE;
    }
    if (whole_) return SQLITE_DONE;
    if (!asked_) {
      if (const int code = reader_.tail_->Earliest(reader_.fold_place_, wanted_.from_us, &earliest_us_);
          code != SQLITE_DONE) {
        return code;
      }
      asked_ = true;
    }
    if (earliest_us_ > until_us) return SQLITE_DONE;
    batch_ = {};
    at_ = 0;
    wanted_.limit = page_;
    if (const int code = reader_.ReadTail(wanted_, &batch_); code != SQLITE_DONE) return code;
    whole_ = batch_.records.size() < page_;
    page_ = kTailPage;
    if (batch_.records.empty()) return SQLITE_DONE;
    wanted_.from_us = earliest_us_ = batch_.records.back().time_us;
    wanted_.from_number = batch_.records.back().number;
    *record = batch_.records.data();
    return SQLITE_DONE;
  }
  void Advance() override { ++at_; }

 private:
  SqliteReader& reader_;
  JournalTail::Wanted wanted_;
  size_t page_;
  bool asked_ = false;
  bool whole_ = false;
  UtcUs earliest_us_ = INT64_MIN;  // none comes that is earlier
  RecordBatch batch_;
  size_t at_ = 0;
};

tl::expected<std::unique_ptr<SqliteReader>, StoreError> SqliteReader::Open(
    const std::string& path, const std::string& vfs, std::shared_ptr<const std::atomic<JournalNumber>> durable) {
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READONLY, vfs);
  if (!db) return tl::unexpected(db.error());
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(*db), std::move(durable)));
  if (auto done = PrepareReader(reader->db_); !done) return tl::unexpected(done.error());
  if (auto done = reader->PrepareStatements(); !done) return tl::unexpected(done.error());
  if (auto done = reader->history_.Prepare(&reader->db_, kKeptRecords); !done) return tl::unexpected(done.error());
  reader->tail_ = std::make_unique<JournalTail>(path, vfs.empty() ? nullptr : sqlite3_vfs_find(vfs.c_str()));
  return reader;
}

tl::expected<void, StoreError> SqliteReader::PrepareStatements() {
  const std::pair<Statement*, const char*> statements[] = {
      {&begin_, "BEGIN"},
      {&end_, "COMMIT"},
      {&fold_, "SELECT name, value FROM meta"},
      {&device_, "SELECT device FROM series WHERE id = ?"},
      {&frames_,
       "SELECT f.id, c.source, f.received_us, c.verdict, c.reason, f.bytes, f.sender, f.clock, f.dictionary"
       " FROM frame f"
       " CROSS JOIN frame_class c ON c.id = f.class"
       " WHERE f.id < ?1 AND (?2 = '' OR c.source = ?2) AND (NOT ?3 OR c.verdict <> 0) ORDER BY f.id DESC LIMIT ?4"},
      {&classes_,
       "SELECT id, verdict, reason, frames FROM frame_class WHERE source = ?1 AND frames > 0"
       " AND (verdict = 1 OR (?3 AND verdict = 0)) AND (?2 = 0 OR sender = ?2 OR sender = 0)"},
      {&class_frames_,
       "SELECT id, received_us, bytes, sender, clock, dictionary FROM frame"
       " WHERE class = ?1 AND id > ?2 AND id < ?5 AND (?3 = 0 OR sender = ?3) ORDER BY id LIMIT ?4"},
      {&dictionary_, "SELECT bytes FROM frame_dictionary WHERE id = ?"},
      {&frame_links_, "SELECT first_number, count FROM frame_reading WHERE frame = ? ORDER BY first_number"},
      {&stats_,
       "SELECT source, reason, sum(frames), sum(bytes),"
       " min((SELECT received_us FROM frame WHERE class = c.id ORDER BY id LIMIT 1)),"
       " max((SELECT received_us FROM frame WHERE class = c.id ORDER BY id DESC LIMIT 1))"
       " FROM frame_class c WHERE frames > 0 GROUP BY source, reason"},
  };
  for (const auto& [statement, sql] : statements) {
    *statement = db_.Prepare(sql);
    if (!statement->valid()) return tl::unexpected(db_.Error("preparing queries"));
  }
  return {};
}

template <typename Ask>
tl::expected<void, StoreError> SqliteReader::InSnapshot(std::string_view doing, Ask ask) {
  int code = SQLITE_BUSY;
  for (int attempt = 0; attempt < kAttempts && code == SQLITE_BUSY; ++attempt) {
    const Snapshot snapshot(*this);
    code = ReadFold();
    if (code == SQLITE_DONE) code = ask();
  }
  if (code == SQLITE_DONE) return {};
  return tl::unexpected(db_.Error(doing, code));
}

int SqliteReader::ReadFold() {
  const StatementReset reset(fold_);
  int code = fold_.Step();
  for (; code == SQLITE_ROW; code = fold_.Step()) {
    const std::string_view name = fold_.Text(0);
    const auto value = static_cast<uint64_t>(fold_.Integer(1));
    if (name == "folded_to") folded_to_ = value;
    if (name == "fold_segment") fold_place_.segment = value;
    if (name == "fold_offset") fold_place_.offset = value;
    if (name == "fold_unit") fold_place_.unit = value;
  }
  return code;
}

JournalTail::Wanted SqliteReader::Unfolded(JournalTail::Wanted wanted) const {
  wanted.after = std::max(wanted.after, folded_to_);
  if (durable_ != nullptr) wanted.up_to = std::min(wanted.up_to, durable_->load(std::memory_order_acquire));
  return wanted;
}

int SqliteReader::ReadTail(const JournalTail::Wanted& wanted, RecordBatch* batch) {
  const JournalTail::Wanted rest = Unfolded(wanted);
  if (rest.after >= rest.up_to) return SQLITE_DONE;
  return tail_->Read(fold_place_, rest, batch);
}

DeviceId SqliteReader::DeviceOf(SeriesId series) {
  const StatementReset reset(device_);
  device_.BindInteger(1, series);
  return device_.Step() == SQLITE_ROW ? static_cast<DeviceId>(device_.Integer(0)) : 0;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadJournal(JournalNumber after, size_t limit) {
  RecordBatch batch;
  auto done = InSnapshot("reading the journal", [&] {
    batch = {};
    int code = after < folded_to_ ? history_.ReadNumbers(after, folded_to_, limit, &batch) : SQLITE_DONE;
    if (code != SQLITE_DONE || batch.records.size() >= limit) return code;
    JournalTail::Wanted wanted;
    wanted.after = after;
    wanted.limit = limit - batch.records.size();
    return ReadTail(wanted, &batch);
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                              size_t limit) {
  RecordBatch batch;
  if (limit == 0 || from_us >= to_us) return batch;
  auto done = InSnapshot("reading a series", [&] {
    batch = {};
    TailReadings tail(*this, series, from_us, to_us, std::min(limit, kTailPage));
    return history_.Walk(DeviceOf(series), series, from_us, to_us, 0, &tail, [&](const Record& record) {
      batch.Add(record);
      return batch.records.size() < limit;
    });
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

// Whole buckets from roll-ups, the ends of the span and what is not folded from readings.
int SqliteReader::ThinRollups(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, Thinner* thinner,
                              uint64_t* total) {
  const Zone any;
  const DeviceId device = DeviceOf(series);
  UtcUs begin_us = BucketStart(level, from_us, any);
  if (begin_us < from_us) begin_us = NextBucket(level, begin_us, any);
  const UtcUs end_us = BucketStart(level, to_us, any);
  std::vector<Record> head;
  int code = history_.Walk(device, series, from_us, begin_us, 0, nullptr, [&](const Record& record) {
    if (CountsInRollups(record)) head.push_back(record);
    return true;
  });
  if (code != SQLITE_DONE) return code;
  std::vector<RollupBucket> buckets;
  code = history_.ReadRollups(device, series, level, begin_us, end_us, SIZE_MAX, &buckets);
  if (code != SQLITE_DONE) return code;
  std::vector<Record> last;
  code = history_.Walk(device, series, end_us, to_us, 0, nullptr, [&](const Record& record) {
    if (CountsInRollups(record)) last.push_back(record);
    return true;
  });
  if (code != SQLITE_DONE) return code;

  TailReadings tail(*this, series, from_us, to_us, kTailPage);
  int tail_code = SQLITE_DONE;
  const auto add_tail = [&](UtcUs before_us) {
    const Record* next = nullptr;
    while (tail_code == SQLITE_DONE && (tail_code = tail.Peek(before_us, &next)) == SQLITE_DONE && next != nullptr &&
           next->time_us < before_us) {
      if (CountsInRollups(*next)) {
        ++*total;
        thinner->Add(*next);
      }
      tail.Advance();
    }
  };
  const auto add = [&](const Record& record) {
    add_tail(record.time_us);
    thinner->Add(record);
  };
  for (Record& record : head) {
    if (record.value.kind() == ValueKind::kText) record.value = Value::OfText({});
    add(record);
  }
  *total += head.size();
  for (const RollupBucket& bucket : buckets) {
    *total += bucket.count;
    std::array<std::pair<int64_t, Value>, 4> points{{{bucket.first_ms, bucket.FirstValue()},
                                                     {bucket.lowest_ms, bucket.LowestValue()},
                                                     {bucket.highest_ms, bucket.HighestValue()},
                                                     {bucket.last_ms, bucket.LastValue()}}};
    if (points[1].first > points[2].first) std::swap(points[1], points[2]);
    const std::pair<int64_t, Value>* before = nullptr;
    for (const auto& point : points) {
      // The first one or the last one is often the lowest or highest, too.
      const bool repeats = before != nullptr && before->first == point.first && before->second == point.second;
      if (repeats || (&point != &points[3] && point.first == points[3].first && point.second == points[3].second)) {
        continue;
      }
      before = &point;
      Record record;
      record.series = series;
      record.time_us = record.received_us = std::max(point.first * kUsPerMs, from_us);
      record.time_quality = TimeQuality::kDeviceClock;
      record.value = point.second;
      add(record);
    }
  }
  for (Record& record : last) {
    if (record.value.kind() == ValueKind::kText) record.value = Value::OfText({});
    add(record);
  }
  *total += last.size();
  add_tail(to_us);
  return tail_code;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                                size_t max_points, uint64_t* total) {
  RecordBatch batch;
  *total = 0;
  if (from_us >= to_us) return batch;
  auto done = InSnapshot("reading a series", [&] {
    Thinner thinner(from_us, to_us, max_points);
    *total = 0;
    uint64_t blocks = 0;
    int code = history_.CountBlocks(DeviceOf(series), from_us, to_us, &blocks);
    if (code != SQLITE_DONE) return code;
    // The coarsest level of which each slice holds some.
    int level = -1;
    if (blocks > kReadBlocksMax) {
      const UtcUs within_from_us = std::max(from_us, kRollupFirst_us);
      const UtcUs within_to_us = std::min(to_us, kRollupEnd_us);
      const auto slices = static_cast<int64_t>(std::max<size_t>(1, max_points / kPointsPerSlice));
      for (int i = 0; i < 3; ++i) {
        if (from_us == within_from_us && to_us == within_to_us &&
            (to_us - from_us) / slices >= kBucket_us[i] * kBucketsPerSlice) {
          level = i;
        }
      }
    }
    if (level >= 0) {
      code = ThinRollups(series, static_cast<RollupLevel>(level), from_us, to_us, &thinner, total);
    } else {
      TailReadings tail(*this, series, from_us, to_us, kTailPage);
      code = history_.Walk(DeviceOf(series), series, from_us, to_us, 0, &tail, [&](const Record& record) {
        thinner.Add(record);
        return true;
      });
      *total = thinner.total();
    }
    batch = thinner.Finish();
    return code;
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadAtOrBefore(SeriesId series, UtcUs time_us) {
  RecordBatch batch;
  auto done = InSnapshot("reading a series", [&] {
    batch = {};
    bool found = false;
    RecordBatch tail;
    JournalTail::Wanted wanted = Unfolded({});
    wanted.series = series;
    wanted.to_us = time_us;
    int code = wanted.after < wanted.up_to ? tail_->ReadNewest(fold_place_, wanted, &tail) : SQLITE_DONE;
    if (code == SQLITE_DONE) code = history_.AtOrBefore(DeviceOf(series), series, time_us, &found, &batch);
    for (const Record& record : tail.records) {
      if (!batch.records.empty() && record.time_us < batch.records.back().time_us) continue;
      batch = {};
      batch.Add(record);
    }
    return code;
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<std::vector<RollupBucket>, StoreError> SqliteReader::ReadRollups(SeriesId series, RollupLevel level,
                                                                              UtcUs from_us, UtcUs to_us,
                                                                              size_t limit) {
  std::vector<RollupBucket> buckets;
  const Snapshot snapshot(*this);
  const int code = history_.ReadRollups(DeviceOf(series), series, level, from_us, to_us, limit, &buckets);
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading roll-ups", code));
  return buckets;
}

tl::expected<RecordBatch, StoreError> SqliteReader::ReadFrameRecords(FrameId frame) {
  RecordBatch batch;
  auto done = InSnapshot("reading a frame's readings", [&] {
    batch = {};
    const StatementReset reset(frame_links_);
    frame_links_.BindInteger(1, static_cast<int64_t>(frame));
    int code = frame_links_.Step();
    for (; code == SQLITE_ROW; code = frame_links_.Step()) {
      const auto after = static_cast<JournalNumber>(frame_links_.Integer(0)) - 1;
      const JournalNumber last = after + static_cast<JournalNumber>(frame_links_.Integer(1));
      int read = SQLITE_DONE;
      if (after < folded_to_) read = history_.ReadNumbers(after, std::min(last, folded_to_), SIZE_MAX, &batch);
      JournalTail::Wanted wanted;
      wanted.after = after;
      wanted.up_to = last;
      if (read == SQLITE_DONE && last > folded_to_) read = ReadTail(wanted, &batch);
      if (read != SQLITE_DONE) return read;
    }
    return code;
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<std::vector<ArchiveStats>, StoreError> SqliteReader::ReadArchiveStats() {
  const StatementReset reset(stats_);
  std::vector<ArchiveStats> all;
  int code = stats_.Step();
  for (; code == SQLITE_ROW; code = stats_.Step()) {
    ArchiveStats stats;
    stats.source = stats_.Text(0);
    stats.reason = stats_.Text(1);
    stats.frames = static_cast<uint64_t>(stats_.Integer(2));
    stats.bytes = static_cast<uint64_t>(stats_.Integer(3));
    stats.oldest_us = stats_.Integer(4);
    stats.newest_us = stats_.Integer(5);
    all.push_back(std::move(stats));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return all;
}

}  // namespace vesta::hub
