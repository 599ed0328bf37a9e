#include "hub/store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "hub/store/record_row.h"
#include "hub/store/sqlite_reader.h"
#include "hub/store/sqlite_restore.h"
#include "hub/store/sqlite_schema.h"
#include "hub/store/sqlite_ward.h"

namespace vesta::hub {
namespace {

// Readings written by one run of a statement: the fixed cost of a run is as much as that of a few rows.
constexpr size_t kRowsPerInsert = 8;

std::string InsertReadingsSql(size_t rows) {
  std::string sql = fmt::format("INSERT INTO reading ({}) VALUES ", kRecordColumnNames);
  for (size_t i = 0; i < rows; ++i) sql += i == 0 ? "(?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?)";
  return sql;
}

// Two programs that write would hand out the same numbers. A file of its own, since closing any handle of the store
// file would free SQLite's locks on it. The kernel frees the lock when the program ends, however it ends.
tl::expected<int, StoreError> Lock(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    const int error = errno;
    const StoreErrorKind kind = error == EROFS || error == EACCES    ? StoreErrorKind::kReadOnly
                                : error == ENOSPC || error == EDQUOT ? StoreErrorKind::kDiskFull
                                                                     : StoreErrorKind::kIo;
    return tl::unexpected(StoreError{kind, fmt::format("{}: {}: is the folder there, and may this user write to it?",
                                                       lock_path, std::strerror(error))});
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return tl::unexpected(
        StoreError{StoreErrorKind::kBusy, fmt::format("{}: another hub uses this store: stop it first", path)});
  }
  return fd;
}

}  // namespace

tl::expected<std::unique_ptr<SqliteStore>, StoreError> SqliteStore::Open(const std::string& path,
                                                                         SqliteStoreOptions options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  if (store->options_.vfs.empty()) {
    const auto lock = Lock(path);
    if (!lock) return tl::unexpected(lock.error());
    store->lock_fd_ = *lock;
  }
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, store->options_.vfs);
  if (!db) return tl::unexpected(db.error());
  store->db_ = std::move(*db);
  if (auto done = PrepareWriter(store->db_, store->options_.fsync); !done) return tl::unexpected(done.error());
  if (auto done = MakeWardTables(store->db_); !done) return tl::unexpected(done.error());
  // Instead of SQLite's own checkpoints, whose errors nobody would hear of.
  sqlite3_wal_hook(
      store->db_.get(),
      [](void* context, sqlite3*, const char*, int pages) {
        static_cast<SqliteStore*>(context)->log_pages_ = pages;
        return SQLITE_OK;
      },
      store.get());
  store->checkpoint_at_ = kCheckpointPages;
  if (auto done = store->PrepareStatements(); !done) return tl::unexpected(done.error());
  if (auto done = store->LoadWorking(); !done) return tl::unexpected(done.error());
  store->Measure();
  return store;
}

SqliteStore::~SqliteStore() {
  sql_ = {};
  db_ = {};
  if (lock_fd_ >= 0) close(lock_fd_);
}

