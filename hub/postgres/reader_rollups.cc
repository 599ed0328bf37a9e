// What the reader answers from roll-ups: buckets, and long spans thinned.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "hub/postgres/reader.h"
#include "hub/postgres/rollup_rows.h"
#include "hub/postgres/wire.h"
#include "hub/store/thinning.h"

namespace vesta::hub::postgres {
namespace {

constexpr int64_t kBucketLength_us[] = {60 * kUsPerSecond, 900 * kUsPerSecond, 3600 * kUsPerSecond};
// Buckets that a slice must hold for roll-ups to serve it, and points that come of a slice.
constexpr int64_t kBucketsPerSlice = 4;
constexpr size_t kPointsPerSlice = 4;

uint64_t CountIn(const std::vector<RollupBucket>& buckets, UtcUs from_us, UtcUs to_us) {
  uint64_t count = 0;
  for (const RollupBucket& bucket : buckets) {
    if (bucket.start_us >= from_us && bucket.start_us < to_us) count += bucket.count;
  }
  return count;
}

// The coarsest level of which each slice holds some; none when the span is no time for roll-ups.
std::optional<RollupLevel> LevelFor(UtcUs from_us, UtcUs to_us, size_t max_points) {
  if (from_us < kRollupFirst_us || to_us > kRollupEnd_us) return std::nullopt;
  const auto slices = static_cast<int64_t>(std::max<size_t>(1, max_points / kPointsPerSlice));
  std::optional<RollupLevel> level;
  for (int i = 0; i < 3; ++i) {
    if ((to_us - from_us) / slices >= kBucketLength_us[i] * kBucketsPerSlice) level = static_cast<RollupLevel>(i);
  }
  return level;
}

// The readings that a bucket remembers, in order of time.
std::vector<Record> PointsOf(SeriesId series, const RollupBucket& bucket) {
  std::array<std::pair<int64_t, Value>, 4> all{{{bucket.first_ms, bucket.FirstValue()},
                                                {bucket.lowest_ms, bucket.LowestValue()},
                                                {bucket.highest_ms, bucket.HighestValue()},
                                                {bucket.last_ms, bucket.LastValue()}}};
  if (all[1].first > all[2].first) std::swap(all[1], all[2]);
  std::vector<Record> points;
  for (const auto& [time_ms, value] : all) {
    Record record;
    record.series = series;
    record.time_us = record.received_us = time_ms * kUsPerMs;
    record.time_quality = TimeQuality::kDeviceClock;
    record.value = value;
    const bool repeats = !points.empty() && points.back().time_us == record.time_us && points.back().value == value;
    if (!repeats) points.push_back(record);
  }
  return points;
}

}  // namespace

Reader::Done Reader::StoredBuckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t limit,
                                   std::vector<RollupBucket>* buckets) {
  return connection_.Stream(
      fmt::format("SELECT {} FROM rollup WHERE series = {} AND level = {} AND {} ORDER BY start LIMIT {}",
                  kRollupColumns, series, static_cast<int>(level), SpanSql(from_us, to_us, "start"),
                  std::min<size_t>(limit, INT64_MAX)),
      {}, [&](const Answer& row) {
        ReadBucket(row, &buckets->emplace_back());
        return true;
      });
}

// What the table has, and in its place what the readings give where hours are due. tail_ has the series' tail.
Reader::Done Reader::Buckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t limit,
                             std::vector<RollupBucket>* buckets) {
  from_us = std::max(from_us, kRollupFirst_us);
  to_us = std::min(to_us, kRollupEnd_us);
  if (from_us >= to_us || limit == 0) return {};
  if (auto done = StoredBuckets(series, level, from_us, to_us, limit, buckets); !done) return done;
  const UtcUs begin_us = BucketStart(level, from_us, zone_);
  UtcUs end_us = BucketStart(level, to_us - 1, zone_);
  end_us = NextBucket(level, end_us, zone_);
  const auto rows = connection_.Ask(
      "SELECT hour FROM series_hour WHERE series = $1 AND due AND hour >= $2 AND hour <= $3 ORDER BY hour LIMIT $4",
      {std::to_string(series), std::to_string(HourOf(begin_us)), std::to_string(HourOf(end_us - 1)),
       std::to_string(kDueHoursMax)});
  if (!rows) return tl::unexpected(rows.error());
  std::set<int64_t> due;
  for (int row = 0; row < rows->rows(); ++row) due.insert(rows->Integer(row, 0));
  for (const Record& record : tail_.records) {
    if (record.time_us >= begin_us && record.time_us < end_us && due.size() < kDueHoursMax) {
      due.insert(HourOf(record.time_us));
    }
  }
  if (due.empty()) return {};
  const auto counter = connection_.Ask("SELECT kind = 'counter' FROM series WHERE id = $1", {std::to_string(series)});
  if (!counter) return tl::unexpected(counter.error());
  const bool is_counter = counter->rows() > 0 && counter->Boolean(0, 0);
  std::vector<RollupBucket> finest;  // of the day under way: quarters
  UtcUs day_us = INT64_MIN;
  const auto finish_day = [&] {
    if (day_us < from_us || day_us >= to_us) return;
    auto day = Coarser(finest, RollupLevel::kDay, zone_);
    if (CountOf(day) >= CountIn(*buckets, day_us, day_us + 1)) ReplaceBuckets(day_us, day_us + 1, day, buckets);
  };
  for (const int64_t hour : due) {
    const UtcUs hour_us = HourStart(hour);
    const UtcUs hour_end_us = HourStart(hour + 1);
    BucketMaker maker(RollupLevel::kMinute, zone_, is_counter);
    auto done = Walk(series, hour_us, hour_end_us, [&](const Record& record) {
      maker.Add(record);
      return true;
    });
    if (!done) return done;
    if (level != RollupLevel::kDay) {
      std::vector<RollupBucket> fresh =
          level == RollupLevel::kMinute ? std::move(maker.buckets()) : Coarser(maker.buckets(), level, zone_);
      if (CountOf(fresh) < CountIn(*buckets, hour_us, hour_end_us)) continue;
      std::erase_if(fresh, [&](const RollupBucket& one) { return one.start_us < from_us || one.start_us >= to_us; });
      ReplaceBuckets(std::max(from_us, hour_us), std::min(to_us, hour_end_us), fresh, buckets);
      continue;
    }
    // Days of the zones begin with hours.
    const UtcUs of_day_us = BucketStart(RollupLevel::kDay, hour_us, zone_);
    if (of_day_us != day_us) {
      finish_day();
      day_us = of_day_us;
      finest.clear();
      done = StoredBuckets(series, RollupLevel::kQuarter, day_us, NextBucket(level, day_us, zone_), SIZE_MAX, &finest);
      if (!done) return done;
    }
    ReplaceBuckets(hour_us, hour_end_us, Coarser(maker.buckets(), RollupLevel::kQuarter, zone_), &finest);
  }
  if (level == RollupLevel::kDay) finish_day();
  if (buckets->size() > limit) buckets->resize(limit);
  return {};
}

