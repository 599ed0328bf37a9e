// What the writer deletes when it is too old: whole days as tables, which costs nothing, and rows where classes of
// series are kept for different times.
#include <fmt/format.h>

#include <algorithm>

#include "hub/postgres/wire.h"
#include "hub/postgres/writer.h"

namespace vesta::hub::postgres {
namespace {

constexpr int64_t kDayLength_us = 86400 * kUsPerSecond;
// Rows that came late to days that were looked through already are still found for so long.
constexpr int64_t kLookBackDays = 31;

int64_t LongestKept(const Retention& retention) {
  int64_t longest_us = 0;
  for (const int64_t keep_us : retention.readings_us) {
    if (keep_us == 0) return 0;
    longest_us = std::max(longest_us, keep_us);
  }
  return longest_us;
}

}  // namespace

tl::expected<uint64_t, StoreError> Writer::DropDays(int64_t before_day) {
  uint64_t dropped = 0;
  while (!days_.empty() && *days_.begin() < before_day) {
    const int64_t day = *days_.begin();
    const std::string end = TimeText((day + 1) * kDayLength_us);
    auto done = InTransaction([&]() -> tl::expected<void, StoreError> {
      for (const std::string& sql :
           {fmt::format("SET LOCAL lock_timeout = '{}'", kLockLimit), fmt::format("DROP TABLE {}", DayTable(day)),
            fmt::format("DELETE FROM series_hour WHERE hour >= {} AND hour < {}", day * 24, (day + 1) * 24),
            fmt::format("DELETE FROM batch WHERE last_time < '{}'", end)}) {
        if (auto asked = connection_.Ask(sql); !asked) return tl::unexpected(asked.error());
      }
      return {};
    });
    if (!done) return tl::unexpected(done.error());
    std::erase_if(due_, [&](const auto& one) { return one.second >= day * 24 && one.second < (day + 1) * 24; });
    days_.erase(day);
    ++dropped;
  }
  return dropped;
}

tl::expected<uint64_t, StoreError> Writer::DropToSize(uint64_t max_bytes, UtcUs now_us) {
  uint64_t dropped = 0;
  while (true) {
    const auto size = connection_.Ask(
        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
        " WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'reading'::regclass)"
        " AND c.relkind = 'r'");
    if (!size) return tl::unexpected(size.error());
    if (static_cast<uint64_t>(size->Integer(0, 0)) <= max_bytes) return dropped;
    // Today's stays, whatever it holds.
    if (days_.empty() || *days_.begin() >= DayOf(now_us)) return dropped;
    const auto gone = DropDays(*days_.begin() + 1);
    if (!gone) return gone;
    dropped += *gone;
  }
}

tl::expected<uint64_t, StoreError> Writer::TrimClass(SeriesClass series_class, UtcUs before_us) {
  std::vector<SeriesId> series;
  for (size_t id = 1; id < notes_.size(); ++id) {
    if (notes_[id].series_class == series_class) series.push_back(static_cast<SeriesId>(id));
  }
  if (series.empty()) return 0;
  const std::string name = fmt::format("trimmed_class_{}", static_cast<int>(series_class));
  const auto marker = connection_.Ask("SELECT value FROM meta WHERE name = $1", {name});
  if (!marker) return tl::unexpected(marker.error());
  const int64_t day = DayOf(before_us);
  const int64_t done_day = marker->rows() == 0 ? INT64_MIN / kDayLength_us : marker->Integer(0, 0);
  if (done_day >= day) return 0;
  const UtcUs from_us = marker->rows() == 0 ? INT64_MIN : (done_day - kLookBackDays) * kDayLength_us;
  const UtcUs to_us = day * kDayLength_us;
  const std::string ids = fmt::format("{{{}}}", fmt::join(series, ","));
  uint64_t deleted = 0;
  auto done = InTransaction([&]() -> tl::expected<void, StoreError> {
    auto rows = connection_.Ask(fmt::format("DELETE FROM reading WHERE time >= '{}' AND time < '{}'"
                                            " AND series = ANY($1::integer[])",
                                            TimeText(from_us), TimeText(to_us)),
                                {ids});
    if (!rows) return tl::unexpected(rows.error());
    deleted = rows->changed();
    rows = connection_.Ask("DELETE FROM series_hour WHERE series = ANY($1::integer[]) AND hour < $2 AND NOT due",
                           {ids, std::to_string(day * 24)});
    if (rows) {
      rows = connection_.Ask("INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                             {name, std::to_string(day)});
    }
    if (!rows) return tl::unexpected(rows.error());
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return deleted;
}

tl::expected<uint64_t, StoreError> Writer::Trim(const Retention& retention, UtcUs now_us) {
  uint64_t gone = 0;
  const int64_t longest_us = LongestKept(retention);
  if (longest_us > 0) {
    const auto dropped = DropDays(DayOf(now_us - longest_us));
    if (!dropped) return dropped;
    gone += *dropped;
  }
  for (int i = 0; i < kSeriesClasses; ++i) {
    const int64_t keep_us = retention.readings_us[static_cast<size_t>(i)];
    if (keep_us == 0 || keep_us == longest_us) continue;
    const auto deleted = TrimClass(static_cast<SeriesClass>(i), now_us - keep_us);
    if (!deleted) return deleted;
    gone += *deleted;
  }
  for (int level = 0; level < kRollupLevels; ++level) {
    const int64_t keep_us = retention.rollups_us[static_cast<size_t>(level)];
    if (keep_us == 0) continue;
    const auto deleted = connection_.Ask("DELETE FROM rollup WHERE level = $1 AND start < $2",
                                         {std::to_string(level), TimeText(DayOf(now_us - keep_us) * kDayLength_us)});
    if (!deleted) return tl::unexpected(deleted.error());
    gone += deleted->changed();
  }
  if (retention.max_bytes > 0) {
    const auto dropped = DropToSize(retention.max_bytes, now_us);
    if (!dropped) return dropped;
    gone += *dropped;
  }
  return gone;
}

}  // namespace vesta::hub::postgres
