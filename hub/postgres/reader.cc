#include "hub/postgres/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "hub/postgres/rollup_rows.h"
#include "hub/postgres/wire.h"

namespace vesta::hub::postgres {
namespace {

constexpr size_t kTailPage = 32768;
constexpr size_t kHoursPage = 1000;
constexpr int kHoursBack = 16;

int64_t MonotonicUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool Earlier(const Record& a, const Record& b) {
  return a.time_us != b.time_us ? a.time_us < b.time_us : a.number < b.number;
}

}  // namespace

StoreError Reader::FolderOnly() const {
  return {StoreErrorKind::kOther, "raw frames are in the data folder of the hub, not in PostgreSQL"};
}

bool Reader::FolderHasAll(UtcUs from_us) const {
  return folder_ != nullptr && complete_from_ != nullptr && from_us >= complete_from_();
}

Reader::Done Reader::Connect() {
  if (connection_.is_open() && !connection_.lost()) return {};
  if (MonotonicUs() < next_try_us_) return tl::unexpected(why_away_);
  kept_.clear();
  kept_readings_ = 0;
  auto opened = connection_.Open();
  if (opened) {
    const auto facts = LookAtDatabase(connection_);
    if (!facts) {
      opened = tl::unexpected(facts.error());
    } else if (!facts->is_made) {
      opened = tl::unexpected(StoreError{
          StoreErrorKind::kOther, fmt::format("PostgreSQL at {}: there is no schema {}",
                                              PlaceOfUrl(connection_.settings().url), connection_.settings().schema)});
    }
  }
  if (!opened) {
    connection_.Close();
    why_away_ = opened.error();
    next_try_us_ = MonotonicUs() + kTryAgain_us;
  }
  return opened;
}

Reader::Done Reader::InSnapshot(const std::function<Done()>& ask) {
  Done done;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool was_open = connection_.is_open();
    if (done = Connect(); !done) return done;
    const auto begun = connection_.Ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    done = begun ? Done() : tl::unexpected(begun.error());
    if (done) {
      const auto progress = connection_.Ask("SELECT position FROM progress");
      if (progress) {
        position_ = progress->rows() == 0 ? 0 : static_cast<JournalNumber>(progress->Integer(0, 0));
        done = ask();
      } else {
        done = tl::unexpected(progress.error());
      }
    }
    tail_ = {};
    if (!connection_.lost() && !connection_.Ask("ROLLBACK")) connection_.Close();
    // A server that was restarted since the last question.
    if (done || !was_open || !connection_.lost()) break;
  }
  return done;
}

Reader::Done Reader::ReadTail(SeriesId series, UtcUs from_us, UtcUs to_us) {
  tail_ = {};
  if (folder_ == nullptr) return {};
  JournalNumber after = position_;
  for (size_t scanned = 0;;) {
    const auto page = folder_->ReadJournal(after, kTailPage);
    if (!page) return tl::unexpected(page.error());
    for (const Record& record : page->records) {
      if (record.series == series && record.time_us >= from_us && record.time_us < to_us) tail_.Add(record);
    }
    if (page->records.size() < kTailPage) break;
    after = page->records.back().number;
    scanned += page->records.size();
    if (scanned >= kTailScan) {
      return tl::unexpected(StoreError{
          StoreErrorKind::kBusy, fmt::format("PostgreSQL at {} is more than {} readings behind: ask again when it has"
                                             " caught up",
                                             PlaceOfUrl(connection_.settings().url), kTailScan)});
    }
  }
  std::sort(tail_.records.begin(), tail_.records.end(), Earlier);
  return {};
}

Reader::Done Reader::HoursOf(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit, std::vector<int64_t>* hours) {
  const auto rows = connection_.Ask(
      "SELECT hour FROM series_hour WHERE series = $1 AND hour >= $2 AND hour <= $3 ORDER BY hour LIMIT $4",
      {std::to_string(series), std::to_string(HourOf(KeptTime(from_us))), std::to_string(HourOf(to_us - 1)),
       std::to_string(limit)});
  if (!rows) return tl::unexpected(rows.error());
  for (int row = 0; row < rows->rows(); ++row) hours->push_back(rows->Integer(row, 0));
  return {};
}

