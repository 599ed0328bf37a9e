#include "hub/store/sqlite_ward.h"

#include <fmt/format.h>

namespace vesta::hub {
namespace {

constexpr char kTables[] = R"sql(
CREATE TABLE IF NOT EXISTS bed_stay (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  bed TEXT NOT NULL,
  begin_us INTEGER NOT NULL,
  end_us INTEGER,
  said_by TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS decoder (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  from_number INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  decoder TEXT NOT NULL,
  tables TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS redecode (
  source TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  first_series INTEGER NOT NULL,
  frames_end INTEGER NOT NULL,
  after INTEGER NOT NULL,
  done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

tl::unexpected<StoreError> Gap(const SqliteDb& db, std::string_view table, size_t id) {
  return tl::unexpected(StoreError{
      StoreErrorKind::kCorrupt,
      fmt::format("{}: table {}: the row with id {} is missing; was it deleted by hand?", db.path(), table, id)});
}

}  // namespace

tl::expected<void, StoreError> MakeWardTables(SqliteDb& db) {
  if (db.Execute(kTables) != SQLITE_OK) return tl::unexpected(db.Error("making the tables of beds and decoders"));
  return {};
}

int WriteWard(SqliteDb& db, const CommitUnit& unit) {
  // A few rows in a day: statements for them are made when they are needed.
  for (const BedStay& stay : unit.beds) {
    Statement row = db.Prepare("INSERT OR REPLACE INTO bed_stay VALUES (?,?,?,?,?,?)");
    if (!row.valid()) return SQLITE_ERROR;
    row.BindInteger(1, stay.id);
    row.BindInteger(2, stay.device);
    row.BindText(3, stay.bed);
    row.BindInteger(4, stay.begin_us);
    if (stay.end_us == kNoTime) {
      row.BindNull(5);
    } else {
      row.BindInteger(5, stay.end_us);
    }
    row.BindText(6, stay.by);
    if (const int code = row.Run(); code != SQLITE_DONE) return code;
  }
  for (const DecoderEpoch& epoch : unit.decoders) {
    Statement row = db.Prepare("INSERT OR REPLACE INTO decoder VALUES (?,?,?,?,?,?)");
    if (!row.valid()) return SQLITE_ERROR;
    row.BindInteger(1, epoch.id);
    row.BindText(2, epoch.source);
    row.BindInteger(3, static_cast<int64_t>(epoch.from_number));
    row.BindInteger(4, epoch.since_us);
    row.BindText(5, epoch.decoder);
    row.BindText(6, epoch.tables);
    if (const int code = row.Run(); code != SQLITE_DONE) return code;
  }
  for (const Redecode& one : unit.redecodes) {
    Statement row = db.Prepare("INSERT OR REPLACE INTO redecode VALUES (?,?,?,?,?,?)");
    if (!row.valid()) return SQLITE_ERROR;
    row.BindText(1, one.source);
    row.BindInteger(2, one.epoch);
    row.BindInteger(3, one.first_series);
    row.BindInteger(4, static_cast<int64_t>(one.frames_end));
    row.BindInteger(5, static_cast<int64_t>(one.after));
    row.BindInteger(6, one.done ? 1 : 0);
    if (const int code = row.Run(); code != SQLITE_DONE) return code;
  }
  return SQLITE_DONE;
}

tl::expected<void, StoreError> RestoreWard(SqliteDb& db, RestoredState* state) {
  // A file that is only read may come from a program that did not know these tables.
  const auto tables = db.Integer("SELECT count(*) FROM sqlite_master WHERE name IN ('bed_stay', 'decoder', 'redecode')");
  if (!tables) return tl::unexpected(tables.error());
  if (*tables < 3) return {};
  Statement stays = db.Prepare("SELECT id, device, bed, begin_us, end_us, said_by FROM bed_stay ORDER BY id");
  Statement epochs = db.Prepare("SELECT id, source, from_number, since_us, decoder, tables FROM decoder ORDER BY id");
  if (!stays.valid() || !epochs.valid()) return tl::unexpected(db.Error("restoring beds and decoders"));
  int code = stays.Step();
  for (; code == SQLITE_ROW; code = stays.Step()) {
    BedStay stay;
    stay.id = static_cast<uint32_t>(stays.Integer(0));
    stay.device = static_cast<DeviceId>(stays.Integer(1));
    stay.bed = stays.Text(2);
    stay.begin_us = stays.Integer(3);
    stay.end_us = stays.IsNull(4) ? kNoTime : stays.Integer(4);
    stay.by = stays.Text(5);
    state->beds.push_back(std::move(stay));
    if (state->beds.back().id != state->beds.size()) return Gap(db, "bed_stay", state->beds.size());
  }
  if (code != SQLITE_DONE) return tl::unexpected(db.Error("restoring beds"));
  code = epochs.Step();
  for (; code == SQLITE_ROW; code = epochs.Step()) {
    DecoderEpoch epoch;
    epoch.id = static_cast<uint32_t>(epochs.Integer(0));
    epoch.source = epochs.Text(1);
    epoch.from_number = static_cast<JournalNumber>(epochs.Integer(2));
    epoch.since_us = epochs.Integer(3);
    epoch.decoder = epochs.Text(4);
    epoch.tables = epochs.Text(5);
    state->decoders.push_back(std::move(epoch));
    if (state->decoders.back().id != state->decoders.size()) return Gap(db, "decoder", state->decoders.size());
  }
  if (code != SQLITE_DONE) return tl::unexpected(db.Error("restoring decoders"));
  Statement redecodes = db.Prepare("SELECT source, epoch, first_series, frames_end, after, done FROM redecode");
  if (!redecodes.valid()) return tl::unexpected(db.Error("restoring what is decoded again"));
  code = redecodes.Step();
  for (; code == SQLITE_ROW; code = redecodes.Step()) {
    state->redecodes.push_back({std::string(redecodes.Text(0)), static_cast<uint32_t>(redecodes.Integer(1)),
                                static_cast<SeriesId>(redecodes.Integer(2)),
                                static_cast<FrameId>(redecodes.Integer(3)), static_cast<FrameId>(redecodes.Integer(4)),
                                redecodes.Integer(5) != 0});
  }
  if (code != SQLITE_DONE) return tl::unexpected(db.Error("restoring what is decoded again"));
  return {};
}

}  // namespace vesta::hub
