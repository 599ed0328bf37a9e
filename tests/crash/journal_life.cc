#include "tests/crash/journal_life.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <random>
#include <set>

#include "hub/clock/clock.h"
#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;
constexpr int64_t kKeep_us = 86400 * kUsPerSecond;
constexpr size_t kFrameBytes = 700;
constexpr char kOutput[] = "history";
constexpr const char* kFieldKeys[] = {"a", "b", "c", "d", "e", "f"};

// Names of batches: the number of their first reading.
uint64_t CountOf(JournalNumber first) { return 1 + (first * 2654435761u >> 7) % 60; }
// Such a batch bears times of long ago: it comes late, and trimming takes it.
bool IsOld(JournalNumber first) { return first % 5 == 0; }

// The reading with this number in the batch that began with `first`. A text lives in *text.
Record Expected(JournalNumber number, JournalNumber first, std::string* text) {
  Record record;
  record.number = number;
  record.time_us = IsOld(first) ? kStart_us - 2 * kKeep_us + static_cast<int64_t>(number)
                                : kStart_us + static_cast<int64_t>(number % 1000) * kUsPerSecond;
  record.received_us = record.time_us + static_cast<int64_t>(number % 77);
  record.index = static_cast<uint16_t>(number - first);
  record.quality = static_cast<ValueQuality>(number % 3);
  record.time_quality = static_cast<TimeQuality>(number % 4);
  record.flags = static_cast<uint8_t>(number % 5);
  if (number % 11 == 0) {
    *text = fmt::format("{} in the batch of {}", number, first);
    record.value = Value::OfText(*text);
  } else {
    record.value = Value::OfDecimal(static_cast<int64_t>(number) * 1000 + static_cast<int64_t>(first % 1000),
                                    static_cast<int8_t>(number % 5));
  }
  return record;
}

bool SameContent(const Record& a, const Record& b) {
  return a.index == b.index && a.quality == b.quality && a.time_quality == b.time_quality && a.flags == b.flags &&
         a.time_us == b.time_us && a.received_us == b.received_us && a.value == b.value;
}

std::vector<Record> MakeBatch(Directory& directory, DeviceId device, JournalNumber first, FrameId frame,
                              std::vector<std::string>* texts) {
  std::vector<Record> records;
  texts->resize(CountOf(first));
  for (uint64_t k = 0; k < CountOf(first); ++k) {
    records.push_back(Expected(first + k, first, &(*texts)[k]));
    Field field;
    field.key = kFieldKeys[k % std::size(kFieldKeys)];
    if (k % 2 == 0) field.kind = FieldKind::kCounter;
    records.back().series = directory.ResolveSeries(device, field);
    records.back().frame = frame;
  }
  return records;
}

DeviceId SomeDevice(Directory& directory, uint64_t random) {
  const std::string identity = fmt::format("D{}", random % 40);
  DeviceInfo info;
  info.identity = identity;
  info.identity_on_wire = true;
  return directory.Resolve("test", "disk", info, 0);
}

}  // namespace

