#include "hub/store/sqlite_schema.h"

#include <fmt/format.h>

namespace vesta::hub {
namespace {

constexpr char kTables[] = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('reserved_numbers_end', 1), ('reserved_frames_end', 1);

CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  protocol TEXT NOT NULL,
  source TEXT NOT NULL,
  identity TEXT NOT NULL,
  identity_on_wire INTEGER NOT NULL,
  kind TEXT NOT NULL,
  manufacturer TEXT NOT NULL,
  model TEXT NOT NULL,
  serial TEXT NOT NULL,
  firmware TEXT NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL
) STRICT;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  field TEXT NOT NULL,
  quantity TEXT NOT NULL,
  unit TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  kind TEXT NOT NULL,
  slow INTEGER NOT NULL,
  diagnostic INTEGER NOT NULL,
  UNIQUE (device, field)
) STRICT;

CREATE TABLE series_state (
  series INTEGER NOT NULL,
  code INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (series, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE frame_class (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  reason TEXT NOT NULL,
  sender INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (source, verdict, reason, sender)
) STRICT;

CREATE TABLE frame (
  id INTEGER PRIMARY KEY,
  class INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  sender INTEGER NOT NULL DEFAULT 0,
  clock INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX frame_by_class ON frame (class);

CREATE TABLE frame_reading (
  frame INTEGER NOT NULL,
  first_number INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (frame, first_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE output_position (
  output TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// History, and how far the journal beside the file is folded into it.
constexpr char kHistoryTables[] = R"sql(
CREATE TABLE block (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  first_number INTEGER NOT NULL,
  last_number INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE INDEX block_by_time ON block (device, first_us);
CREATE INDEX block_by_number ON block (chunk);

ALTER TABLE frame ADD COLUMN dictionary INTEGER NOT NULL DEFAULT 0;
CREATE TABLE frame_dictionary (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL UNIQUE,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE rollup (
  device INTEGER NOT NULL,
  level INTEGER NOT NULL,
  start_us INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (device, level, start_us)
) STRICT, WITHOUT ROWID;

INSERT INTO meta VALUES ('folded_to', 0), ('fold_segment', 1), ('fold_offset', 512), ('fold_unit', 1),
                        ('applied_unit', 0);

CREATE VIEW plain_series AS
SELECT s.id AS series, d.key AS device, d.name, s.field, s.quantity, s.unit, s.kind, s.decimals
FROM series s JOIN device d ON d.id = s.device;

CREATE VIEW plain_block AS
SELECT b.id, d.key AS device, strftime('%Y-%m-%dT%H:%M:%fZ', b.first_us / 1000000.0, 'unixepoch') AS first,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.last_us / 1000000.0, 'unixepoch') AS last, b.readings,
       length(b.data) AS bytes
FROM block b LEFT JOIN device d ON d.id = b.device;
)sql";

// Works where the extension of tools/sql is loaded. Put in when it is missing: files from before the extension lack it.
constexpr char kPlain[] = R"sql(
CREATE VIEW IF NOT EXISTS plain AS
SELECT r.number, strftime('%Y-%m-%dT%H:%M:%fZ', r.time_us / 1000000.0, 'unixepoch') AS time, d.key AS device, s.field,
       r.value, r.digits, CASE r.kind WHEN 'state' THEN ifnull(n.name, 'unknown(' || r.value || ')') END AS state,
       s.unit, r.quality, r.time_from, r.late, r.repaired, r."index", r.series, r.time_us, r.received_us, r.frame
FROM series s JOIN device d ON d.id = s.device JOIN vesta_reading r ON r.series = s.id
LEFT JOIN series_state n ON r.kind = 'state' AND n.series = s.id AND n.code = r.value
)sql";

// From format 2: `reading` stays until its rows are folded; the second copy of them is not needed for that.
constexpr char kFromFormat2[] = R"sql(
DROP VIEW IF EXISTS plain_reading;
DROP TABLE timeline;
DELETE FROM meta WHERE name = 'timeline_end';
)sql";

// From format 1: frames know who sent them, and have quotas by sender.
constexpr char kFromFormat1[] = R"sql(
ALTER TABLE frame ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;
ALTER TABLE frame ADD COLUMN clock INTEGER NOT NULL DEFAULT 0;
CREATE TABLE new_frame_class (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  reason TEXT NOT NULL,
  sender INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (source, verdict, reason, sender)
) STRICT;
INSERT INTO new_frame_class SELECT id, source, verdict, reason, 0, frames, bytes FROM frame_class;
DROP TABLE frame_class;
ALTER TABLE new_frame_class RENAME TO frame_class;
)sql";

enum class FileState { kNew, kCurrent, kFormat1, kFormat2 };

StoreError Foreign(const SqliteDb& db, std::string_view what) {
  return {StoreErrorKind::kWrongVersion, fmt::format("{}: {}", db.path(), what)};
}

// An empty file is new, whatever a crash during its making left of it: the tables come in one transaction.
tl::expected<FileState, StoreError> Examine(SqliteDb& db) {
  const auto version = db.Integer("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  const auto id = db.Integer("PRAGMA application_id");
  if (!id) return tl::unexpected(id.error());
  const auto tables = db.Integer("SELECT count(*) FROM sqlite_master");
  if (!tables) return tl::unexpected(tables.error());
  if (*version == 0 && *id == 0 && *tables == 0) return FileState::kNew;
  if (*id != kStoreApplicationId) {
    return tl::unexpected(Foreign(db, "this is a SQLite file, but not of Vesta: give another path"));
  }
  if (*version == 1) return FileState::kFormat1;
  if (*version == 2) return FileState::kFormat2;
  if (*version != kStoreVersion) {
    return tl::unexpected(
        Foreign(db, fmt::format("the file has format {} and this program knows {}: use the newer program that wrote it",
                                *version, kStoreVersion)));
  }
  return FileState::kCurrent;
}

tl::expected<void, StoreError> Set(SqliteDb& db, const std::string& sql, std::string_view doing) {
  if (db.Execute(sql.c_str()) != SQLITE_OK) return tl::unexpected(db.Error(doing));
  return {};
}

}  // namespace

tl::expected<void, StoreError> PrepareWriter(SqliteDb& db, bool fsync) {
  sqlite3_busy_timeout(db.get(), kBusyTimeout_ms);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  const auto state = Examine(db);
  if (!state) return tl::unexpected(state.error());
  // SQLite opens a file that it can't write for reading only, and says so when the first commit is due.
  if (sqlite3_db_readonly(db.get(), "main") == 1) {
    return tl::unexpected(StoreError{StoreErrorKind::kReadOnly,
                                     fmt::format("{}: the file can't be written: check its owner, its permissions and "
                                                 "whether the file system is mounted read-only",
                                                 db.path())});
  }
  auto done = Set(db,
                  fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA cache_size = -{};"
                              "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF;"
                              "PRAGMA journal_size_limit = {}",
                              fsync ? "FULL" : "OFF", kWriterCacheKib, kLogBytesMax),
                  "setting up the store");
  if (!done) return done;
  if (*state == FileState::kCurrent) {
    db.Execute(kPlain);  // for people: a full disk must not keep a hub from its start
    return done;
  }
  const std::string version = fmt::format("PRAGMA user_version = {}; COMMIT", kStoreVersion);
  if (*state == FileState::kNew) {
    done = Set(db,
               fmt::format("{} {} {}; PRAGMA application_id = {}; {}", kTables, kHistoryTables, kPlain,
                           kStoreApplicationId, version),
               "making the tables");
  } else {
    done = Set(db,
               fmt::format("BEGIN IMMEDIATE; {} {} {} {}; {}", *state == FileState::kFormat1 ? kFromFormat1 : "",
                           kFromFormat2, kHistoryTables, kPlain, version),
               "bringing the store up to date");
  }
  if (!done) db.Execute("ROLLBACK");
  return done;
}

tl::expected<void, StoreError> PrepareReader(SqliteDb& db) {
  sqlite3_busy_timeout(db.get(), kBusyTimeout_ms);
  const auto version = db.Integer("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  const auto rows = db.Integer("SELECT count(*) FROM sqlite_master WHERE name = 'reading'");
  if (!rows) return tl::unexpected(rows.error());
  if (*version < kStoreVersion || *rows != 0) {
    return tl::unexpected(
        Foreign(db, "the file is of an older program: start the hub once, which brings it up to date"));
  }
  if (*version > kStoreVersion) {
    return tl::unexpected(
        Foreign(db, fmt::format("the file has format {} and this program knows {}: use the newer program that wrote it",
                                *version, kStoreVersion)));
  }
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return Set(db,
             fmt::format("PRAGMA cache_size = -{}; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY", kReaderCacheKib),
             "setting up a reader");
}

}  // namespace vesta::hub
