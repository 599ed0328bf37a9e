#include "hub/store/sqlite_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

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

tl::expected<void, StoreError> RestoreTables(SqliteDb& db, RestoredState* state) {
  Done done = RestoreDirectory(db, state);
  if (done) done = RestoreWard(db, state);
  return done;
}

}  // namespace vesta::hub