tl::expected<std::vector<RollupBucket>, StoreError> Reader::ReadRollups(SeriesId series, RollupLevel level,
                                                                        UtcUs from_us, UtcUs to_us, size_t limit) {
  if (FolderHasAll(from_us)) return folder_->ReadRollups(series, level, from_us, to_us, limit);
  std::vector<RollupBucket> buckets;
  const auto done = InSnapshot([&] {
    buckets.clear();
    // A bucket that begins in the span may end behind it.
    const UtcUs until_us = to_us > INT64_MAX - 48 * 3600 * kUsPerSecond ? to_us : to_us + 48 * 3600 * kUsPerSecond;
    auto asked = ReadTail(series, from_us, until_us);
    if (asked) asked = Buckets(series, level, from_us, to_us, limit, &buckets);
    return asked;
  });
  if (!done) return tl::unexpected(done.error());
  return buckets;
}

// Whole buckets from roll-ups, the ends of the span from readings.
Reader::Done Reader::ThinBuckets(SeriesId series, RollupLevel level, UtcUs from_us, UtcUs to_us, size_t max_points,
                                 RecordBatch* batch, uint64_t* total) {
  Thinner thinner(from_us, to_us, max_points);
  UtcUs begin_us = BucketStart(level, from_us, zone_);
  if (begin_us < from_us) begin_us = NextBucket(level, begin_us, zone_);
  const UtcUs end_us = BucketStart(level, to_us, zone_);
  const auto add_good = [&](const Record& record) {
    if (!CountsInRollups(record)) return true;
    ++*total;
    Record shown = record;
    if (shown.value.kind() == ValueKind::kText) shown.value = Value::OfText({});
    thinner.Add(shown);
    return true;
  };
  if (auto done = Walk(series, from_us, begin_us, add_good); !done) return done;
  std::vector<RollupBucket> buckets;
  if (auto done = Buckets(series, level, begin_us, end_us, SIZE_MAX, &buckets); !done) return done;
  for (const RollupBucket& bucket : buckets) {
    *total += bucket.count;
    for (const Record& point : PointsOf(series, bucket)) thinner.Add(point);
  }
  if (auto done = Walk(series, end_us, to_us, add_good); !done) return done;
  *batch = thinner.Finish();
  return {};
}

tl::expected<RecordBatch, StoreError> Reader::ReadThinned(SeriesId series, UtcUs from_us, UtcUs to_us,
                                                          size_t max_points, uint64_t* total) {
  if (FolderHasAll(from_us)) return folder_->ReadThinned(series, from_us, to_us, max_points, total);
  RecordBatch batch;
  *total = 0;
  if (from_us >= to_us) return batch;
  const auto done = InSnapshot([&] {
    batch = {};
    *total = 0;
    if (auto asked = ReadTail(series, from_us, to_us); !asked) return asked;
    std::vector<int64_t> hours;
    if (auto asked = HoursOf(series, from_us, to_us, kReadHoursMax + 1, &hours); !asked) return asked;
    if (hours.size() > kReadHoursMax) {
      if (const auto level = LevelFor(from_us, to_us, max_points)) {
        return ThinBuckets(series, *level, from_us, to_us, max_points, &batch, total);
      }
    }
    Thinner thinner(from_us, to_us, max_points);
    auto walked = Walk(series, from_us, to_us, [&](const Record& record) {
      thinner.Add(record);
      return true;
    });
    *total = thinner.total();
    batch = thinner.Finish();
    return walked;
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

}  // namespace vesta::hub::postgres