std::string Live(const LifeOptions& options, const std::vector<LifeReport>& earlier,
                 const std::function<void(const LifeReport&)>& told, const std::function<bool()>& dead) {
  SqliteStoreOptions store_options;
  store_options.vfs = options.vfs;
  store_options.fsync = options.fsync;
  // Chunks of a few hundred readings in small slots: every life folds, and uses slots again.
  store_options.fold = {150, 300};
  store_options.segment_bytes = 8 << 10;
  auto store = SqliteStore::Open(options.path, store_options);
  if (!store) return dead() ? "" : store.error().text;
  const auto state = (*store)->Restore();
  if (!state) return dead() ? "" : state.error().text;

  boost::asio::io_context io;
  const auto keep_running = boost::asio::make_work_guard(io);
  ManualClock clock(kStart_us);
  Directory directory;
  directory.Restore(state->devices, state->series);
  JournalOptions journal_options;
  journal_options.retention = Retention::Readings(kKeep_us);
  Journal journal(io, clock, **store, directory, journal_options);
  if (const auto opened = journal.Open(*state); !opened) return dead() ? "" : opened.error().text;

  std::mt19937 random(options.seed);
  LifeReport report;
  const auto token = journal.OnDurable([&](JournalNumber mark) {
    report.durable_mark = mark;
    told(report);
  });
  JournalNumber next = state->reserved_numbers_end;
  for (int i = 0; i < options.batches && !dead(); ++i) {
    const DeviceId device = SomeDevice(directory, random());
    FrameId frame_id = 0;
    if (random() % 3 == 0) {
      ArchivedFrame frame;
      frame.source = "disk";
      frame.bytes.assign(kFrameBytes, 0xA5);
      frame_id = journal.AppendFrame(std::move(frame));
    }
    for (const LifeReport& life : earlier) {
      if (next <= life.last_given) return fmt::format("number {} was given out before", next);
    }
    std::vector<std::string> texts;
    std::vector<Record> records = MakeBatch(directory, device, next, frame_id, &texts);
    if (!journal.Append(records)) return "the journal refused readings";
    if (records.front().number != next) return fmt::format("number {} instead of {}", records.front().number, next);
    if (report.first == 0) report.first = next;
    report.last_given = journal.last_number();
    told(report);
    next = journal.last_number() + 1;

    if (random() % 16 == 0) clock.Advance(kTrimEvery_us);
    if (random() % 2 == 0) {  // some batches share a commit
      io.poll();
      continue;
    }
    if (report.durable_mark != 0) {
      report.position_tried = report.durable_mark;
      journal.SetPosition(kOutput, report.position_tried);
      told(report);
    }
    bool flushed = false;
    journal.Flush([&flushed] { flushed = true; });
    while (!flushed && journal.health().failed_commits == 0) io.run_one();
    if (!flushed) break;
    report.position = report.position_tried;
    if (frame_id != 0) report.durable_frame = frame_id;
    told(report);
  }
  if (journal.health().failed_commits != 0 && !dead()) return journal.health().error;
  journal.Close();
  if (journal.health().error.empty() && report.first != 0) {
    report.durable_mark = journal.durable_mark();
    told(report);
  }
  return "";
}

namespace {

// Batches behind `first` up to `last` in one life, each whole, or absent when it was not acknowledged.
std::string VerifyLife(const std::map<JournalNumber, Record>& stored, const LifeReport& life,
                       std::set<JournalNumber>* explained) {
  if (life.first == 0) return "";
  for (JournalNumber first = life.first; first <= life.last_given; first += CountOf(first)) {
    uint64_t present = 0;
    for (uint64_t k = 0; k < CountOf(first); ++k) {
      const auto found = stored.find(first + k);
      if (found == stored.end()) continue;
      ++present;
      explained->insert(first + k);
      std::string text;
      if (!SameContent(found->second, Expected(first + k, first, &text))) {
        return fmt::format("reading {} is not what was given", first + k);
      }
    }
    if (IsOld(first)) continue;  // trimming may have taken any of them
    const bool acknowledged = first <= life.durable_mark;
    if (present == CountOf(first) || (present == 0 && !acknowledged)) continue;
    return fmt::format("batch {} ({}): {} of {} readings are stored", first,
                       acknowledged ? "acknowledged" : "not acknowledged", present, CountOf(first));
  }
  return "";
}

// What the roll-ups of a series must be, from its readings.
std::string VerifyRollups(StoreReader& reader, const Series& series, const std::vector<Record>& folded) {
  std::vector<Record> sorted = folded;
  std::sort(sorted.begin(), sorted.end(), [](const Record& a, const Record& b) {
    return a.time_us != b.time_us ? a.time_us < b.time_us : a.number < b.number;
  });
  const Zone zone{60, true};
  for (const RollupLevel level : {RollupLevel::kMinute, RollupLevel::kQuarter, RollupLevel::kHour, RollupLevel::kDay}) {
    BucketMaker maker(level, zone, series.field.kind == FieldKind::kCounter);
    for (const Record& record : sorted) maker.Add(record);
    // Of older times readings were trimmed, while the roll-ups stayed.
    const auto stored = reader.ReadRollups(series.id, level, kStart_us - 12 * 3600 * kUsPerSecond, INT64_MAX, SIZE_MAX);
    if (!stored) return stored.error().text;
    if (*stored != maker.buckets()) {
      return fmt::format("roll-ups {} of series {}: {} stored, {} worked out", static_cast<int>(level), series.id,
                         stored->size(), maker.buckets().size());
    }
  }
  return "";
}

std::string VerifyFile(const std::string& path, const std::string& vfs) {
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, vfs);
  if (!db) return db.error().text;
  Statement check = db->Prepare("PRAGMA integrity_check");
  if (check.Step() != SQLITE_ROW || check.Text(0) != "ok") return fmt::format("integrity: {}", check.Text(0));
  const auto beyond =
      db->Integer("SELECT count(*) FROM block WHERE last_number > (SELECT value FROM meta WHERE name = 'folded_to')");
  const auto frames =
      db->Integer("SELECT (SELECT coalesce(sum(frames), 0) FROM frame_class) - (SELECT count(*) FROM frame)");
  for (const auto* count : {&beyond, &frames}) {
    if (!*count) return count->error().text;
    if (**count != 0) return "the tables do not agree";
  }
  return "";
}

}  // namespace

