#include "hub/store/sqlite_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "hub/store/record_row.h"
#include "hub/store/sqlite_store.h"
#include "hub/store/sqlite_ward.h"

namespace vesta::hub {
namespace {

using Done = tl::expected<void, StoreError>;

// The enumerator with this word; the first one (other, none) for a word that this program does not know.
template <typename Enum, typename Name>
Enum FromName(std::string_view word, Enum end, Name name) {
  for (int i = 0; i < static_cast<int>(end); ++i) {
    if (name(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  }
  return static_cast<Enum>(0);
}

FieldKind FieldKindFromName(std::string_view word) {
  for (const FieldKind kind : {FieldKind::kCounter, FieldKind::kState, FieldKind::kFlag, FieldKind::kText}) {
    if (FieldKindName(kind) == word) return kind;
  }
  return FieldKind::kGauge;
}

// Runs a query and hands each row to `take`.
template <typename Take>
Done ForEach(SqliteDb& db, const char* sql, Take take) {
  Statement rows = db.Prepare(sql);
  if (!rows.valid()) return tl::unexpected(db.Error("restoring"));
  int code = rows.Step();
  for (; code == SQLITE_ROW; code = rows.Step()) take(rows);
  if (code != SQLITE_DONE) return tl::unexpected(db.Error("restoring"));
  return {};
}

// Ids are places in the directory's tables: a gap would give history to the wrong series.
template <typename Item>
Done CheckIds(const SqliteDb& db, const std::vector<Item>& items, std::string_view what) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].id == i + 1) continue;
    return tl::unexpected(StoreError{
        StoreErrorKind::kCorrupt,
        fmt::format("{}: table {}: the row with id {} is missing; was it deleted by hand?", db.path(), what, i + 1)});
  }
  return {};
}

Done RestoreDevices(SqliteDb& db, RestoredState* state) {
  auto done = ForEach(db, "SELECT * FROM device ORDER BY id", [&](const Statement& row) {
    Device device;
    device.id = static_cast<DeviceId>(row.Integer(0));
    device.key = row.Text(1);
    device.protocol = row.Text(2);
    device.source = row.Text(3);
    device.identity = row.Text(4);
    device.identity_on_wire = row.Integer(5) != 0;
    device.kind = FromName(row.Text(6), DeviceKind::kCountOfDeviceKinds, DeviceKindName);
    device.manufacturer = row.Text(7);
    device.model = row.Text(8);
    device.serial = row.Text(9);
    device.firmware = row.Text(10);
    device.parent = static_cast<DeviceId>(row.Integer(11));
    device.name = row.Text(12);
    device.place = row.Text(13);
    state->devices.push_back(std::move(device));
  });
  if (!done) return done;
  return CheckIds(db, state->devices, "device");
}

Done RestoreSeries(SqliteDb& db, RestoredState* state) {
  auto done = ForEach(db, "SELECT * FROM series ORDER BY id", [&](const Statement& row) {
    Series series;
    series.id = static_cast<SeriesId>(row.Integer(0));
    series.device = static_cast<DeviceId>(row.Integer(1));
    series.field.key = row.Text(2);
    series.field.quantity = FromName(row.Text(3), Quantity::kCountOfQuantities, QuantityName);
    series.field.unit = FromName(row.Text(4), Unit::kCountOfUnits, StoredUnitText);
    series.field.decimals = static_cast<int8_t>(row.Integer(5));
    series.field.kind = FieldKindFromName(row.Text(6));
    series.field.pace = row.Integer(7) != 0 ? Pace::kSlow : Pace::kFast;
    series.field.diagnostic = row.Integer(8) != 0;
    state->series.push_back(std::move(series));
  });
  if (!done) return done;
  if (done = CheckIds(db, state->series, "series"); !done) return done;
  for (const Series& series : state->series) {
    if (series.device == 0 || series.device > state->devices.size()) {
      return tl::unexpected(
          StoreError{StoreErrorKind::kCorrupt, fmt::format("{}: series {} has no device", db.path(), series.id)});
    }
    state->devices[series.device - 1].series.push_back(series.id);
  }
  return ForEach(db, "SELECT series, code, name FROM series_state ORDER BY series, code", [&](const Statement& row) {
    const auto id = static_cast<size_t>(row.Integer(0));
    if (id == 0 || id > state->series.size()) return;
    state->series[id - 1].field.states.emplace_back(static_cast<uint32_t>(row.Integer(1)), std::string(row.Text(2)));
  });
}