tl::expected<void, StoreError> SqliteStore::PrepareStatements() {
  const std::string reading = InsertReadingsSql(1);
  const std::string readings = InsertReadingsSql(kRowsPerInsert);
  const std::pair<Statement*, const char*> statements[] = {
      {&sql_.begin, "BEGIN IMMEDIATE"},
      {&sql_.commit, "COMMIT"},
      {&sql_.rollback, "ROLLBACK"},
      {&sql_.page_count, "PRAGMA page_count"},
      {&sql_.reading, reading.c_str()},
      {&sql_.readings, readings.c_str()},
      {&sql_.device,
       "INSERT INTO device VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET key = excluded.key,"
       " protocol = excluded.protocol, source = excluded.source, identity = excluded.identity,"
       " identity_on_wire = excluded.identity_on_wire, kind = excluded.kind, manufacturer = excluded.manufacturer,"
       " model = excluded.model, serial = excluded.serial, firmware = excluded.firmware, parent = excluded.parent,"
       " name = excluded.name, place = excluded.place"},
      {&sql_.series,
       "INSERT INTO series VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET device = excluded.device,"
       " field = excluded.field, quantity = excluded.quantity, unit = excluded.unit, decimals = excluded.decimals,"
       " kind = excluded.kind, slow = excluded.slow, diagnostic = excluded.diagnostic"},
      {&sql_.clear_states, "DELETE FROM series_state WHERE series = ?"},
      {&sql_.state, "INSERT OR REPLACE INTO series_state VALUES (?,?,?)"},
      {&sql_.position, "INSERT OR REPLACE INTO output_position VALUES (?,?)"},
      {&sql_.meta, "UPDATE meta SET value = ? WHERE name = ?"},
      {&sql_.add_class,
       "INSERT INTO frame_class (source, verdict, reason, sender, frames, bytes) VALUES (?,?,?,?,0,0)"},
      {&sql_.update_class, "UPDATE frame_class SET frames = ?, bytes = ? WHERE id = ?"},
      {&sql_.drop_class, "DELETE FROM frame_class WHERE id = ?"},
      {&sql_.move_frame, "UPDATE frame SET class = ? WHERE id = ?"},
      {&sql_.find_frame, "SELECT class, length(bytes), sender FROM frame WHERE id = ?"},
      {&sql_.frame, "INSERT INTO frame (id, class, received_us, bytes, sender, clock) VALUES (?,?,?,?,?,?)"},
      {&sql_.frame_reading,
       "INSERT INTO frame_reading SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM frame WHERE id = ?1)"},
      {&sql_.oldest_frame, "SELECT id, length(bytes) FROM frame WHERE class = ? ORDER BY id LIMIT 1"},
      {&sql_.delete_frame, "DELETE FROM frame WHERE id = ?"},
      {&sql_.delete_frame_reading, "DELETE FROM frame_reading WHERE frame = ?"},
      {&sql_.fold_end,
       "SELECT max(number), count(*) FROM (SELECT number FROM reading WHERE number > ? ORDER BY number LIMIT ?)"},
      // A text stands in `reading` only: nobody compares texts.
      {&sql_.fold,
       "INSERT INTO timeline SELECT series, time_us, number, marks, exponent,"
       " CASE marks & 7 WHEN 3 THEN NULL ELSE value END"
       " FROM reading WHERE number > ? AND number <= ? ORDER BY series, time_us, number"},
      {&sql_.next_series, "SELECT series FROM timeline WHERE series > ? ORDER BY series LIMIT 1"},
      {&sql_.old_in_series,
       "SELECT time_us, number FROM timeline WHERE series = ? AND time_us < ? AND number <= ?"
       " ORDER BY time_us, number LIMIT ?"},
      {&sql_.first_in_series, "SELECT min(time_us) FROM timeline WHERE series = ?"},
      {&sql_.oldest_in_tail, "SELECT min(time_us) FROM reading WHERE number > ?"},
      {&sql_.delete_from_timeline, "DELETE FROM timeline WHERE series = ? AND time_us = ? AND number = ?"},
      {&sql_.old_in_tail, "SELECT number FROM reading WHERE number > ? AND time_us < ? AND number <= ? LIMIT ?"},
      {&sql_.delete_reading, "DELETE FROM reading WHERE number = ?"},
  };
  for (const auto& [statement, sql] : statements) {
    *statement = db_.Prepare(sql);
    if (!statement->valid()) return tl::unexpected(db_.Error("preparing statements"));
  }
  return {};
}

