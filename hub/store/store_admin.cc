#include "hub/store/store_admin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "hub/store/block.h"
#include "hub/store/rollup_part.h"
#include "hub/store/segments.h"
#include "hub/store/sqlite_schema.h"
#include "hub/store/sqlite_store.h"
#include "hub/store/unit_coding.h"

namespace vesta::hub {
namespace {

// Attempts to copy a journal that the hub goes on writing.
constexpr int kBackupAttempts = 5;

std::string_view Data(const Statement& row, int column) {
  const auto bytes = row.Bytes(column);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool BlockIsSound(std::string_view data, uint64_t readings, Packer* packer) {
  BoxReader box;
  std::vector<Arrival> arrivals;
  if (!box.Open(data) || !ReadArrivals(box, packer, &arrivals)) return false;
  uint64_t count = 0;
  SeriesPart part;
  for (const PartEntry& entry : box.parts()) {
    if (entry.owner == 0) continue;
    if (!part.Read(entry, arrivals, packer)) return false;
    count += entry.items;
  }
  return count == readings;
}

bool RollupIsSound(std::string_view data, Packer* packer) {
  BoxReader box;
  if (!box.Open(data)) return false;
  std::vector<RollupBucket> buckets;
  for (const PartEntry& entry : box.parts()) {
    if (!ReadBuckets(entry, packer, &buckets)) return false;
  }
  return true;
}

tl::expected<JournalPlace, StoreError> FoldPlace(SqliteDb& db, JournalNumber* folded_to) {
  JournalPlace place;
  const std::pair<const char*, uint64_t*> values[] = {
      {"SELECT value FROM meta WHERE name = 'folded_to'", folded_to},
      {"SELECT value FROM meta WHERE name = 'fold_segment'", &place.segment},
      {"SELECT value FROM meta WHERE name = 'fold_offset'", &place.offset},
      {"SELECT value FROM meta WHERE name = 'fold_unit'", &place.unit}};
  for (const auto& [sql, value] : values) {
    const auto read = db.Integer(sql);
    if (!read) return tl::unexpected(read.error());
    *value = static_cast<uint64_t>(*read);
  }
  return place;
}

StoreError JournalFailed(const std::string& path, std::string_view doing, int code, int system_errno) {
  return FileError(path + "-j", doing, code, system_errno);
}

class Inspection {
 public:
  explicit Inspection(const std::string& path) : path_(path) {}

  tl::expected<StoreReport, StoreError> Run(bool thorough) {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READONLY, "");
    if (!db) return tl::unexpected(db.error());
    db_ = std::move(*db);
    if (auto done = PrepareReader(db_); !done) return tl::unexpected(done.error());
    if (thorough) CheckPages();
    if (db_.Execute("BEGIN") != SQLITE_OK) return tl::unexpected(db_.Error("reading the store"));
    if (auto done = Count(); !done) return tl::unexpected(done.error());
    if (auto done = ReadBlocks(thorough); !done) return tl::unexpected(done.error());
    if (auto done = ReadRollups(thorough); !done) return tl::unexpected(done.error());
    if (auto done = ReadJournal(thorough); !done) return tl::unexpected(done.error());
    return report_;
  }

 private:
  using Done = tl::expected<void, StoreError>;

  void Problem(std::string text) {
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(std::move(text));
  }

  void CheckPages() {
    Statement check = db_.Prepare("PRAGMA integrity_check");
    while (check.valid() && check.Step() == SQLITE_ROW) {
      if (check.Text(0) != "ok") Problem(fmt::format("{}: {}", path_, check.Text(0)));
    }
  }

  Done Count() {
    const std::pair<const char*, uint64_t*> counts[] = {
        {"SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", &report_.file_bytes},
        {"SELECT freelist_count * page_size FROM pragma_freelist_count(), pragma_page_size()", &report_.free_bytes},
        {"SELECT count(*) FROM device", &report_.devices},
        {"SELECT count(*) FROM series", &report_.series},
        {"SELECT coalesce(sum(frames), 0) FROM frame_class", &report_.frames},
        {"SELECT coalesce(sum(bytes), 0) FROM frame_class", &report_.frame_bytes}};
    for (const auto& [sql, count] : counts) {
      const auto value = db_.Integer(sql);
      if (!value) return tl::unexpected(value.error());
      *count = static_cast<uint64_t>(*value);
    }
    return {};
  }

  Done ReadBlocks(bool thorough) {
    Statement rows =
        db_.Prepare(thorough ? "SELECT id, first_us, last_us, readings, length(data), last_number, data FROM block"
                             : "SELECT id, first_us, last_us, readings, length(data), last_number FROM block");
    if (!rows.valid()) return tl::unexpected(db_.Error("reading the store"));
    int code = rows.Step();
    for (; code == SQLITE_ROW; code = rows.Step()) {
      ++report_.blocks;
      report_.folded_readings += static_cast<uint64_t>(rows.Integer(3));
      report_.block_bytes += static_cast<uint64_t>(rows.Integer(4));
      if (report_.oldest_us == kNoTime || rows.Integer(1) < report_.oldest_us) report_.oldest_us = rows.Integer(1);
      report_.newest_us = std::max(report_.newest_us, rows.Integer(2));
      if (thorough && !BlockIsSound(Data(rows, 6), static_cast<uint64_t>(rows.Integer(3)), &packer_)) {
        Problem(
            fmt::format("{}: block {} is damaged: {} readings can't be read", path_, rows.Integer(0), rows.Integer(3)));
      }
    }
    if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the store", code));
    return {};
  }

  Done ReadRollups(bool thorough) {
    Statement rows = db_.Prepare(thorough ? "SELECT level, length(data), device, start_us, data FROM rollup"
                                          : "SELECT level, length(data) FROM rollup");
    if (!rows.valid()) return tl::unexpected(db_.Error("reading the store"));
    int code = rows.Step();
    for (; code == SQLITE_ROW; code = rows.Step()) {
      const int64_t level = rows.Integer(0);
      if (level < 0 || level >= kRollupLevels) continue;
      ++report_.rollup_rows[level];
      report_.rollup_bytes[level] += static_cast<uint64_t>(rows.Integer(1));
      if (thorough && !RollupIsSound(Data(rows, 4), &packer_)) {
        Problem(fmt::format("{}: a roll-up row is damaged (device {}, level {}, from {})", path_, rows.Integer(2),
                            level, rows.Integer(3)));
      }
    }
    if (code != SQLITE_DONE) return tl::unexpected(db_.Error("reading the store", code));
    return {};
  }

  Done ReadJournal(bool thorough) {
    JournalNumber folded_to = 0;
    auto place = FoldPlace(db_, &folded_to);
    if (!place) return tl::unexpected(place.error());
    SegmentSet segments(path_, nullptr, false);
    const auto failed = [&](int code) {
      return tl::unexpected(JournalFailed(path_, "reading the journal", code, segments.system_errno()));
    };
    if (const int code = segments.Refresh(); code != SQLITE_OK) return failed(code);
    report_.journal_bytes = segments.size_bytes();
    Entry entry;
    std::string bytes;
    std::vector<Record> records;
    ReadingsReader reader;
    int code = SQLITE_OK;
    while ((code = segments.ReadEntry(&*place, &entry)) == SQLITE_OK) {
      ++report_.journal_entries;
      records.clear();
      if (!entry.Readings(&packer_, &bytes) || !reader.Read(bytes, 0, &records)) {
        Problem(fmt::format("{}-j: commit {} can't be read", path_, place->unit));
      }
      for (const Record& record : records) report_.journal_readings += record.number > folded_to ? 1 : 0;
      place->offset += entry.head.size();
      ++place->unit;
    }
    if (code != SQLITE_DONE) return failed(code);
    JournalPlace beyond;
    if (!thorough) return {};
    code = segments.AnyBeyond(*place, &beyond);
    if (code != SQLITE_OK) return {};
    // A hub that runs has perhaps written it in between.
    JournalPlace again = *place;
    if (segments.ReadEntry(&again, &entry) == SQLITE_DONE) {
      Problem(fmt::format("{}-j: commit {} is missing, commit {} is there", path_, place->unit, beyond.unit));
    }
    return {};
  }

  std::string path_;
  SqliteDb db_;
  Packer packer_;
  StoreReport report_;
};

StoreError Failed(const std::string& path, std::string_view what) {
  return {StoreErrorKind::kIo, fmt::format("{}: {}", path, what)};
}

bool SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced;
}

}  // namespace