// Whether nothing came to these hours since they were read.
tl::expected<bool, StoreError> Reader::IsUnchanged(const Window& window) {
  if (window.position == position_) return true;
  if (window.position > position_) return false;
  const auto touched = connection_.Ask(
      "SELECT EXISTS (SELECT FROM batch WHERE last_number > $1 AND last_time >= $2 AND first_time < $3)",
      {std::to_string(window.position), TimeText(window.from_us), TimeText(window.to_us)});
  if (!touched) return tl::unexpected(touched.error());
  return !touched->Boolean(0, 0);
}

tl::expected<std::shared_ptr<const Reader::Window>, StoreError> Reader::Load(SeriesId series, int64_t first_hour,
                                                                             int64_t last_hour) {
  const UtcUs from_us = HourStart(first_hour);
  const UtcUs to_us = HourStart(last_hour + 1);
  for (auto one = kept_.begin(); one != kept_.end(); ++one) {
    if ((*one)->series != series || (*one)->from_us > from_us || (*one)->to_us < to_us) continue;
    const auto unchanged = IsUnchanged(**one);
    if (!unchanged) return tl::unexpected(unchanged.error());
    if (*unchanged) {
      kept_.splice(kept_.begin(), kept_, one);
      return kept_.front();
    }
    kept_readings_ -= (*one)->batch.records.size();
    kept_.erase(one);
    break;
  }
  auto window = std::make_shared<Window>();
  window->series = series;
  window->from_us = from_us;
  window->to_us = to_us;
  window->position = position_;
  std::string text;
  const auto done =
      connection_.Stream(fmt::format("SELECT {} FROM reading WHERE series = {} AND {} ORDER BY time, number",
                                     kReadingColumns, series, SpanSql(from_us, to_us, "time")),
                         {}, [&](const Answer& row) {
                           window->batch.Add(ReadReading(row, 0, &text));
                           return true;
                         });
  if (!done) return tl::unexpected(done.error());
  kept_readings_ += window->batch.records.size();
  kept_.push_front(window);
  while (kept_readings_ > kKeptReadings && kept_.size() > 1) {
    kept_readings_ -= kept_.back()->batch.records.size();
    kept_.pop_back();
  }
  return kept_.front();
}

// Only the hours that have readings of the series are looked at, neighbours together.
Reader::Done Reader::WalkTable(SeriesId series, UtcUs from_us, UtcUs to_us, const Take& take) {
  UtcUs next_us = from_us;
  while (next_us < to_us) {
    std::vector<int64_t> hours;
    if (auto done = HoursOf(series, next_us, to_us, kHoursPage, &hours); !done) return done;
    for (size_t i = 0; i < hours.size();) {
      size_t end = i + 1;
      while (end < hours.size() && hours[end] == hours[end - 1] + 1 &&
             hours[end] / kWindowHours == hours[i] / kWindowHours) {
        ++end;
      }
      const auto window = Load(series, hours[i], hours[end - 1]);
      if (!window) return tl::unexpected(window.error());
      const std::vector<Record>& records = (*window)->batch.records;
      auto record = std::partition_point(records.begin(), records.end(),
                                         [&](const Record& one) { return one.time_us < next_us; });
      // The window may be larger than what was asked for.
      const UtcUs until_us = std::min(to_us, HourStart(hours[end - 1] + 1));
      for (; record != records.end() && record->time_us < until_us; ++record) {
        if (!take(*record)) return {};
      }
      next_us = until_us;
      i = end;
    }
    if (hours.size() < kHoursPage) return {};
  }
  return {};
}