tl::expected<void, StoreError> SqliteStore::LoadWorking() {
  const auto timeline_end = db_.Integer("SELECT value FROM meta WHERE name = 'timeline_end'");
  const auto last = db_.Integer("SELECT max(number) FROM reading");
  const auto tail =
      db_.Integer("SELECT count(*) FROM reading WHERE number > (SELECT value FROM meta WHERE name = 'timeline_end')");
  for (const auto* value : {&timeline_end, &last, &tail}) {
    if (!*value) return tl::unexpected(value->error());
  }
  working_.timeline_end = static_cast<JournalNumber>(*timeline_end);
  working_.last_number = static_cast<JournalNumber>(*last);
  working_.tail_records = static_cast<uint64_t>(*tail);

  Statement rows = db_.Prepare("SELECT id, source, verdict, reason, frames, bytes, sender FROM frame_class");
  if (!rows.valid()) return tl::unexpected(db_.Error("reading the archive"));
  int code = rows.Step();
  for (; code == SQLITE_ROW; code = rows.Step()) {
    ArchiveClass& one = working_.classes[{std::string(rows.Text(1)), static_cast<FrameVerdict>(rows.Integer(2)),
                                          std::string(rows.Text(3)), static_cast<uint64_t>(rows.Integer(6))}];
    one.id = rows.Integer(0);
    one.frames = static_cast<uint64_t>(rows.Integer(4));
    one.bytes = static_cast<uint64_t>(rows.Integer(5));
    working_.archive_cost += one.cost();
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the archive"));
  return {};
}

tl::expected<RestoredState, StoreError> SqliteStore::Restore() { return RestoreState(db_); }

tl::expected<std::unique_ptr<StoreReader>, StoreError> SqliteStore::OpenReader() {
  auto reader = SqliteReader::Open(db_.path(), options_.vfs);
  if (!reader) return tl::unexpected(reader.error());
  return std::unique_ptr<StoreReader>(std::move(*reader));
}

tl::expected<void, StoreError> SqliteStore::Commit(const CommitUnit& unit) {
  JournalNumber last = working_.last_number;
  for (const RecordBatch& batch : unit.batches) {
    for (const Record& record : batch.records) {
      if (record.number <= last) {
        return tl::unexpected(StoreError{StoreErrorKind::kOther, fmt::format("{}: the journal gave number {} after {}",
                                                                             db_.path(), record.number, last)});
      }
      last = record.number;
    }
  }
  if (sql_.begin.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("starting a commit"));
  Working before = working_;
  working_.last_number = last;
  int code = WriteUnit(unit);
  if (code == SQLITE_DONE) code = sql_.commit.Run();
  if (code != SQLITE_DONE) {
    working_ = std::move(before);
    return tl::unexpected(RollBack("committing readings"));
  }
  Checkpoint();
  Measure();
  return {};
}

int SqliteStore::WriteUnit(const CommitUnit& unit) {
  int code = WriteDevices(unit.devices);
  if (code == SQLITE_DONE) code = WriteSeries(unit.series);
  if (code == SQLITE_DONE) code = WriteFrames(unit.frames);
  for (const RecordBatch& batch : unit.batches) {
    if (code == SQLITE_DONE) code = WriteReadings(batch);
    if (code == SQLITE_DONE) code = WriteFrameLinks(batch);
  }
  if (code == SQLITE_DONE) code = WriteMarks(unit.marks);
  if (code == SQLITE_DONE) code = Evict();
  for (const auto& [output, number] : unit.positions) {
    if (code != SQLITE_DONE) break;
    sql_.position.BindText(1, output);
    sql_.position.BindInteger(2, static_cast<int64_t>(number));
    code = sql_.position.Run();
  }
  if (code == SQLITE_DONE) code = WriteWard(db_, unit);
  if (code == SQLITE_DONE && unit.reserved_numbers_end != 0) {
    code = WriteMeta("reserved_numbers_end", static_cast<int64_t>(unit.reserved_numbers_end));
  }
  if (code == SQLITE_DONE && unit.reserved_frames_end != 0) {
    code = WriteMeta("reserved_frames_end", static_cast<int64_t>(unit.reserved_frames_end));
  }
  while (code == SQLITE_DONE && working_.tail_records >= kTailRecords) code = Fold();
  return code;
}

int SqliteStore::WriteMeta(std::string_view name, int64_t value) {
  sql_.meta.BindInteger(1, value);
  sql_.meta.BindText(2, name);
  return sql_.meta.Run();
}

int SqliteStore::WriteReadings(const RecordBatch& batch) {
  const std::vector<Record>& records = batch.records;
  working_.tail_records += records.size();
  size_t i = 0;
  for (; i + kRowsPerInsert <= records.size(); i += kRowsPerInsert) {
    for (size_t row = 0; row < kRowsPerInsert; ++row) {
      BindRecord(sql_.readings, 1 + static_cast<int>(row) * kRecordColumns, records[i + row]);
    }
    if (const int code = sql_.readings.Run(); code != SQLITE_DONE) return code;
  }
  for (; i < records.size(); ++i) {
    BindRecord(sql_.reading, 1, records[i]);
    if (const int code = sql_.reading.Run(); code != SQLITE_DONE) return code;
  }
  return SQLITE_DONE;
}

// Moves the oldest of the tail to where they are found by series and time: in order, so that each page of that table is
// touched once.
int SqliteStore::Fold() {
  sql_.fold_end.BindInteger(1, static_cast<int64_t>(working_.timeline_end));
  sql_.fold_end.BindInteger(2, static_cast<int64_t>(kTailRecords));
  if (const int code = sql_.fold_end.Step(); code != SQLITE_ROW) {
    sql_.fold_end.Reset();
    return code;
  }
  const int64_t end = sql_.fold_end.Integer(0);
  const auto count = static_cast<uint64_t>(sql_.fold_end.Integer(1));
  sql_.fold_end.Reset();
  sql_.fold.BindInteger(1, static_cast<int64_t>(working_.timeline_end));
  sql_.fold.BindInteger(2, end);
  if (const int code = sql_.fold.Run(); code != SQLITE_DONE) return code;
  working_.timeline_end = static_cast<JournalNumber>(end);
  working_.tail_records -= count;
  return WriteMeta("timeline_end", end);
}

StoreError SqliteStore::RollBack(std::string_view doing) {
  StoreError error = db_.Error(doing);
  // Some errors have rolled back already.
  if (sqlite3_get_autocommit(db_.get()) == 0) sql_.rollback.Run();
  return error;
}

void SqliteStore::Checkpoint() {
  if (log_pages_ < kCheckpointPages) checkpoint_at_ = kCheckpointPages;  // the log started anew
  if (log_pages_ < checkpoint_at_) return;
  int pages = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  // With a reader in the way the log grows on; trying again with every commit would only cost fsyncs.
  checkpoint_at_ = log_pages_ + kCheckpointPages;
  if (code != SQLITE_OK && code != checkpoint_code_) {
    // The commit itself is durable: the log keeps it, and the next attempt copies it.
    spdlog::warn("{}", db_.Error("copying the write-ahead log into the file").text);
  }
  checkpoint_code_ = code;
}

void SqliteStore::Measure() {
  if (sql_.page_count.Step() == SQLITE_ROW) {
    constexpr uint64_t kPageBytes = 4096;
    size_bytes_.store(
        (static_cast<uint64_t>(sql_.page_count.Integer(0)) + static_cast<uint64_t>(log_pages_)) * kPageBytes,
        std::memory_order_relaxed);
  }
  sql_.page_count.Reset();
}

tl::expected<uint64_t, StoreError> SqliteStore::TrimStep(UtcUs before_us, JournalNumber up_to, size_t max_rows) {
  struct Old {
    int64_t series;  // 0: in the tail
    int64_t time_us;
    int64_t number;
  };
  std::vector<Old> old;
  // Looked for without a transaction: when nothing is old, nothing is written.
  int64_t series = 0;
  int code = SQLITE_DONE;
  while (old.size() < max_rows) {
    sql_.next_series.BindInteger(1, series);
    code = sql_.next_series.Step();
    if (code == SQLITE_ROW) series = sql_.next_series.Integer(0);
    sql_.next_series.Reset();
    if (code != SQLITE_ROW) break;
    sql_.old_in_series.BindInteger(1, series);
    sql_.old_in_series.BindInteger(2, before_us);
    sql_.old_in_series.BindInteger(3, static_cast<int64_t>(up_to));
    sql_.old_in_series.BindInteger(4, static_cast<int64_t>(max_rows - old.size()));
    while ((code = sql_.old_in_series.Step()) == SQLITE_ROW) {
      old.push_back({series, sql_.old_in_series.Integer(0), sql_.old_in_series.Integer(1)});
    }
    sql_.old_in_series.Reset();
    if (code != SQLITE_DONE) break;
  }
  if (code == SQLITE_DONE && old.size() < max_rows) {
    sql_.old_in_tail.BindInteger(1, static_cast<int64_t>(working_.timeline_end));
    sql_.old_in_tail.BindInteger(2, before_us);
    sql_.old_in_tail.BindInteger(3, static_cast<int64_t>(up_to));
    sql_.old_in_tail.BindInteger(4, static_cast<int64_t>(max_rows - old.size()));
    while ((code = sql_.old_in_tail.Step()) == SQLITE_ROW) old.push_back({0, 0, sql_.old_in_tail.Integer(0)});
    sql_.old_in_tail.Reset();
  }
  if (code != SQLITE_DONE) return tl::unexpected(db_.Error("looking for old readings"));
  if (old.empty()) return 0;

  if (sql_.begin.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("starting to trim"));
  const uint64_t tail_before = working_.tail_records;
  for (const Old& one : old) {
    if (one.series == 0) {
      --working_.tail_records;
    } else {
      sql_.delete_from_timeline.BindInteger(1, one.series);
      sql_.delete_from_timeline.BindInteger(2, one.time_us);
      sql_.delete_from_timeline.BindInteger(3, one.number);
      if ((code = sql_.delete_from_timeline.Run()) != SQLITE_DONE) break;
    }
    sql_.delete_reading.BindInteger(1, one.number);
    if ((code = sql_.delete_reading.Run()) != SQLITE_DONE) break;
  }
  if (code == SQLITE_DONE) code = sql_.commit.Run();
  if (code != SQLITE_DONE) {
    working_.tail_records = tail_before;
    return tl::unexpected(RollBack("trimming old readings"));
  }
  Checkpoint();
  Measure();
  return old.size();
}

tl::expected<UtcUs, StoreError> SqliteStore::OldestTime() {
  UtcUs oldest_us = kNoTime;
  const auto take = [&](Statement& statement) {
    const int code = statement.Step();
    if (code == SQLITE_ROW && !statement.IsNull(0)) {
      const UtcUs time_us = statement.Integer(0);
      if (oldest_us == kNoTime || time_us < oldest_us) oldest_us = time_us;
    }
    statement.Reset();
    return code == SQLITE_ROW;
  };
  int64_t series = 0;
  int code = SQLITE_ROW;
  while (true) {
    sql_.next_series.BindInteger(1, series);
    code = sql_.next_series.Step();
    if (code == SQLITE_ROW) series = sql_.next_series.Integer(0);
    sql_.next_series.Reset();
    if (code != SQLITE_ROW) break;
    sql_.first_in_series.BindInteger(1, series);
    if (!take(sql_.first_in_series)) return tl::unexpected(db_.Error("looking for the oldest reading"));
  }
  sql_.oldest_in_tail.BindInteger(1, static_cast<int64_t>(working_.timeline_end));
  if (code != SQLITE_DONE || !take(sql_.oldest_in_tail)) {
    return tl::unexpected(db_.Error("looking for the oldest reading"));
  }
  return oldest_us;
}

}  // namespace vesta::hub
