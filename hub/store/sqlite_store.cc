#include "hub/store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "hub/store/sqlite_reader.h"
#include "hub/store/sqlite_restore.h"
#include "hub/store/sqlite_schema.h"
#include "hub/store/sqlite_ward.h"

namespace vesta::hub {
// Two programs that write would hand out the same numbers. A file of its own, since closing any handle of the store
// file would free SQLite's locks on it. The kernel frees the lock when the program ends, however it ends.
tl::expected<int, StoreError> LockStore(const std::string& path) {
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

tl::expected<std::unique_ptr<SqliteStore>, StoreError> SqliteStore::Open(const std::string& path,
                                                                         SqliteStoreOptions options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  if (store->options_.vfs.empty()) {
    const auto lock = LockStore(path);
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
  if (auto done = store->history_.Prepare(&store->db_); !done) return tl::unexpected(done.error());
  if (auto done = store->LoadWorking(); !done) return tl::unexpected(done.error());
  if (auto done = store->LoadDictionaries(); !done) return tl::unexpected(done.error());
  if (auto done = store->LoadMeta(); !done) return tl::unexpected(done.error());
  if (auto done = store->FoldOldRows(); !done) return tl::unexpected(done.error());
  store->SyncCommits(false);
  if (auto done = store->OpenJournal(); !done) return tl::unexpected(done.error());
  store->Measure();
  return store;
}

SqliteStore::~SqliteStore() {
  job_.reset();
  history_ = {};
  sql_ = {};
  db_ = {};
  if (lock_fd_ >= 0) close(lock_fd_);
}

tl::expected<void, StoreError> SqliteStore::PrepareStatements() {
  const std::pair<Statement*, const char*> statements[] = {
      {&sql_.begin, "BEGIN IMMEDIATE"},
      {&sql_.commit, "COMMIT"},
      {&sql_.rollback, "ROLLBACK"},
      {&sql_.page_count, "PRAGMA page_count"},
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
      {&sql_.frame, "INSERT INTO frame (id, class, received_us, bytes, sender, clock, dictionary) VALUES (?,?,?,?,?,?,?)"},
      {&sql_.frame_reading,
       "INSERT INTO frame_reading SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM frame WHERE id = ?1)"},
      {&sql_.oldest_frame, "SELECT id, length(bytes) FROM frame WHERE class = ? ORDER BY id LIMIT 1"},
      {&sql_.delete_frame, "DELETE FROM frame WHERE id = ?"},
      {&sql_.delete_frame_reading, "DELETE FROM frame_reading WHERE frame = ?"},
      {&sql_.dictionary, "INSERT INTO frame_dictionary (id, source, bytes) VALUES (?,?,?)"},
  };
  for (const auto& [statement, sql] : statements) {
    *statement = db_.Prepare(sql);
    if (!statement->valid()) return tl::unexpected(db_.Error("preparing statements"));
  }
  return {};
}

tl::expected<void, StoreError> SqliteStore::LoadWorking() {
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

tl::expected<RestoredState, StoreError> SqliteStore::Restore() {
  RestoredState state;
  if (auto done = RestoreTables(db_, &state); !done) return tl::unexpected(done.error());
  if (auto done = ReadLatest(&state); !done) return tl::unexpected(done.error());
  state.positions.assign(journaled_.positions.begin(), journaled_.positions.end());
  state.last_number = journaled_.last_number;
  // When the newest readings were trimmed, a position still knows how far the journal had come.
  for (const auto& [output, number] : state.positions) state.last_number = std::max(state.last_number, number);
  state.reserved_numbers_end = journaled_.reserved_numbers_end;
  state.reserved_frames_end = journaled_.reserved_frames_end;
  return state;
}

tl::expected<std::unique_ptr<StoreReader>, StoreError> SqliteStore::OpenReader() {
  auto reader = SqliteReader::Open(db_.path(), options_.vfs, durable_);
  if (!reader) return tl::unexpected(reader.error());
  return std::unique_ptr<StoreReader>(std::move(*reader));
}

namespace {

// All but the values of the readings.
CommitUnit CopyRows(const CommitUnit& unit) {
  CommitUnit copy;
  copy.devices = unit.devices;
  copy.series = unit.series;
  copy.frames = unit.frames;
  copy.marks = unit.marks;
  copy.positions = unit.positions;
  copy.beds = unit.beds;
  copy.decoders = unit.decoders;
  copy.redecodes = unit.redecodes;
  copy.reserved_numbers_end = unit.reserved_numbers_end;
  copy.reserved_frames_end = unit.reserved_frames_end;
  for (const RecordBatch& batch : unit.batches) {
    std::vector<Record>& records = copy.batches.emplace_back().records;
    records = batch.records;
    for (Record& record : records) record.value = Value::None();
  }
  return copy;
}

EntryHead HeadOf(const CommitUnit& unit) {
  EntryHead head;
  head.first_us = INT64_MAX;
  head.last_us = INT64_MIN;
  for (const RecordBatch& batch : unit.batches) {
    for (const Record& record : batch.records) {
      if (head.records++ == 0) head.first_number = record.number;
      head.last_number = record.number;
      head.first_us = std::min(head.first_us, record.time_us);
      head.last_us = std::max(head.last_us, record.time_us);
    }
  }
  return head;
}

}  // namespace

tl::expected<void, StoreError> SqliteStore::Commit(const CommitUnit& unit) {
  JournalNumber last = journaled_.last_number;
  for (const RecordBatch& batch : unit.batches) {
    for (const Record& record : batch.records) {
      if (record.number <= last) {
        return tl::unexpected(StoreError{StoreErrorKind::kOther, fmt::format("{}: the journal gave number {} after {}",
                                                                             db_.path(), record.number, last)});
      }
      last = record.number;
    }
  }
  if (auto done = ReplayPending(); !done) return done;
  const uint64_t unit_number = log_->end().unit;
  const bool has_rows = HasRows(unit);
  Working before;
  if (has_rows) {
    before = working_;
    int code = sql_.begin.Run();
    if (code != SQLITE_DONE) return tl::unexpected(db_.Error("starting a commit"));
    code = WriteUnit(unit, unit_number);
    if (code != SQLITE_DONE) {
      working_ = std::move(before);
      return tl::unexpected(RollBack("committing readings"));
    }
  }
  JournalPlace place;
  const int code = log_->Append(HeadOf(unit), readings_.Write(unit.batches), WriteRest(unit), &packer_, &place);
  if (code != SQLITE_OK) {
    if (has_rows) {
      working_ = std::move(before);
      RollBack("committing readings");
    }
    return tl::unexpected(JournalError("committing readings", code));
  }
  // From here on the commit is durable, whatever becomes of the tables.
  LearnSeries(unit.series);
  Took(unit);
  if (has_rows) {
    if (sql_.commit.Run() == SQLITE_DONE) {
      journaled_.applied_unit = unit_number;
    } else {
      spdlog::warn("{}; what was committed is safe in the journal", RollBack("writing what came with readings").text);
      working_ = std::move(before);
      pending_ = std::make_unique<CommitUnit>(CopyRows(unit));
      pending_unit_ = unit_number;
    }
    Checkpoint();
  }
  Measure();
  return {};
}

// What is known without the tables.
void SqliteStore::Took(const CommitUnit& unit) {
  for (const RecordBatch& batch : unit.batches) {
    for (const Record& record : batch.records) {
      journaled_.last_number = record.number;
      cutter_.Take(record);
    }
  }
  for (const auto& [output, number] : unit.positions) journaled_.positions[output] = number;
  if (unit.reserved_numbers_end != 0) journaled_.reserved_numbers_end = unit.reserved_numbers_end;
  if (unit.reserved_frames_end != 0) journaled_.reserved_frames_end = unit.reserved_frames_end;
  durable_->store(journaled_.last_number, std::memory_order_release);
}

tl::expected<void, StoreError> SqliteStore::ReplayPending() {
  if (pending_ == nullptr) return {};
  Working before = working_;
  if (sql_.begin.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("starting a commit"));
  int code = WriteUnit(*pending_, pending_unit_);
  if (code == SQLITE_DONE) code = sql_.commit.Run();
  if (code != SQLITE_DONE) {
    working_ = std::move(before);
    return tl::unexpected(RollBack("writing what came with readings"));
  }
  journaled_.applied_unit = pending_unit_;
  pending_.reset();
  return {};
}

int SqliteStore::WriteUnit(const CommitUnit& unit, uint64_t unit_number) {
  int code = WriteDevices(unit.devices);
  if (code == SQLITE_DONE) code = WriteSeries(unit.series);
  if (code == SQLITE_DONE) code = WriteFrames(unit.frames);
  for (const RecordBatch& batch : unit.batches) {
    if (code == SQLITE_DONE) code = WriteFrameLinks(batch);
  }
  if (code == SQLITE_DONE) code = WriteMarks(unit.marks);
  if (code == SQLITE_DONE) code = Evict();
  if (code == SQLITE_DONE) code = WriteWard(db_, unit);
  if (code == SQLITE_DONE) code = WritePositions();
  for (const auto& [output, number] : unit.positions) {
    if (code != SQLITE_DONE) break;
    sql_.position.BindText(1, output);
    sql_.position.BindInteger(2, static_cast<int64_t>(number));
    code = sql_.position.Run();
  }
  if (code == SQLITE_DONE && unit.reserved_numbers_end != 0) {
    code = WriteMeta("reserved_numbers_end", static_cast<int64_t>(unit.reserved_numbers_end));
  }
  if (code == SQLITE_DONE && unit.reserved_frames_end != 0) {
    code = WriteMeta("reserved_frames_end", static_cast<int64_t>(unit.reserved_frames_end));
  }
  if (code == SQLITE_DONE) code = WriteMeta("applied_unit", static_cast<int64_t>(unit_number));
  return code;
}

// What the commits before this one brought and only the journal has so far.
int SqliteStore::WritePositions() {
  int code = SQLITE_DONE;
  for (const auto& [output, number] : journaled_.positions) {
    sql_.position.BindText(1, output);
    sql_.position.BindInteger(2, static_cast<int64_t>(number));
    if (code = sql_.position.Run(); code != SQLITE_DONE) return code;
  }
  code = WriteMeta("reserved_numbers_end", static_cast<int64_t>(journaled_.reserved_numbers_end));
  if (code != SQLITE_DONE) return code;
  return WriteMeta("reserved_frames_end", static_cast<int64_t>(journaled_.reserved_frames_end));
}

int SqliteStore::WriteMeta(std::string_view name, int64_t value) {
  sql_.meta.BindInteger(1, value);
  sql_.meta.BindText(2, name);
  return sql_.meta.Run();
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
        (static_cast<uint64_t>(sql_.page_count.Integer(0)) + static_cast<uint64_t>(log_pages_)) * kPageBytes +
            (log_ == nullptr ? 0 : log_->size_bytes()),
        std::memory_order_relaxed);
  }
  sql_.page_count.Reset();
}

}  // namespace vesta::hub