Reader::Done Reader::Walk(SeriesId series, UtcUs from_us, UtcUs to_us, const Take& take) {
  auto next = std::partition_point(tail_.records.begin(), tail_.records.end(),
                                   [&](const Record& one) { return one.time_us < from_us; });
  bool going = true;
  auto done = WalkTable(series, from_us, to_us, [&](const Record& record) {
    for (; going && next != tail_.records.end() && Earlier(*next, record); ++next) going = take(*next);
    if (going) going = take(record);
    return going;
  });
  for (; done && going && next != tail_.records.end() && next->time_us < to_us; ++next) going = take(*next);
  return done;
}

tl::expected<RecordBatch, StoreError> Reader::ReadRange(SeriesId series, UtcUs from_us, UtcUs to_us, size_t limit) {
  if (FolderHasAll(from_us)) return folder_->ReadRange(series, from_us, to_us, limit);
  RecordBatch batch;
  if (limit == 0 || from_us >= to_us) return batch;
  const auto done = InSnapshot([&] {
    batch = {};
    auto asked = ReadTail(series, from_us, to_us);
    if (!asked) return asked;
    return Walk(series, from_us, to_us, [&](const Record& record) {
      batch.Add(record);
      return batch.records.size() < limit;
    });
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<RecordBatch, StoreError> Reader::ReadAtOrBefore(SeriesId series, UtcUs time_us) {
  if (folder_ != nullptr && complete_from_ != nullptr) {
    auto near = folder_->ReadAtOrBefore(series, time_us);
    if (near && !near->records.empty() && FolderHasAll(near->records.back().time_us)) return near;
  }
  RecordBatch batch;
  const auto done = InSnapshot([&]() -> Done {
    batch = {};
    if (auto asked = ReadTail(series, INT64_MIN, time_us == INT64_MAX ? time_us : time_us + 1); !asked) return asked;
    int64_t before = HourOf(time_us) + 1;
    while (batch.records.empty()) {
      const auto hours =
          connection_.Ask("SELECT hour FROM series_hour WHERE series = $1 AND hour < $2 ORDER BY hour DESC LIMIT $3",
                          {std::to_string(series), std::to_string(before), std::to_string(kHoursBack)});
      if (!hours) return tl::unexpected(hours.error());
      if (hours->rows() == 0) break;
      for (int row = 0; row < hours->rows() && batch.records.empty(); ++row) {
        before = hours->Integer(row, 0);
        std::string text;
        auto read = connection_.Stream(
            fmt::format("SELECT {} FROM reading WHERE series = {} AND {} AND time <= '{}'"
                        " ORDER BY time DESC, number DESC LIMIT 1",
                        kReadingColumns, series, SpanSql(HourStart(before), HourStart(before + 1), "time"),
                        TimeText(time_us)),
            {}, [&](const Answer& one) {
              batch.Add(ReadReading(one, 0, &text));
              return true;
            });
        if (!read) return read;
      }
    }
    if (!tail_.records.empty() && (batch.records.empty() || Earlier(batch.records.back(), tail_.records.back()))) {
      batch = {};
      batch.Add(tail_.records.back());
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<RecordBatch, StoreError> Reader::ReadJournal(JournalNumber after, size_t limit) {
  if (folder_ != nullptr) return folder_->ReadJournal(after, limit);
  RecordBatch batch;
  const auto done = InSnapshot([&]() -> Done {
    batch = {};
    JournalNumber from = after;
    while (batch.records.size() < limit) {
      // As many batches as make up the limit; their times say in which days they are.
      const auto span = connection_.Ask(
          "SELECT max(last_number), min(first_time), max(last_time) FROM (SELECT *, sum(readings) OVER"
          " (ORDER BY last_number) - readings AS before FROM (SELECT * FROM batch WHERE last_number > $1"
          " ORDER BY last_number LIMIT 1000) AS next) AS counted WHERE before < $2",
          {std::to_string(from), std::to_string(limit - batch.records.size())});
      if (!span) return tl::unexpected(span.error());
      if (span->IsNull(0, 0)) return {};
      std::string text;
      auto read = connection_.Stream(
          fmt::format("SELECT {} FROM reading WHERE number > {} AND number <= {} AND time >= '{}' AND time <= '{}'"
                      " ORDER BY number LIMIT {}",
                      kReadingColumns, from, span->Integer(0, 0), span->Text(0, 1), span->Text(0, 2),
                      limit - batch.records.size()),
          {}, [&](const Answer& row) {
            batch.Add(ReadReading(row, 0, &text));
            return true;
          });
      if (!read) return read;
      from = static_cast<JournalNumber>(span->Integer(0, 0));
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<std::vector<ArchivedFrame>, StoreError> Reader::ReadFrames(const std::string& source, bool rejected_only,
                                                                        FrameId before, size_t limit) {
  if (folder_ == nullptr) return tl::unexpected(FolderOnly());
  return folder_->ReadFrames(source, rejected_only, before, limit);
}

tl::expected<std::vector<ArchivedFrame>, StoreError> Reader::ReadSelected(const FrameSelection& selection,
                                                                          size_t limit) {
  if (folder_ == nullptr) return tl::unexpected(FolderOnly());
  return folder_->ReadSelected(selection, limit);
}

tl::expected<uint64_t, StoreError> Reader::CountSelected(const FrameSelection& selection) {
  if (folder_ == nullptr) return tl::unexpected(FolderOnly());
  return folder_->CountSelected(selection);
}

// All of them or an error: who decodes a frame again must know what it gave before.
tl::expected<RecordBatch, StoreError> Reader::ReadFrameRecords(FrameId frame) {
  if (folder_ == nullptr) return tl::unexpected(FolderOnly());
  RecordBatch batch;
  const auto done = InSnapshot([&]() -> Done {
    batch = {};
    std::string text;
    auto read = connection_.Stream(
        fmt::format("SELECT {} FROM reading WHERE frame = {} ORDER BY number", kReadingColumns, frame), {},
        [&](const Answer& row) {
          batch.Add(ReadReading(row, 0, &text));
          return true;
        });
    if (!read) return read;
    const auto near = folder_->ReadFrameRecords(frame);
    if (!near) return tl::unexpected(near.error());
    for (const Record& record : near->records) {
      if (record.number > position_) batch.Add(record);
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return batch;
}

tl::expected<std::vector<ArchiveStats>, StoreError> Reader::ReadArchiveStats() {
  if (folder_ == nullptr) return tl::unexpected(FolderOnly());
  return folder_->ReadArchiveStats();
}

tl::expected<void, StoreError> Reader::ReadSeries(std::vector<Device>* devices, std::vector<Series>* series) {
  return InSnapshot([&] {
    devices->clear();
    series->clear();
    return ReadDirectory(connection_, devices, series);
  });
}

tl::expected<DatabaseFacts, StoreError> Reader::Facts() {
  DatabaseFacts facts;
  const auto done = InSnapshot([&]() -> Done {
    auto looked = LookAtDatabase(connection_);
    if (!looked) return tl::unexpected(looked.error());
    facts = *looked;
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return facts;
}

tl::expected<std::map<SeriesId, uint64_t>, StoreError> Reader::CountReadings(JournalNumber up_to) {
  std::map<SeriesId, uint64_t> counts;
  const auto done = InSnapshot([&]() -> Done {
    const auto rows = connection_.Ask("SELECT series, count(*) FROM reading WHERE number <= $1 GROUP BY series",
                                      {std::to_string(up_to)});
    if (!rows) return tl::unexpected(rows.error());
    for (int row = 0; row < rows->rows(); ++row) {
      counts[static_cast<SeriesId>(rows->Integer(row, 0))] = static_cast<uint64_t>(rows->Integer(row, 1));
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return counts;
}

}  // namespace vesta::hub::postgres