tl::expected<StoreReport, StoreError> StoreStats(const std::string& path) { return Inspection(path).Run(false); }
tl::expected<StoreReport, StoreError> CheckStore(const std::string& path) { return Inspection(path).Run(true); }

tl::expected<void, StoreError> BackUpStore(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string copy = folder + "/vesta.db";
  if (error || fs::exists(copy)) return tl::unexpected(Failed(copy, "is there already, or its folder can't be made"));
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READONLY, "");
  if (!db) return tl::unexpected(db.error());
  if (auto done = PrepareReader(*db); !done) return done;
  for (int attempt = 0; attempt < kBackupAttempts; ++attempt) {
    {
      auto target = SqliteDb::Open(copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
      if (!target) return tl::unexpected(target.error());
      sqlite3_backup* const backup = sqlite3_backup_init(target->get(), "main", db->get(), "main");
      if (backup == nullptr) return tl::unexpected(target->Error("copying the store"));
      // In one step: it holds a read transaction, which delays no writer.
      sqlite3_backup_step(backup, -1);
      if (sqlite3_backup_finish(backup) != SQLITE_OK) return tl::unexpected(target->Error("copying the store"));
    }
    // The journal behind it, the newest segment first: what the hub appends meanwhile makes no hole then.
    JournalNumber folded_to = 0;
    auto target = SqliteDb::Open(copy, SQLITE_OPEN_READWRITE, "");
    if (!target) return tl::unexpected(target.error());
    const auto place = FoldPlace(*target, &folded_to);
    if (!place) return tl::unexpected(place.error());
    SegmentSet segments(path, nullptr, false);
    if (const int code = segments.Refresh(); code != SQLITE_OK) {
      return tl::unexpected(JournalFailed(path, "copying the journal", code, segments.system_errno()));
    }
    const std::vector<std::string> files = segments.FilesFrom(place->segment);
    const bool any = segments.Holds(place->segment);
    size_t slot = 0;
    for (const std::string& file : files) {
      const std::string to = fmt::format("{}-j{:04}", copy, slot++);
      if (!fs::copy_file(file, to, fs::copy_options::overwrite_existing, error) || !SyncFile(to)) {
        return tl::unexpected(Failed(to, "can't be written"));
      }
    }
    // Was a segment that is needed used again while it was copied?
    SegmentSet copied(copy, nullptr, false);
    if (copied.Refresh() == SQLITE_OK && (!any || copied.Holds(place->segment)) && SyncFile(copy) && SyncFile(folder)) {
      return {};
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().filename().string().rfind("vesta.db", 0) == 0) fs::remove(entry.path(), error);
    }
  }
  return tl::unexpected(Failed(path, "the hub wrote too fast to copy its journal: try again"));
}

