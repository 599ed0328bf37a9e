#include "hub/postgres/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "hub/postgres/rollup_rows.h"
#include "hub/postgres/wire.h"
#include "model/calendar.h"

namespace vesta::hub::postgres {
namespace {

constexpr int64_t kHourLength_us = 3600 * kUsPerSecond;
// Marks of due hours remembered, so that each is sent once: of all series for some hours.
constexpr size_t kDueRemembered = 1u << 20;

using Done = tl::expected<void, StoreError>;

template <typename Items>
std::string ArrayOf(const Items& items) {
  return fmt::format("{{{}}}", fmt::join(items, ","));
}

SeriesClass ClassOf(const SeriesField& field) {
  if (field.diagnostic) return SeriesClass::kDiagnostic;
  if (field.kind == FieldKind::kCounter) return SeriesClass::kCounter;
  return field.kind == FieldKind::kGauge ? SeriesClass::kMeasurement : SeriesClass::kState;
}

Done Discard(const tl::expected<Answer, StoreError>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  return {};
}

}  // namespace

Done Writer::InTransaction(const std::function<Done()>& work) {
  auto done = Discard(connection_.Ask("BEGIN"));
  if (done) done = work();
  if (done) done = Discard(connection_.Ask("COMMIT"));
  if (!done && is_open()) {
    if (!connection_.Ask("ROLLBACK")) connection_.Close();
  }
  return done;
}

tl::expected<DatabaseFacts, StoreError> Writer::Open() {
  due_.clear();
  days_.clear();
  if (auto opened = connection_.Open(); !opened) return tl::unexpected(opened.error());
  const auto fail = [this](const StoreError& error) {
    connection_.Close();
    return tl::unexpected(error);
  };
  auto facts = PrepareDatabase(connection_, origin_);
  if (!facts) return fail(facts.error());
  position_ = facts->position;
  std::vector<Device> devices;
  std::vector<Series> series;
  if (auto read = ReadDirectory(connection_, &devices, &series); !read) return fail(read.error());
  Note(series);
  const auto days = connection_.Ask(
      "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
      " WHERE i.inhparent = 'reading'::regclass AND c.relname ~ '^reading_[0-9]{8}$'");
  if (!days) return fail(days.error());
  for (int row = 0; row < days->rows(); ++row) {
    int digits = 0;
    const std::string_view name = days->Bytes(row, 0).substr(8);
    std::from_chars(name.data(), name.data() + name.size(), digits);
    days_.insert(
        DaysFromCivil(digits / 10000, static_cast<uint32_t>(digits / 100 % 100), static_cast<uint32_t>(digits % 100)));
  }
  return facts;
}

void Writer::Note(const std::vector<Series>& series) {
  for (const Series& one : series) {
    if (one.id >= notes_.size()) notes_.resize(one.id + 1);
    notes_[one.id] = {one.field.kind == FieldKind::kCounter, ClassOf(one.field)};
  }
}

// A table that is made apart and then attached: to make it a part at once would wait for every query under way, and let
// those that follow wait behind it.
Done Writer::MakeDay(int64_t day) {
  if (days_.count(day) != 0 || static_cast<int64_t>(days_.size()) >= kMaxDayTables) return {};
  const std::string table = DayTable(day);
  const UtcUs from_us = day * 24 * kHourLength_us;
  // Readings that came when there were too many days stay where they are.
  const auto taken =
      connection_.Ask(fmt::format("SELECT EXISTS (SELECT FROM reading_other WHERE {}),"
                                  " to_regclass('{}') IS NOT NULL",
                                  SpanSql(from_us, from_us + 24 * kHourLength_us, "time"), table));
  if (!taken) return tl::unexpected(taken.error());
  if (taken->Boolean(0, 1)) days_.insert(day);  // another writer's
  if (taken->Boolean(0, 0) || taken->Boolean(0, 1)) return {};
  auto done = InTransaction([&] {
    auto made = Discard(connection_.Ask(fmt::format("CREATE TABLE {} (LIKE reading INCLUDING ALL)", table)));
    if (made) {
      made =
          Discard(connection_.Ask(fmt::format("ALTER TABLE reading ATTACH PARTITION {} FOR VALUES FROM ('{}') TO"
                                              " ('{}')",
                                              table, TimeText(from_us), TimeText(from_us + 24 * kHourLength_us))));
    }
    return made;
  });
  if (done) days_.insert(day);
  return done;
}

Done Writer::MakeDaysAhead(UtcUs now_us) {
  const int64_t today = DayOf(now_us);
  for (int64_t day = today; day <= today + kDayTablesAhead; ++day) {
    if (!HasDayTable(day * 24 * kHourLength_us)) continue;
    if (auto made = MakeDay(day); !made) return made;
  }
  return {};
}

Done Writer::MarkDue(const std::set<std::pair<SeriesId, Hour>>& hours) {
  if (hours.empty()) return {};
  std::vector<SeriesId> series;
  std::vector<Hour> times;
  for (const auto& [one, hour] : hours) {
    series.push_back(one);
    times.push_back(hour);
  }
  return Discard(
      connection_.Ask("INSERT INTO series_hour SELECT *, true FROM unnest($1::integer[], $2::bigint[])"
                      " ON CONFLICT (series, hour) DO UPDATE SET due = true WHERE NOT series_hour.due",
                      {ArrayOf(series), ArrayOf(times)}));
}

// The condition is what makes each batch come once: of two that would follow the same position one finds it moved.
Done Writer::MovePosition(JournalNumber number, SeriesId series, UtcUs time_us) {
  const auto moved =
      connection_.Ask("UPDATE progress SET position = $1, series = $2, time = $3 WHERE position = $4",
                      {std::to_string(number), std::to_string(series), TimeText(time_us), std::to_string(position_)});
  if (!moved) return tl::unexpected(moved.error());
  if (moved->changed() != 1) {
    return tl::unexpected(StoreError{
        StoreErrorKind::kBusy, fmt::format("PostgreSQL at {}: somebody else writes to schema {}",
                                           PlaceOfUrl(connection_.settings().url), connection_.settings().schema)});
  }
  return {};
}

Done Writer::Write(const RecordBatch& batch, const std::vector<Device>& devices, const std::vector<Series>& series) {
  if (batch.records.empty()) return {};
  if (due_.size() > kDueRemembered) due_.clear();
  CopyRows rows;
  std::set<std::pair<SeriesId, Hour>> hours;
  UtcUs first_us = INT64_MAX;
  UtcUs last_us = INT64_MIN;
  int64_t last_day = INT64_MIN;
  for (const Record& record : batch.records) {
    AddReading(record, &rows);
    const UtcUs time_us = KeptTime(record.time_us);
    first_us = std::min(first_us, time_us);
    last_us = std::max(last_us, time_us);
    const std::pair<SeriesId, Hour> hour(record.series, HourOf(time_us));
    if (due_.count(hour) == 0) hours.insert(hour);
    if (HasDayTable(time_us) && DayOf(time_us) != last_day) {
      last_day = DayOf(time_us);
      if (auto made = MakeDay(last_day); !made) return made;
    }
  }
  const Record& last = batch.records.back();
  auto done = InTransaction([&] {
    // First, so that of two writers the second waits here.
    auto written = MovePosition(last.number, last.series, last.time_us);
    if (written) written = WriteDirectory(connection_, devices, series);
    if (written) written = MarkDue(hours);
    if (written) {
      written = connection_.CopyIn(fmt::format("COPY reading ({}) FROM STDIN (FORMAT binary)", kReadingColumns),
                                   rows.Finish());
    }
    if (written) {
      written = Discard(connection_.Ask("INSERT INTO batch VALUES ($1, $2, $3, $4, $5)",
                                        {std::to_string(last.number), std::to_string(batch.records.front().number),
                                         std::to_string(batch.records.size()), TimeText(first_us), TimeText(last_us)}));
    }
    return written;
  });
  if (!done) return done;
  position_ = last.number;
  due_.insert(hours.begin(), hours.end());
  Note(series);
  return {};
}

tl::expected<bool, StoreError> Writer::RollUp(UtcUs until_us) {
  const auto due = connection_.Ask("SELECT hour FROM series_hour WHERE due AND hour < $1 ORDER BY hour LIMIT 1",
                                   {std::to_string(HourOf(until_us))});
  if (!due) return tl::unexpected(due.error());
  if (due->rows() == 0) return false;
  const Hour hour = due->Integer(0, 0);
  if (auto done = InTransaction([&] { return RollUpHour(hour); }); !done) return tl::unexpected(done.error());
  std::erase_if(due_, [hour](const auto& one) { return one.second == hour; });
  return true;
}

Done Writer::ReadBuckets(const std::string& series, RollupLevel level, UtcUs from_us, UtcUs to_us,
                         SeriesBuckets* buckets) {
  return connection_.Stream(
      fmt::format(
          "SELECT {} FROM rollup WHERE series = ANY($1::integer[]) AND level = {} AND {} ORDER BY series, start",
          kRollupColumns, static_cast<int>(level), SpanSql(from_us, to_us, "start")),
      {series}, [&](const Answer& row) {
        RollupBucket bucket;
        const SeriesId id = ReadBucket(row, &bucket);
        (*buckets)[id].push_back(std::move(bucket));
        return true;
      });
}

Done Writer::MakeMinutes(const std::string& series, UtcUs hour_us, SeriesBuckets* minutes) {
  SeriesId id = 0;
  std::unique_ptr<BucketMaker> maker;
  const auto finish = [&] {
    if (maker != nullptr) (*minutes)[id] = std::move(maker->buckets());
  };
  std::string text;
  auto done = connection_.Stream(
      fmt::format("SELECT {} FROM reading WHERE {} AND series = ANY($1::integer[]) ORDER BY series, time, number",
                  kReadingColumns, SpanSql(hour_us, hour_us + kHourLength_us, "time")),
      {series}, [&](const Answer& row) {
        const Record record = ReadReading(row, 0, &text);
        if (maker == nullptr || record.series != id) {
          finish();
          id = record.series;
          maker = std::make_unique<BucketMaker>(RollupLevel::kMinute, zone_, id < notes_.size() && notes_[id].counter);
        }
        maker->Add(record);
        return true;
      });
  finish();
  return done;
}

Done Writer::RollUpHour(Hour hour) {
  const auto clear = [&] {
    return Discard(
        connection_.Ask("UPDATE series_hour SET due = false WHERE due AND hour = $1", {std::to_string(hour)}));
  };
  if (hour < HourOf(kRollupFirst_us) || hour >= HourOf(kRollupEnd_us)) return clear();
  const UtcUs hour_us = hour * kHourLength_us;
  const auto due =
      connection_.Ask("SELECT array_agg(series) FROM series_hour WHERE due AND hour = $1", {std::to_string(hour)});
  if (!due) return tl::unexpected(due.error());
  const std::string series = due->Text(0, 0);
  SeriesBuckets minutes;
  SeriesBuckets before;
  if (auto done = MakeMinutes(series, hour_us, &minutes); !done) return done;
  if (auto done = ReadBuckets(series, RollupLevel::kMinute, hour_us, hour_us + kHourLength_us, &before); !done)
    return done;
  // Fewer than there were: readings of that hour were deleted for their age. What is known of it stays.
  std::erase_if(minutes, [&](const auto& one) { return CountOf(one.second) < CountOf(before[one.first]); });
  std::set<UtcUs> days = {BucketStart(RollupLevel::kDay, hour_us, zone_),
                          BucketStart(RollupLevel::kDay, hour_us + kHourLength_us - 1, zone_)};
  CopyRows rows;
  std::vector<SeriesId> changed;
  std::map<SeriesId, std::vector<RollupBucket>> quarters;
  for (const auto& [id, buckets] : minutes) {
    changed.push_back(id);
    quarters[id] = Coarser(buckets, RollupLevel::kQuarter, zone_);
    for (const RollupBucket& bucket : buckets) AddBucket(id, RollupLevel::kMinute, bucket, &rows);
    for (const RollupBucket& bucket : quarters[id]) AddBucket(id, RollupLevel::kQuarter, bucket, &rows);
    for (const RollupBucket& bucket : Coarser(quarters[id], RollupLevel::kHour, zone_)) {
      AddBucket(id, RollupLevel::kHour, bucket, &rows);
    }
  }
  const std::string changed_series = ArrayOf(changed);
  auto done = Discard(
      connection_.Ask(fmt::format("DELETE FROM rollup WHERE series = ANY($1::integer[]) AND level IN (0, 1, 2) AND {}",
                                  SpanSql(hour_us, hour_us + kHourLength_us, "start")),
                      {changed_series}));
  for (const UtcUs day_us : days) {
    if (!done) return done;
    const UtcUs end_us = NextBucket(RollupLevel::kDay, day_us, zone_);
    SeriesBuckets of_day;
    SeriesBuckets old;
    done = ReadBuckets(changed_series, RollupLevel::kQuarter, day_us, end_us, &of_day);
    if (done) done = ReadBuckets(changed_series, RollupLevel::kDay, day_us, day_us + 1, &old);
    std::vector<SeriesId> anew;
    for (const SeriesId id : changed) {
      std::vector<RollupBucket> within;
      for (const RollupBucket& bucket : quarters[id]) {
        if (bucket.start_us >= day_us && bucket.start_us < end_us) within.push_back(bucket);
      }
      ReplaceBuckets(std::max(day_us, hour_us), std::min(end_us, hour_us + kHourLength_us), within, &of_day[id]);
      if (of_day[id].empty() || CountOf(of_day[id]) < CountOf(old[id])) continue;
      anew.push_back(id);
      for (const RollupBucket& bucket : Coarser(of_day[id], RollupLevel::kDay, zone_)) {
        AddBucket(id, RollupLevel::kDay, bucket, &rows);
      }
    }
    if (done) {
      done =
          Discard(connection_.Ask("DELETE FROM rollup WHERE series = ANY($1::integer[]) AND level = 3 AND start = $2",
                                  {ArrayOf(anew), TimeText(day_us)}));
    }
  }
  if (done && rows.rows() > 0) {
    done =
        connection_.CopyIn(fmt::format("COPY rollup ({}) FROM STDIN (FORMAT binary)", kRollupColumns), rows.Finish());
  }
  return done ? clear() : done;
}

}  // namespace vesta::hub::postgres
