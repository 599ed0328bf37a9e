#include "hub/store/history_rows.h"

#include <algorithm>

#include "hub/store/rollup_part.h"

namespace vesta::hub {
namespace {

std::string_view Data(const Statement& row, int column) {
  const auto bytes = row.Bytes(column);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool Before(const Record& a, const Record& b) {
  return a.time_us != b.time_us ? a.time_us < b.time_us : a.number < b.number;
}

// Blocks looked at, newest first, for the latest good reading of each series of a device.
constexpr int kLatestBlocks = 200;

}  // namespace

tl::expected<void, StoreError> HistoryRows::Prepare(SqliteDb* db, size_t keep_unpacked) {
  db_ = db;
  keep_unpacked_ = keep_unpacked;
  const std::pair<Statement*, const char*> statements[] = {
      {&by_time_,
       "SELECT first_us, id, first_number, data FROM block"
       " WHERE device = ? AND first_us >= ? AND first_us < ? AND last_us >= ?"
       " ORDER BY first_us, id"},
      {&before_, "SELECT first_us, data FROM block WHERE device = ? AND first_us <= ? ORDER BY first_us DESC, id DESC"},
      {&chunks_, "SELECT chunk, first_number, last_number, data FROM block WHERE chunk > ? ORDER BY chunk, id"},
      {&backwards_, "SELECT first_us, data FROM block WHERE device = ? ORDER BY first_us DESC, id DESC LIMIT ?"},
      {&rollups_,
       "SELECT data FROM rollup WHERE device = ? AND level = ? AND start_us >= ? AND start_us < ? ORDER BY start_us"},
      {&rollup_, "SELECT data FROM rollup WHERE device = ? AND level = ? AND start_us = ?"},
      {&count_, "SELECT count(*) FROM block WHERE device = ? AND first_us >= ? AND first_us < ?"},
  };
  for (const auto& [statement, sql] : statements) {
    *statement = db_->Prepare(sql);
    if (!statement->valid()) return tl::unexpected(db_->Error("preparing queries"));
  }
  return {};
}

int HistoryRows::ReadPart(std::string_view data, SeriesId series, SeriesPart* part, bool* there) {
  BoxReader box;
  if (!box.Open(data)) return SQLITE_CORRUPT;
  const PartEntry* const entry = box.Find(series);
  *there = entry != nullptr;
  if (entry == nullptr) return SQLITE_OK;
  if (!ReadArrivals(box, &packer_, &arrivals_) || !part->Read(*entry, arrivals_, &packer_)) return SQLITE_CORRUPT;
  return SQLITE_OK;
}

int HistoryRows::KeptPart(SeriesId series, std::shared_ptr<const SeriesPart>* part) {
  const int64_t block = by_time_.Integer(1);
  const int64_t first_number = by_time_.Integer(2);
  for (auto one = kept_.begin(); one != kept_.end(); ++one) {
    if (one->block != block || one->first_number != first_number || one->series != series) continue;
    kept_.splice(kept_.begin(), kept_, one);
    *part = one->part;
    return SQLITE_OK;
  }
  auto read = std::make_shared<SeriesPart>();
  bool there = false;
  if (const int code = ReadPart(Data(by_time_, 3), series, read.get(), &there); code != SQLITE_OK) return code;
  part->reset();
  if (!there) return SQLITE_OK;
  read->ReleaseWork();
  *part = read;
  if (keep_unpacked_ == 0) return SQLITE_OK;
  kept_records_ += read->records().size();
  kept_.push_front({block, first_number, series, std::move(read)});
  // The newest one stays, however large it is: it is what the next page begins with.
  while (kept_records_ > keep_unpacked_ && kept_.size() > 1) {
    kept_records_ -= kept_.back().part->records().size();
    kept_.pop_back();
  }
  return SQLITE_OK;
}

int HistoryRows::Walk(DeviceId device, SeriesId series, UtcUs from_us, UtcUs to_us, JournalNumber from_number,
                      ReadingSource* extra, const Take& take) {
  const StatementReset reset(by_time_);
  by_time_.BindInteger(1, device);
  by_time_.BindInteger(2, EarlierBy(from_us, kBlockSpan_us));
  by_time_.BindInteger(3, to_us);
  by_time_.BindInteger(4, from_us);
  const auto already = [from_us, from_number](const Record& one) {
    return one.time_us < from_us || (one.time_us == from_us && one.number <= from_number);
  };
  std::list<Run> runs;  // blocks under way; mostly one
  int row = by_time_.Step();
  while (true) {
    // The earliest of all that is open.
    Run* first = nullptr;
    const Record* record = nullptr;
    for (Run& run : runs) {
      const Record& candidate = run.part->records()[run.next];
      if (record == nullptr || Before(candidate, *record)) {
        record = &candidate;
        first = &run;
      }
    }
    if (row == SQLITE_ROW && (record == nullptr || by_time_.Integer(0) <= record->time_us)) {
      std::shared_ptr<const SeriesPart> part;
      if (const int code = KeptPart(series, &part); code != SQLITE_OK) return code;
      row = by_time_.Step();
      if (part == nullptr) continue;
      const auto& records = part->records();
      const auto begin = std::partition_point(records.begin(), records.end(), already);
      if (begin != records.end()) runs.push_back({part, static_cast<size_t>(begin - records.begin())});
      continue;
    }
    if (row != SQLITE_ROW && row != SQLITE_DONE) return row;
    if (extra != nullptr) {
      const Record* other = nullptr;
      const UtcUs until_us = record == nullptr ? to_us : record->time_us;
      if (const int code = extra->Peek(until_us, &other); code != SQLITE_DONE) return code;
      if (other != nullptr && (record == nullptr || Before(*other, *record))) {
        record = other;
        first = nullptr;
      }
    }
    if (record == nullptr || record->time_us >= to_us) return SQLITE_DONE;
    if (!take(*record)) return SQLITE_DONE;
    if (first == nullptr) {
      extra->Advance();
    } else if (++first->next == first->part->records().size()) {
      runs.remove_if([first](const Run& run) { return &run == first; });
    }
  }
}

int HistoryRows::AtOrBefore(DeviceId device, SeriesId series, UtcUs time_us, bool* found, RecordBatch* batch) {
  const StatementReset reset(before_);
  before_.BindInteger(1, device);
  before_.BindInteger(2, time_us);
  *found = false;
  int row = before_.Step();
  for (; row == SQLITE_ROW; row = before_.Step()) {
    if (*found && before_.Integer(0) < EarlierBy(batch->records.back().time_us, kBlockSpan_us)) return SQLITE_DONE;
    SeriesPart part;
    bool there = false;
    if (const int code = ReadPart(Data(before_, 1), series, &part, &there); code != SQLITE_OK) return code;
    if (!there) continue;
    const auto& records = part.records();
    const auto behind = std::partition_point(records.begin(), records.end(),
                                             [time_us](const Record& one) { return one.time_us <= time_us; });
    if (behind == records.begin()) continue;
    const Record& candidate = *(behind - 1);
    if (*found && !Before(batch->records.back(), candidate)) continue;
    if (*found) batch->records.pop_back();
    batch->Add(candidate);
    *found = true;
  }
  return row;
}

int HistoryRows::ReadNumbers(JournalNumber after, JournalNumber last, size_t limit, RecordBatch* batch) {
  // Numbers are nearly dense: a window of as many as are wanted is enough most of the time.
  constexpr size_t kWindow = 65536;
  while (batch->records.size() < limit && after < last) {
    const StatementReset reset(chunks_);
    chunks_.BindInteger(1, static_cast<int64_t>(after));
    const uint64_t wanted = std::min(limit - batch->records.size(), kWindow);
    const JournalNumber window_end = last - after <= wanted ? last : after + wanted;
    int64_t chunk = -1;
    JournalNumber beyond = UINT64_MAX;  // lowest number of the chunk behind the window
    const size_t before = batch->records.size();
    SeriesPart part;
    int row = chunks_.Step();
    for (; row == SQLITE_ROW; row = chunks_.Step()) {
      if (chunk >= 0 && chunks_.Integer(0) != chunk) break;
      chunk = chunks_.Integer(0);
      const auto first_number = static_cast<JournalNumber>(chunks_.Integer(1));
      if (first_number > window_end) {
        beyond = std::min(beyond, first_number);
        continue;
      }
      if (static_cast<JournalNumber>(chunks_.Integer(2)) <= after) continue;
      BoxReader box;
      if (!box.Open(Data(chunks_, 3)) || !ReadArrivals(box, &packer_, &arrivals_)) return SQLITE_CORRUPT;
      for (const PartEntry& entry : box.parts()) {
        if (entry.owner == 0) continue;
        if (!part.Read(entry, arrivals_, &packer_)) return SQLITE_CORRUPT;
        for (const Record& record : part.records()) {
          if (record.number > window_end) {
            beyond = std::min(beyond, record.number);
          } else if (record.number > after) {
            batch->Add(record);
          }
        }
      }
    }
    if (row != SQLITE_ROW && row != SQLITE_DONE) return row;
    if (chunk < 0) return SQLITE_DONE;
    std::sort(batch->records.begin() + static_cast<std::ptrdiff_t>(before), batch->records.end(),
              [](const Record& a, const Record& b) { return a.number < b.number; });
    after = beyond != UINT64_MAX ? beyond - 1 : static_cast<JournalNumber>(chunk);
  }
  return SQLITE_DONE;
}

int HistoryRows::Latest(DeviceId device, const std::vector<SeriesId>& series,
                        const std::function<bool(const Record&)>& wanted, std::vector<Record>* latest,
                        RecordBatch* texts) {
  const StatementReset reset(backwards_);
  backwards_.BindInteger(1, device);
  backwards_.BindInteger(2, kLatestBlocks);
  size_t missing = 0;
  UtcUs oldest_found_us = INT64_MAX;
  for (const SeriesId id : series) {
    const Record& known = (*latest)[id];
    if (known.number == 0) {
      ++missing;
    } else {
      oldest_found_us = std::min(oldest_found_us, known.time_us);
    }
  }
  int row = backwards_.Step();
  for (; row == SQLITE_ROW; row = backwards_.Step()) {
    if (missing == 0 && backwards_.Integer(0) < EarlierBy(oldest_found_us, kBlockSpan_us)) return SQLITE_DONE;
    BoxReader box;
    if (!box.Open(Data(backwards_, 1)) || !ReadArrivals(box, &packer_, &arrivals_)) return SQLITE_CORRUPT;
    for (const PartEntry& entry : box.parts()) {
      if (entry.owner == 0 || entry.owner >= latest->size()) continue;
      Record& best = (*latest)[entry.owner];
      if (best.number != 0 && entry.last_us < best.time_us) continue;
      SeriesPart part;
      if (!part.Read(entry, arrivals_, &packer_)) return SQLITE_CORRUPT;
      const auto& records = part.records();
      const auto good = std::find_if(records.rbegin(), records.rend(), wanted);
      if (good == records.rend() || (best.number != 0 && !Before(best, *good))) continue;
      if (best.number == 0) --missing;
      texts->Add(*good);
      best = texts->records.back();
      texts->records.pop_back();
      oldest_found_us = std::min(oldest_found_us, best.time_us);
    }
  }
  return row;
}

int HistoryRows::ReadRollups(DeviceId device, SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us,
                             size_t limit, std::vector<RollupBucket>* buckets) {
  if (from_us < kRollupFirst_us) from_us = kRollupFirst_us;
  if (to_us > kRollupEnd_us) to_us = kRollupEnd_us;
  if (from_us >= to_us || limit == 0) return SQLITE_DONE;
  const StatementReset reset(rollups_);
  rollups_.BindInteger(1, device);
  rollups_.BindInteger(2, static_cast<int64_t>(level));
  rollups_.BindInteger(3, RollupRowStart(level, from_us));
  rollups_.BindInteger(4, to_us);
  std::vector<RollupBucket> row_buckets;
  int row = rollups_.Step();
  for (; row == SQLITE_ROW; row = rollups_.Step()) {
    BoxReader box;
    if (!box.Open(Data(rollups_, 0))) return SQLITE_CORRUPT;
    const PartEntry* const entry = box.Find(series);
    if (entry == nullptr) continue;
    if (!ReadBuckets(*entry, &packer_, &row_buckets)) return SQLITE_CORRUPT;
    for (RollupBucket& bucket : row_buckets) {
      if (bucket.start_us < from_us || bucket.start_us >= to_us) continue;
      if (buckets->size() == limit) return SQLITE_DONE;
      buckets->push_back(std::move(bucket));
    }
  }
  return row;
}

int HistoryRows::ReadRollupRow(DeviceId device, RollupLevel level, UtcUs start_us, std::string* box) {
  const StatementReset reset(rollup_);
  rollup_.BindInteger(1, device);
  rollup_.BindInteger(2, static_cast<int64_t>(level));
  rollup_.BindInteger(3, start_us);
  box->clear();
  const int row = rollup_.Step();
  if (row == SQLITE_ROW) box->assign(Data(rollup_, 0));
  return row == SQLITE_ROW ? SQLITE_DONE : row;
}

int HistoryRows::CountBlocks(DeviceId device, UtcUs from_us, UtcUs to_us, uint64_t* blocks) {
  const StatementReset reset(count_);
  count_.BindInteger(1, device);
  count_.BindInteger(2, from_us);
  count_.BindInteger(3, to_us);
  const int row = count_.Step();
  if (row != SQLITE_ROW) return row;
  *blocks = static_cast<uint64_t>(count_.Integer(0));
  return SQLITE_DONE;
}

}  // namespace vesta::hub
