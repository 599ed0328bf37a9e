#include "hub/store/fold.h"

#include <algorithm>

#include "hub/store/rollup_part.h"

namespace vesta::hub {
namespace {

constexpr int64_t kHour_us = 3600 * kUsPerSecond;
constexpr int64_t kDay_us = 24 * kHour_us;
// Readings up to this long before and behind the chunk's day stand in one block with it: clocks of devices differ by
// seconds. Together with the day no more than kBlockSpan_us.
constexpr int64_t kBesideDay_us = kHour_us;
static_assert(kDay_us + 2 * kBesideDay_us <= kBlockSpan_us);

int64_t FloorTo(int64_t time, int64_t step) {
  const int64_t rest = time % step;
  return rest < 0 ? (time < INT64_MIN + step ? INT64_MIN : time - rest - step) : time - rest;
}

bool Before(const PlacedRecord& a, const PlacedRecord& b) {
  return a.record->time_us != b.record->time_us ? a.record->time_us < b.record->time_us
                                                : a.record->number < b.record->number;
}

uint64_t CountOf(const std::vector<RollupBucket>& buckets) {
  uint64_t count = 0;
  for (const RollupBucket& bucket : buckets) count += bucket.count;
  return count;
}

// Late readings of a time whose readings were trimmed: a minute that is there gets them as far as their order does not
// matter.
void AddToTrimmed(const std::vector<RollupBucket>& late, std::vector<RollupBucket>* minutes) {
  for (const RollupBucket& bucket : late) {
    auto place = std::partition_point(minutes->begin(), minutes->end(),
                                      [&](const RollupBucket& minute) { return minute.start_us < bucket.start_us; });
    if (place == minutes->end() || place->start_us != bucket.start_us) {
      minutes->insert(place, bucket);
      continue;
    }
    if (place->kind != bucket.kind || place->exponent != bucket.exponent) continue;
    RollupBucket merged = *place;
    MergeBucket(bucket, &merged);
    merged.first = place->first;
    merged.last = place->last;
    merged.last_ms = place->last_ms;
    merged.area = place->area;
    merged.covered_ms = place->covered_ms;
    merged.increase = place->increase;
    merged.restarts = place->restarts;
    merged.swaps = place->swaps;
    merged.states = place->states;
    *place = std::move(merged);
  }
}

}  // namespace

bool ChunkCutter::Take(const Record& record) {
  if (ended_) return false;
  const bool same_hour = records_ > 0 && record.received_us >= hour_ && record.received_us - hour_ < kHour_us;
  const int64_t hour = same_hour ? hour_ : FloorTo(record.received_us, kHour_us);
  if (records_ == 0) hour_ = hour;
  const uint64_t most = limits_.records * std::clamp<uint64_t>(series_ / kManySeries, 1, kManySeriesFactor);
  if ((hour != hour_ && (records_ >= limits_.worthwhile || FloorTo(hour, kDay_us) != FloorTo(hour_, kDay_us))) ||
      records_ >= most) {
    ended_ = true;
    return false;
  }
  if (record.series >= seen_.size()) seen_.resize(record.series + 1);
  if (!seen_[record.series]) {
    seen_[record.series] = true;
    ++series_;
  }
  hour_ = hour;
  ++records_;
  return true;
}

SeriesFacts FoldJob::FactsOf(SeriesId series) const { return series < facts_.size() ? facts_[series] : SeriesFacts{}; }

// Gives each reading its block and its arrival.
void FoldJob::Sort() {
  const int64_t day_us = FloorTo(chunk_.records.front().received_us, kDay_us);
  const UtcUs from_us = EarlierBy(day_us, kBesideDay_us);
  const UtcUs to_us = day_us > INT64_MAX - kDay_us - kBesideDay_us ? INT64_MAX : day_us + kDay_us + kBesideDay_us;
  std::vector<std::vector<PlacedRecord>*> own_day;  // by series
  BlockWork* work = nullptr;
  std::pair<DeviceId, int64_t> work_key;
  for (const Record& record : chunk_.records) {
    const DeviceId device = FactsOf(record.series).device;
    const bool beside = record.time_us >= from_us && record.time_us < to_us;
    const std::pair key(device, beside ? day_us : FloorTo(record.time_us, kDay_us) + 1);  // + 1: never the chunk's day
    if (work == nullptr || key != work_key) {
      work = &works_[key];
      work->device = device;
      work_key = key;
    }
    // The series of the chunk's own day are found by their number, others are few.
    std::vector<PlacedRecord>* records = nullptr;
    if (beside) {
      if (record.series >= own_day.size()) own_day.resize(record.series + 1, nullptr);
      records = own_day[record.series];
    }
    if (records == nullptr) {
      records = &work->series[record.series].records;
      if (beside) own_day[record.series] = records;
    }
    records->push_back({&record, work->arrivals.Place(record)});
  }
  next_work_ = works_.begin();
}

void FoldJob::PackSome() {
  size_t packed = 0;
  Packer& packer = history_.packer();
  while (packed < kFoldStepRecords && next_work_ != works_.end()) {
    BlockWork& work = next_work_->second;
    if (next_series_ == 0) {
      box_ = {};
      AddArrivals(work.arrivals.arrivals(), &box_, &packer);
    }
    auto series = work.series.lower_bound(next_series_);
    if (series != work.series.end()) {
      auto& records = series->second.records;
      if (!std::is_sorted(records.begin(), records.end(), Before)) std::sort(records.begin(), records.end(), Before);
      AddSeriesPart(series->first, records, work.arrivals.arrivals(), &box_, &packer);
      auto& by_time = by_device_[work.device][series->first];
      for (const PlacedRecord& placed : records) by_time.push_back(placed.record);
      packed += records.size();
      next_series_ = series->first + 1;
      continue;
    }
    BlockRow row{work.device, INT64_MAX, INT64_MIN, UINT64_MAX, 0, 0, box_.Finish()};
    for (const auto& [id, one] : work.series) {
      row.first_us = std::min(row.first_us, one.records.front().record->time_us);
      row.last_us = std::max(row.last_us, one.records.back().record->time_us);
      row.readings += one.records.size();
      for (const PlacedRecord& placed : one.records) {
        row.first_number = std::min(row.first_number, placed.record->number);
        row.last_number = std::max(row.last_number, placed.record->number);
      }
    }
    blocks_.push_back(std::move(row));
    next_series_ = 0;
    ++next_work_;
  }
}

int FoldJob::Step() {
  if (chunk_.records.empty()) return SQLITE_DONE;
  switch (phase_) {
    case Phase::kSort:
      Sort();
      phase_ = Phase::kPack;
      return SQLITE_OK;
    case Phase::kPack:
      PackSome();
      if (next_work_ == works_.end()) phase_ = Phase::kRollUp;
      return SQLITE_OK;
    case Phase::kRollUp: {
      const auto device = by_device_.lower_bound(rolled_device_);
      if (device == by_device_.end()) {
        phase_ = Phase::kReady;
        return SQLITE_DONE;
      }
      rolled_device_ = device->first + 1;
      return RollUp(device->first);
    }
    case Phase::kReady:
      break;
  }
  return SQLITE_DONE;
}

int FoldJob::RollUp(DeviceId device) {
  rows_.clear();
  for (auto& [series, records] : by_device_[device]) {
    // Blocks of several days follow one another in any order.
    const auto before = [](const Record* a, const Record* b) {
      return a->time_us != b->time_us ? a->time_us < b->time_us : a->number < b->number;
    };
    if (!std::is_sorted(records.begin(), records.end(), before)) std::sort(records.begin(), records.end(), before);
    std::set<UtcUs> hours;
    if (const int code = RollUpMinutes(series, &hours); code != SQLITE_OK) return code;
    if (const int code = RollUpCoarser(series, hours); code != SQLITE_OK) return code;
  }
  return FinishRollups(device);
}

int FoldJob::RollUpMinutes(SeriesId series, std::set<UtcUs>* hours) {
  const SeriesFacts facts = FactsOf(series);
  BucketMaker maker(RollupLevel::kMinute, zone_, facts.counter);
  for (const Record* record : by_device_[facts.device][series]) maker.Add(*record);
  std::vector<RollupBucket>& made = maker.buckets();
  for (size_t begin = 0; begin < made.size();) {
    const UtcUs hour_us = FloorTo(made[begin].start_us, kHour_us);
    size_t end = begin;
    while (end < made.size() && made[end].start_us < hour_us + kHour_us) ++end;
    std::vector<RollupBucket> minutes;
    if (const int code = Buckets(series, RollupLevel::kMinute, hour_us, hour_us + kHour_us, &minutes);
        code != SQLITE_OK) {
      return code;
    }
    const auto first_new = made.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end_new = made.begin() + static_cast<std::ptrdiff_t>(end);
    const bool goes_on = minutes.empty() || first_new->first_ms > minutes.back().last_ms;
    const bool same_minute = !minutes.empty() && minutes.back().start_us == first_new->start_us;
    if (!goes_on || (same_minute && first_new->kind == ValueKind::kReal)) {
      std::vector<RollupBucket> anew;
      if (const int code = HourFromReadings(series, hour_us, &anew); code != SQLITE_OK) return code;
      if (CountOf(anew) >= CountOf(minutes)) {
        minutes = std::move(anew);
      } else {
        AddToTrimmed({first_new, end_new}, &minutes);
      }
    } else {
      auto next = first_new;
      if (same_minute) MergeBucket(*next++, &minutes.back());
      std::move(next, end_new, std::back_inserter(minutes));
    }
    if (const int code = Replace(series, RollupLevel::kMinute, hour_us, hour_us + kHour_us, minutes);
        code != SQLITE_OK) {
      return code;
    }
    hours->insert(hour_us);
    begin = end;
  }
  return SQLITE_OK;
}

// From all readings of the hour: those in blocks and those of the chunk.
int FoldJob::HourFromReadings(SeriesId series, UtcUs hour_us, std::vector<RollupBucket>* minutes) {
  const SeriesFacts facts = FactsOf(series);
  std::vector<Record> fresh;
  for (const Record* record : by_device_[facts.device][series]) {
    if (record->time_us >= hour_us && record->time_us < hour_us + kHour_us) fresh.push_back(*record);
  }
  BucketMaker maker(RollupLevel::kMinute, zone_, facts.counter);
  ListedReadings extra(fresh);
  const int code = history_.Walk(facts.device, series, hour_us, hour_us + kHour_us, 0, &extra, [&](const Record& one) {
    maker.Add(one);
    return true;
  });
  *minutes = std::move(maker.buckets());
  return code == SQLITE_DONE || code == SQLITE_CORRUPT ? SQLITE_OK : code;
}

int FoldJob::RollUpCoarser(SeriesId series, const std::set<UtcUs>& hours) {
  std::set<UtcUs> days;
  std::vector<RollupBucket> finer;
  for (const UtcUs hour_us : hours) {
    const UtcUs end_us = hour_us + kHour_us;
    int code = Buckets(series, RollupLevel::kMinute, hour_us, end_us, &finer);
    if (code != SQLITE_OK) return code;
    const auto quarters = Coarser(finer, RollupLevel::kQuarter, zone_);
    code = Replace(series, RollupLevel::kQuarter, hour_us, end_us, quarters);
    if (code != SQLITE_OK) return code;
    code = Replace(series, RollupLevel::kHour, hour_us, end_us, Coarser(quarters, RollupLevel::kHour, zone_));
    if (code != SQLITE_OK) return code;
    // In a zone half an hour off an hour may belong to two days.
    days.insert(BucketStart(RollupLevel::kDay, hour_us, zone_));
    days.insert(BucketStart(RollupLevel::kDay, end_us - 1, zone_));
  }
  for (const UtcUs day_us : days) {
    const UtcUs end_us = NextBucket(RollupLevel::kDay, day_us, zone_);
    int code = Buckets(series, RollupLevel::kQuarter, day_us, end_us, &finer);
    if (code != SQLITE_OK) return code;
    code = Replace(series, RollupLevel::kDay, day_us, day_us + 1, Coarser(finer, RollupLevel::kDay, zone_));
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int FoldJob::Row(RollupLevel level, UtcUs start_us, RollupRow** row) {
  const auto [place, is_new] = rows_.try_emplace({level, start_us});
  *row = &place->second;
  if (!is_new) return SQLITE_OK;
  const int code =
      history_.ReadRollupRow(static_cast<DeviceId>(rolled_device_ - 1), level, start_us, &place->second.old_data);
  if (code != SQLITE_DONE) return code;
  // A damaged row must not stop the folding for ever: it begins anew, and `vesta store check` knew of it before.
  if (!place->second.old_data.empty() && !place->second.old.Open(place->second.old_data)) place->second.old = {};
  return SQLITE_OK;
}

int FoldJob::Buckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us,
                     std::vector<RollupBucket>* buckets) {
  buckets->clear();
  std::vector<RollupBucket> read;
  for (UtcUs row_us = RollupRowStart(level, from_us); row_us < to_us;) {
    RollupRow* row = nullptr;
    if (const int code = Row(level, row_us, &row); code != SQLITE_OK) return code;
    const auto changed = row->changed.find(series);
    const std::vector<RollupBucket>* all = &read;
    read.clear();
    if (changed != row->changed.end()) {
      all = &changed->second;
    } else if (const PartEntry* const part = row->old.Find(series); part != nullptr) {
      if (!ReadBuckets(*part, &history_.packer(), &read)) read.clear();
    }
    for (const RollupBucket& bucket : *all) {
      if (bucket.start_us >= from_us && bucket.start_us < to_us) buckets->push_back(bucket);
    }
    // The row behind: no row is longer than 31 days, and an hour's row ends within the hour.
    const int64_t step_us = level == RollupLevel::kMinute ? kHour_us
                            : level == RollupLevel::kDay  ? 32 * kDay_us
                                                          : kDay_us;
    row_us = RollupRowStart(level, row_us + step_us);
  }
  return SQLITE_OK;
}

int FoldJob::Replace(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us,
                     const std::vector<RollupBucket>& buckets) {
  RollupRow* row = nullptr;
  if (const int code = Row(level, RollupRowStart(level, from_us), &row); code != SQLITE_OK) return code;
  auto changed = row->changed.find(series);
  if (changed == row->changed.end()) {
    changed = row->changed.emplace(series, std::vector<RollupBucket>()).first;
    if (const PartEntry* const part = row->old.Find(series); part != nullptr) {
      if (!ReadBuckets(*part, &history_.packer(), &changed->second)) changed->second.clear();
    }
  }
  std::vector<RollupBucket>& all = changed->second;
  const auto at = [&](UtcUs start_us) {
    return std::partition_point(all.begin(), all.end(),
                                [start_us](const RollupBucket& bucket) { return bucket.start_us < start_us; });
  };
  const auto place = all.erase(at(from_us), at(to_us));
  all.insert(place, buckets.begin(), buckets.end());
  return SQLITE_OK;
}

int FoldJob::FinishRollups(DeviceId device) {
  for (auto& entry : rows_) {
    auto& row = entry.second;
    if (row.changed.empty()) continue;
    BoxWriter box;
    auto old = row.old.parts().begin();
    const auto keep_until = [&](uint64_t series) {
      for (; old != row.old.parts().end() && old->owner < series; ++old) box.AddStored(*old);
    };
    for (const auto& [series, buckets] : row.changed) {
      keep_until(series);
      if (old != row.old.parts().end() && old->owner == series) ++old;
      if (!buckets.empty()) AddBucketPart(series, buckets, &box, &history_.packer());
    }
    keep_until(UINT64_MAX);
    if (!box.empty()) rollups_.emplace_back(device, entry.first.first, entry.first.second, box.Finish());
  }
  rows_.clear();
  return SQLITE_OK;
}

int FoldJob::Write() {
  Statement block = db_.Prepare(
      "INSERT INTO block (device, first_us, last_us, chunk, first_number, last_number, readings, data)"
      " VALUES (?,?,?,?,?,?,?,?)");
  Statement rollup = db_.Prepare("INSERT OR REPLACE INTO rollup (device, level, start_us, data) VALUES (?,?,?,?)");
  if (!block.valid() || !rollup.valid()) return SQLITE_ERROR;
  const auto bytes = [](const std::string& data) {
    return std::span(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  };
  for (const BlockRow& row : blocks_) {
    block.BindInteger(1, row.device);
    block.BindInteger(2, row.first_us);
    block.BindInteger(3, row.last_us);
    block.BindInteger(4, static_cast<int64_t>(last_number()));
    block.BindInteger(5, static_cast<int64_t>(row.first_number));
    block.BindInteger(6, static_cast<int64_t>(row.last_number));
    block.BindInteger(7, static_cast<int64_t>(row.readings));
    block.BindBytes(8, bytes(row.data));
    if (const int code = block.Run(); code != SQLITE_DONE) return code;
  }
  for (const auto& [device, level, start_us, data] : rollups_) {
    rollup.BindInteger(1, device);
    rollup.BindInteger(2, static_cast<int64_t>(level));
    rollup.BindInteger(3, start_us);
    rollup.BindBytes(4, bytes(data));
    if (const int code = rollup.Run(); code != SQLITE_DONE) return code;
  }
  return SQLITE_DONE;
}

}  // namespace vesta::hub
