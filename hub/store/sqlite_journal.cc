// The part of the store that takes the journal up at the start and folds it into blocks and roll-ups.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "hub/store/record_row.h"
#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

bool MayBeLatest(const Record& record) {
  return record.quality != ValueQuality::kSuspect && (record.flags & kReadingLate) == 0;
}

SeriesFacts FactsOfSeries(DeviceId device, std::string_view kind, bool diagnostic) {
  SeriesFacts facts;
  facts.device = device;
  facts.counter = kind == FieldKindName(FieldKind::kCounter);
  facts.series_class = diagnostic                                 ? SeriesClass::kDiagnostic
                       : facts.counter                            ? SeriesClass::kCounter
                       : kind == FieldKindName(FieldKind::kGauge) ? SeriesClass::kMeasurement
                                                                  : SeriesClass::kState;
  return facts;
}

}  // namespace

void SqliteStore::SyncCommits(bool full) {
  if (!options_.fsync) return;
  db_.Execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

StoreError SqliteStore::JournalError(std::string_view doing, int code) const {
  return FileError(db_.path() + "-j", doing, code, log_->system_errno());
}

void SqliteStore::LearnSeries(const std::vector<Series>& series) {
  for (const Series& one : series) {
    if (one.id >= facts_.size()) facts_.resize(one.id + 1);
    facts_[one.id] = FactsOfSeries(one.device, FieldKindName(one.field.kind), one.field.diagnostic);
  }
}

tl::expected<void, StoreError> SqliteStore::LoadMeta() {
  cutter_ = ChunkCutter(options_.fold);
  Statement meta = db_.Prepare("SELECT name, value FROM meta");
  Statement positions = db_.Prepare("SELECT output, number FROM output_position");
  Statement series = db_.Prepare("SELECT id, device, kind, diagnostic FROM series");
  if (!meta.valid() || !positions.valid() || !series.valid()) return tl::unexpected(db_.Error("reading the store"));
  int code = SQLITE_ROW;
  while ((code = meta.Step()) == SQLITE_ROW) {
    const std::string_view name = meta.Text(0);
    const auto value = static_cast<uint64_t>(meta.Integer(1));
    if (name == "folded_to") journaled_.folded_to = value;
    if (name == "fold_segment") journaled_.fold_place.segment = value;
    if (name == "fold_offset") journaled_.fold_place.offset = value;
    if (name == "fold_unit") journaled_.fold_place.unit = value;
    if (name == "applied_unit") journaled_.applied_unit = value;
    if (name == "reserved_numbers_end") journaled_.reserved_numbers_end = value;
    if (name == "reserved_frames_end") journaled_.reserved_frames_end = value;
  }
  if (code == SQLITE_DONE) {
    while ((code = positions.Step()) == SQLITE_ROW) {
      journaled_.positions[std::string(positions.Text(0))] = static_cast<JournalNumber>(positions.Integer(1));
    }
  }
  if (code == SQLITE_DONE) {
    while ((code = series.Step()) == SQLITE_ROW) {
      const auto id = static_cast<size_t>(series.Integer(0));
      if (id > kMaxSeries) continue;
      if (id >= facts_.size()) facts_.resize(id + 1);
      facts_[id] = FactsOfSeries(static_cast<DeviceId>(series.Integer(1)), series.Text(2), series.Integer(3) != 0);
    }
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the store"));
  journaled_.last_number = journaled_.folded_to;
  return {};
}

tl::expected<void, StoreError> SqliteStore::FoldOldRows() {
  const auto there = db_.Integer("SELECT count(*) FROM sqlite_master WHERE name = 'reading'");
  if (!there) return tl::unexpected(there.error());
  if (*there == 0) return {};
  spdlog::info("{}: bringing the readings of an older program into the new format; this is done once", db_.path());
  Statement rows =
      db_.Prepare(fmt::format("SELECT {} FROM reading WHERE number > ? ORDER BY number", kRecordColumnNames).c_str());
  Statement drop = db_.Prepare("DELETE FROM reading WHERE number <= ?");
  if (!rows.valid() || !drop.valid()) return tl::unexpected(db_.Error("reading the store"));
  uint64_t folded = 0;
  while (true) {
    FoldJob job(db_, history_, facts_, options_.zone);
    ChunkCutter cutter(options_.fold);
    rows.BindInteger(1, static_cast<int64_t>(journaled_.folded_to));
    int code = rows.Step();
    for (; code == SQLITE_ROW; code = rows.Step()) {
      const Record record = RecordOfRow(rows);
      if (!cutter.Take(record)) break;
      job.chunk().Add(record);
    }
    rows.Reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(db_.Error("reading old readings"));
    if (job.chunk().records.empty()) break;
    while ((code = job.Step()) == SQLITE_OK) continue;
    if (code != SQLITE_DONE) return tl::unexpected(db_.Error("folding old readings", code));
    if (sql_.begin.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("folding old readings"));
    code = job.Write();
    drop.BindInteger(1, static_cast<int64_t>(job.last_number()));
    if (code == SQLITE_DONE) code = drop.Run();
    if (code == SQLITE_DONE) code = WriteMeta("folded_to", static_cast<int64_t>(job.last_number()));
    if (code == SQLITE_DONE) code = sql_.commit.Run();
    if (code != SQLITE_DONE) return tl::unexpected(RollBack("folding old readings"));
    journaled_.folded_to = journaled_.last_number = job.last_number();
    folded += cutter.records();
    Checkpoint();
  }
  rows = {};
  drop = {};
  if (db_.Execute("DROP TABLE reading") != SQLITE_OK) return tl::unexpected(db_.Error("folding old readings"));
  spdlog::info("{}: {} readings brought over", db_.path(), folded);
  return {};
}

tl::expected<void, StoreError> SqliteStore::ForEachEntry(
    const std::function<bool(const Entry&, const JournalPlace&)>& take) {
  JournalPlace place = journaled_.fold_place;
  Entry entry;
  while (true) {
    const int code = log_->ReadEntry(&place, &entry);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_OK) return tl::unexpected(JournalError("reading the journal", code));
    if (!take(entry, place)) return {};
    place.offset += entry.head.size();
    ++place.unit;
  }
}

tl::expected<void, StoreError> SqliteStore::OpenJournal() {
  sqlite3_vfs* const vfs = options_.vfs.empty() ? nullptr : sqlite3_vfs_find(options_.vfs.c_str());
  log_ = std::make_unique<SegmentLog>(db_.path(), vfs, options_.segment_bytes, options_.fsync);
  if (const int code = log_->Refresh(); code != SQLITE_OK) {
    return tl::unexpected(JournalError("opening the journal", code));
  }
  log_->Free(journaled_.fold_place.segment);
  JournalPlace end = journaled_.fold_place;
  tl::expected<void, StoreError> replayed;
  const auto read = ForEachEntry([&](const Entry& entry, const JournalPlace& place) {
    end = {place.segment, place.offset + entry.head.size(), place.unit + 1};
    replayed = Replay(entry);
    return replayed.has_value();
  });
  if (!read) return read;
  if (!replayed) return replayed;
  JournalPlace beyond;
  const int code = log_->AnyBeyond(end, &beyond);
  if (code == SQLITE_OK) {
    return tl::unexpected(StoreError{
        StoreErrorKind::kCorrupt,
        fmt::format("{}-j: the journal is damaged: commit {} is missing, commit {} is there. Nothing was deleted. Stop "
                    "the hub, keep a copy of the folder, and run `vesta store repair`",
                    db_.path(), end.unit, beyond.unit)});
  }
  if (code != SQLITE_DONE) return tl::unexpected(JournalError("reading the journal", code));
  if (log_->Holds(end.segment + 1)) end = {end.segment + 1, kSectorBytes, end.unit};
  log_->SetEnd(end);
  durable_->store(journaled_.last_number, std::memory_order_release);
  return {};
}

tl::expected<void, StoreError> SqliteStore::Replay(const Entry& entry) {
  const auto damaged = [&] {
    return tl::unexpected(FileError(db_.path() + "-j", "reading the journal", SQLITE_CORRUPT, 0));
  };
  CommitUnit unit;
  std::string readings;
  std::string rest;
  ReadingsReader reader;
  if (!entry.Rest(&packer_, &rest) || !ReadRest(rest, &unit)) return damaged();
  unit.batches.emplace_back();
  if (!entry.Readings(&packer_, &readings) || !reader.Read(readings, 0, &unit.batches[0].records)) return damaged();
  LearnSeries(unit.series);
  if (entry.head.place.unit > journaled_.applied_unit && HasRows(unit)) {
    Working before = working_;
    if (sql_.begin.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("starting a commit"));
    int code = WriteUnit(unit, entry.head.place.unit);
    if (code == SQLITE_DONE) code = sql_.commit.Run();
    if (code != SQLITE_DONE) {
      working_ = std::move(before);
      return tl::unexpected(RollBack("taking the journal up"));
    }
    journaled_.applied_unit = entry.head.place.unit;
    Checkpoint();
  }
  std::erase_if(unit.batches[0].records,
                [this](const Record& record) { return record.number <= journaled_.folded_to; });
  Took(unit);
  return {};
}

tl::expected<void, StoreError> SqliteStore::ReadLatest(RestoredState* state) {
  std::vector<Record> latest(std::max(facts_.size(), state->series.size() + 1));
  RecordBatch texts;
  std::string bytes;
  std::vector<Record> records;
  ReadingsReader reader;
  bool good = true;
  const auto read = ForEachEntry([&](const Entry& entry, const JournalPlace&) {
    records.clear();
    good = entry.Readings(&packer_, &bytes) && reader.Read(bytes, 0, &records);
    for (const Record& record : records) {
      if (record.number <= journaled_.folded_to || record.series >= latest.size() || !MayBeLatest(record)) continue;
      Record& best = latest[record.series];
      if (best.number != 0 && record.time_us < best.time_us) continue;
      best = record;
      if (record.value.kind() != ValueKind::kText) continue;
      texts.Add(record);
      best = texts.records.back();
      texts.records.pop_back();
    }
    return good;
  });
  if (!read) return read;
  if (!good) return tl::unexpected(FileError(db_.path() + "-j", "reading the journal", SQLITE_CORRUPT, 0));
  for (const Device& device : state->devices) {
    const int code = history_.Latest(device.id, device.series, MayBeLatest, &latest, &texts);
    if (code != SQLITE_DONE) return tl::unexpected(db_.Error("restoring", code));
  }
  for (const Series& series : state->series) {
    if (latest[series.id].number != 0) state->latest.Add(latest[series.id]);
  }
  return {};
}

// How much is in the journal behind the fold place, until it is enough for a chunk.
tl::expected<void, StoreError> SqliteStore::CountTail() {
  cutter_ = ChunkCutter(options_.fold);
  std::string bytes;
  std::vector<Record> records;
  ReadingsReader reader;
  bool good = true;
  const auto read = ForEachEntry([&](const Entry& entry, const JournalPlace&) {
    records.clear();
    good = entry.Readings(&packer_, &bytes) && reader.Read(bytes, 0, &records);
    for (const Record& record : records) {
      if (record.number > journaled_.folded_to) cutter_.Take(record);
    }
    return good && !cutter_.ended();
  });
  if (!read) return read;
  if (!good) return tl::unexpected(FileError(db_.path() + "-j", "reading the journal", SQLITE_CORRUPT, 0));
  return {};
}

tl::expected<void, StoreError> SqliteStore::LoadChunk() {
  job_ = std::make_unique<FoldJob>(db_, history_, facts_, options_.zone);
  after_job_ = journaled_.fold_place;
  ChunkCutter cutter(options_.fold);
  std::string bytes;
  std::vector<Record> records;
  ReadingsReader reader;
  bool good = true;
  const auto read = ForEachEntry([&](const Entry& entry, const JournalPlace& place) {
    after_job_ = place;
    records.clear();
    good = entry.Readings(&packer_, &bytes) && reader.Read(bytes, 0, &records);
    if (!good) return false;
    for (const Record& record : records) {
      if (record.number <= journaled_.folded_to) continue;
      if (!cutter.Take(record)) return false;
      job_->chunk().Add(record);
    }
    after_job_ = {place.segment, place.offset + entry.head.size(), place.unit + 1};
    return true;
  });
  if (!read) return read;
  if (!good) return tl::unexpected(FileError(db_.path() + "-j", "reading the journal", SQLITE_CORRUPT, 0));
  return {};
}

tl::expected<bool, StoreError> SqliteStore::FoldStep() {
  if (auto done = ReplayPending(); !done) return tl::unexpected(done.error());
  if (job_ == nullptr) {
    if (!cutter_.ended()) return TrainStep();
    if (auto done = LoadChunk(); !done) {
      job_.reset();
      return tl::unexpected(done.error());
    }
    return true;
  }
  const int code = job_->Step();
  if (code == SQLITE_OK) return true;
  tl::expected<void, StoreError> written;
  if (code == SQLITE_DONE) {
    written = WriteChunk();
  } else {
    written = tl::unexpected(db_.Error("folding readings", code));
  }
  job_.reset();
  packer_.Release();
  history_.packer().Release();
  if (!written) return tl::unexpected(written.error());
  log_->Free(journaled_.fold_place.segment);
  if (auto counted = CountTail(); !counted) return tl::unexpected(counted.error());
  Checkpoint();
  Measure();
  return cutter_.ended();
}

tl::expected<void, StoreError> SqliteStore::WriteChunk() {
  const JournalNumber folded_to = std::max(job_->last_number(), journaled_.folded_to);
  const uint64_t applied = log_->end().unit - 1;
  SyncCommits(true);
  int code = sql_.begin.Run();
  if (code == SQLITE_DONE) code = job_->Write();
  if (code == SQLITE_DONE) code = WritePositions();
  const std::pair<std::string_view, uint64_t> meta[] = {{"folded_to", folded_to},
                                                        {"fold_segment", after_job_.segment},
                                                        {"fold_offset", after_job_.offset},
                                                        {"fold_unit", after_job_.unit},
                                                        {"applied_unit", applied}};
  for (const auto& [name, value] : meta) {
    if (code == SQLITE_DONE) code = WriteMeta(name, static_cast<int64_t>(value));
  }
  if (code == SQLITE_DONE) code = sql_.commit.Run();
  if (code != SQLITE_DONE) {
    StoreError error = RollBack("folding readings");
    SyncCommits(false);
    return tl::unexpected(std::move(error));
  }
  SyncCommits(false);
  journaled_.folded_to = folded_to;
  journaled_.fold_place = after_job_;
  journaled_.applied_unit = applied;
  return {};
}

}  // namespace vesta::hub