std::string Verify(const std::string& path, const std::string& vfs, const std::vector<LifeReport>& lives) {
  {
    SqliteStoreOptions options;
    options.vfs = vfs;
    auto store = SqliteStore::Open(path, options);
    if (!store) return store.error().text;
    const auto state = (*store)->Restore();
    if (!state) return state.error().text;
    auto reader = (*store)->OpenReader();
    if (!reader) return reader.error().text;
    // What was there before the first life has other content.
    JournalNumber begin = state->last_number;
    LifeReport sum;
    for (const LifeReport& life : lives) {
      if (life.first != 0) begin = std::min(begin, life.first - 1);
      sum.last_given = std::max(sum.last_given, life.last_given);
      sum.position = std::max(sum.position, life.position);
      sum.position_tried = std::max(sum.position_tried, life.position_tried);
      sum.durable_mark = std::max(sum.durable_mark, life.durable_mark);
      sum.durable_frame = std::max(sum.durable_frame, life.durable_frame);
    }
    const auto all = (*reader)->ReadJournal(begin, SIZE_MAX >> 1);
    if (!all) return all.error().text;
    std::map<JournalNumber, Record> stored;
    for (const Record& record : all->records) {
      if (!stored.emplace(record.number, record).second) return fmt::format("number {} twice", record.number);
      if (record.series == 0 || record.series > state->series.size()) return "a reading without its series";
    }
    const auto folded_to =
        SqliteDb::Open(path, SQLITE_OPEN_READWRITE, vfs)->Integer("SELECT value FROM meta WHERE name = 'folded_to'");
    std::map<SeriesId, std::vector<Record>> folded;
    const auto everything = (*reader)->ReadJournal(0, SIZE_MAX >> 1);
    for (const Record& record : everything->records) {
      const bool young = record.time_us >= kStart_us - 12 * 3600 * kUsPerSecond;
      if (young && static_cast<int64_t>(record.number) <= *folded_to) folded[record.series].push_back(record);
    }
    for (const Series& series : state->series) {
      if (std::string error = VerifyRollups(**reader, series, folded[series.id]); !error.empty()) return error;
    }
    std::set<JournalNumber> explained;
    for (const LifeReport& life : lives) {
      if (std::string error = VerifyLife(stored, life, &explained); !error.empty()) return error;
    }
    if (explained.size() != stored.size()) return "readings that nobody gave";
    if (state->reserved_numbers_end <= sum.last_given) return "numbers would be given out again";

    const JournalNumber position = state->positions.empty() ? 0 : state->positions[0].second;
    if (position < sum.position) return fmt::format("position {} fell back to {}", sum.position, position);
    if (position > sum.position_tried) return fmt::format("position {} was never set", position);
    if (position > sum.durable_mark) return fmt::format("position {} is beyond what is stored", position);
    if (sum.durable_frame != 0) {
      const auto frame = (*reader)->ReadFrames("", false, sum.durable_frame + 1, 1);
      if (!frame || frame->empty() || frame->at(0).id != sum.durable_frame) return "an acknowledged frame is missing";
      if (frame->at(0).bytes != std::vector<uint8_t>(kFrameBytes, 0xA5)) return "a frame's bytes changed";
    }
  }
  return VerifyFile(path, vfs);
}

}  // namespace vesta::hub