tl::expected<void, StoreError> CompactStore(const std::string& path) {
  auto store = SqliteStore::Open(path, {});  // takes the lock, and brings the journal in order
  if (!store) return tl::unexpected(store.error());
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
  if (!db) return tl::unexpected(db.error());
  if (db->Execute("VACUUM") != SQLITE_OK) return tl::unexpected(db->Error("compacting the store"));
  if (db->Execute("PRAGMA wal_checkpoint(TRUNCATE)") != SQLITE_OK)
    return tl::unexpected(db->Error("compacting the store"));
  return {};
}

namespace {

// Puts what is left of the journal behind a hole into new segments, without the hole.
tl::expected<void, StoreError> MendJournal(const std::string& path, SqliteDb& db, RepairReport* report) {
  JournalNumber folded_to = 0;
  auto place = FoldPlace(db, &folded_to);
  if (!place) return tl::unexpected(place.error());
  SegmentLog log(path, nullptr, kSegmentBytes, true);
  const auto failed = [&](int code) {
    return tl::unexpected(JournalFailed(path, "mending the journal", code, log.system_errno()));
  };
  if (const int code = log.Refresh(); code != SQLITE_OK) return failed(code);
  Packer packer;
  JournalPlace end;
  bool hole = false;
  struct Saved {
    EntryHead head;
    std::string readings;
    std::string rest;
  };
  std::vector<Saved> saved;
  const auto applied = db.Integer("SELECT value FROM meta WHERE name = 'applied_unit'");
  if (!applied) return tl::unexpected(applied.error());
  while (true) {
    Entry entry;
    const int code = log.ReadEntry(&*place, &entry);
    if (code == SQLITE_OK) {
      Saved& one = saved.emplace_back();
      one.head = entry.head;
      CommitUnit unit;
      if (!entry.Readings(&packer, &one.readings) || !entry.Rest(&packer, &one.rest) || !ReadRest(one.rest, &unit)) {
        saved.pop_back();
        ++report->lost_commits;
      } else if (entry.head.place.unit <= static_cast<uint64_t>(*applied)) {
        // Is in the tables already, and must not get there twice.
        unit.frames.clear();
        unit.marks.clear();
        one.rest = WriteRest(unit);
      }
      place->offset += entry.head.size();
      ++place->unit;
      end = *place;
      continue;
    }
    if (code != SQLITE_DONE) return failed(code);
    JournalPlace beyond;
    const int found = log.AnyBeyond(*place, &beyond);
    if (found == SQLITE_DONE) break;
    if (found != SQLITE_OK) return failed(found);
    hole = true;
    report->lost_commits += beyond.unit - place->unit;
    *place = beyond;
  }
  if (!hole) return {};
  const JournalPlace begin{log.newest_segment() + 1, kSectorBytes, end.unit};
  log.SetEnd(begin);
  for (const Saved& one : saved) {
    JournalPlace written;
    const int code = log.Append(one.head, one.readings, one.rest, &packer, &written);
    if (code != SQLITE_OK) return failed(code);
    report->saved_readings += one.head.records;
  }
  const std::string sql = fmt::format(
      "BEGIN IMMEDIATE; UPDATE meta SET value = {} WHERE name = 'fold_segment';"
      "UPDATE meta SET value = {} WHERE name = 'fold_offset'; UPDATE meta SET value = {} WHERE name = 'fold_unit';"
      "UPDATE meta SET value = {} WHERE name = 'applied_unit'; COMMIT",
      begin.segment, begin.offset, begin.unit, begin.unit - 1);
  if (db.Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db.Error("mending the journal"));
  return {};
}

tl::expected<void, StoreError> SetDamagedAside(SqliteDb& db, RepairReport* report) {
  Packer packer;
  if (db.Execute("CREATE TABLE IF NOT EXISTS damaged_block (id INTEGER PRIMARY KEY, device INTEGER, first_us INTEGER,"
                 " last_us INTEGER, readings INTEGER, data BLOB)") != SQLITE_OK) {
    return tl::unexpected(db.Error("mending the store"));
  }
  std::vector<int64_t> bad;
  Statement blocks = db.Prepare("SELECT id, readings, data FROM block");
  if (!blocks.valid()) return tl::unexpected(db.Error("mending the store"));
  while (blocks.Step() == SQLITE_ROW) {
    if (!BlockIsSound(Data(blocks, 2), static_cast<uint64_t>(blocks.Integer(1)), &packer))
      bad.push_back(blocks.Integer(0));
  }
  blocks = {};
  for (const int64_t id : bad) {
    const std::string sql = fmt::format(
        "BEGIN IMMEDIATE; INSERT OR REPLACE INTO damaged_block SELECT id, device, first_us, last_us, readings, data "
        "FROM"
        " block WHERE id = {0}; DELETE FROM block WHERE id = {0}; COMMIT",
        id);
    if (db.Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db.Error("mending the store"));
    ++report->damaged_blocks;
  }
  std::vector<std::array<int64_t, 3>> rows;
  Statement rollups = db.Prepare("SELECT device, level, start_us, data FROM rollup");
  if (!rollups.valid()) return tl::unexpected(db.Error("mending the store"));
  while (rollups.Step() == SQLITE_ROW) {
    if (!RollupIsSound(Data(rollups, 3), &packer)) {
      rows.push_back({rollups.Integer(0), rollups.Integer(1), rollups.Integer(2)});
    }
  }
  rollups = {};
  for (const auto& [device, level, start_us] : rows) {
    const std::string sql =
        fmt::format("DELETE FROM rollup WHERE device = {} AND level = {} AND start_us = {}", device, level, start_us);
    if (db.Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db.Error("mending the store"));
    ++report->damaged_rollups;
  }
  return {};
}

}  // namespace

tl::expected<RepairReport, StoreError> RepairStore(const std::string& path) {
  const auto lock = LockStore(path);
  if (!lock) return tl::unexpected(lock.error());
  RepairReport report;
  auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
  tl::expected<void, StoreError> done;
  if (!db) {
    done = tl::unexpected(db.error());
  } else {
    done = PrepareWriter(*db, true);
    if (done) done = SetDamagedAside(*db, &report);
    if (done) done = MendJournal(path, *db, &report);
  }
  close(*lock);
  if (!done) return tl::unexpected(done.error());
  return report;
}

}  // namespace vesta::hub