struct Newest {
  int64_t time_us = INT64_MIN;
  int64_t number = 0;
};

bool MayBeLatest(int64_t marks) {
  return QualityOfMarks(marks) != ValueQuality::kSuspect && (FlagsOfMarks(marks) & kReadingLate) == 0;
}

Done RestoreLatest(SqliteDb& db, RestoredState* state) {
  std::vector<Newest> newest(state->series.size() + 1);
  const auto offer = [&](size_t series, int64_t time_us, int64_t number) {
    if (series >= newest.size()) return;
    Newest& best = newest[series];
    if (best.number == 0 || time_us > best.time_us || (time_us == best.time_us && number > best.number)) {
      best = {time_us, number};
    }
  };
  Done done = ForEach(db,
                      "SELECT series, time_us, number, marks FROM reading"
                      " WHERE number > (SELECT value FROM meta WHERE name = 'timeline_end')",
                      [&](const Statement& row) {
                        if (!MayBeLatest(row.Integer(3))) return;
                        offer(static_cast<size_t>(row.Integer(0)), row.Integer(1), row.Integer(2));
                      });
  if (!done) return done;

  Statement backwards = db.Prepare(
      "SELECT time_us, number, marks FROM timeline WHERE series = ? ORDER BY time_us DESC, number DESC LIMIT ?");
  Statement one = db.Prepare(fmt::format("SELECT {} FROM reading WHERE number = ?", kRecordColumnNames).c_str());
  if (!backwards.valid() || !one.valid()) return tl::unexpected(db.Error("restoring"));
  for (const Series& series : state->series) {
    backwards.BindInteger(1, series.id);
    backwards.BindInteger(2, static_cast<int64_t>(kLatestLookBack));
    int code = backwards.Step();
    for (; code == SQLITE_ROW; code = backwards.Step()) {
      if (!MayBeLatest(backwards.Integer(2))) continue;
      offer(series.id, backwards.Integer(0), backwards.Integer(1));
      break;
    }
    backwards.Reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(db.Error("restoring"));
    if (newest[series.id].number == 0) continue;
    one.BindInteger(1, newest[series.id].number);
    code = one.Step();
    if (code == SQLITE_ROW) state->latest.Add(RecordOfRow(one));
    one.Reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(db.Error("restoring"));
  }
  return {};
}

}  // namespace

std::string_view StoredUnitText(Unit unit) { return unit == Unit::kUnixSecond ? "unix_s" : UnitText(unit); }

tl::expected<void, StoreError> RestoreDirectory(SqliteDb& db, RestoredState* state) {
  // One snapshot: a running hub may add a device between the two tables.
  if (db.Execute("BEGIN") != SQLITE_OK) return tl::unexpected(db.Error("restoring"));
  Done done = RestoreDevices(db, state);
  if (done) done = RestoreSeries(db, state);
  db.Execute("COMMIT");
  return done;
}

tl::expected<RestoredState, StoreError> RestoreState(SqliteDb& db) {
  RestoredState state;
  Done done = RestoreDirectory(db, &state);
  if (done) done = RestoreLatest(db, &state);
  if (done) {
    done = ForEach(db, "SELECT output, number FROM output_position ORDER BY output", [&](const Statement& row) {
      state.positions.emplace_back(std::string(row.Text(0)), static_cast<JournalNumber>(row.Integer(1)));
    });
  }
  if (done) done = RestoreWard(db, &state);
  if (!done) return tl::unexpected(done.error());

  const auto last = db.Integer("SELECT max(number) FROM reading");
  const auto numbers = db.Integer("SELECT value FROM meta WHERE name = 'reserved_numbers_end'");
  const auto frames = db.Integer("SELECT value FROM meta WHERE name = 'reserved_frames_end'");
  for (const auto* value : {&last, &numbers, &frames}) {
    if (!*value) return tl::unexpected(value->error());
  }
  state.last_number = static_cast<JournalNumber>(*last);
  // When the newest readings were trimmed, a position still knows how far the journal had come.
  for (const auto& [output, number] : state.positions) state.last_number = std::max(state.last_number, number);
  state.reserved_numbers_end = static_cast<JournalNumber>(*numbers);
  state.reserved_frames_end = static_cast<FrameId>(*frames);
  return state;
}

}  // namespace vesta::hub
