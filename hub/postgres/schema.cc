#include "hub/postgres/schema.h"

#include <fmt/format.h>

#include "hub/postgres/wire.h"
#include "hub/store/rollup.h"
#include "hub/store/sqlite_restore.h"
#include "model/calendar.h"

namespace vesta::hub::postgres {
namespace {

constexpr int64_t kDay_us = 86400 * kUsPerSecond;

// BRIN: readings come nearly in order of time and number, so a page range says enough, in a thousandth of the room.
constexpr const char* kTables[] = {
    "CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL)",
    "CREATE TABLE progress (position bigint NOT NULL, series integer NOT NULL, time timestamptz NOT NULL)",
    "INSERT INTO progress VALUES (0, 0, '1970-01-01 00:00:00+00')",
    "CREATE TABLE device (id integer PRIMARY KEY, key text NOT NULL, protocol text NOT NULL, source text NOT NULL,"
    " identity text NOT NULL, identity_on_wire boolean NOT NULL, kind text NOT NULL, manufacturer text NOT NULL,"
    " model text NOT NULL, serial text NOT NULL, firmware text NOT NULL, parent integer NOT NULL, name text NOT NULL,"
    " place text NOT NULL)",
    "CREATE TABLE series (id integer PRIMARY KEY, device integer NOT NULL, field text NOT NULL, quantity text NOT NULL,"
    " unit text NOT NULL, decimals smallint NOT NULL, kind text NOT NULL, slow boolean NOT NULL,"
    " diagnostic boolean NOT NULL)",
    "CREATE TABLE series_state (series integer NOT NULL, code bigint NOT NULL, name text NOT NULL,"
    " PRIMARY KEY (series, code))",
    "CREATE TABLE reading (number bigint NOT NULL, series integer NOT NULL, time timestamptz NOT NULL,"
    " delay_us bigint NOT NULL, frame bigint NOT NULL, marks integer NOT NULL, value numeric, text text)"
    " PARTITION BY RANGE (time)",
    "CREATE INDEX reading_time ON reading USING brin (time) WITH (pages_per_range = 32, autosummarize = on)",
    "CREATE INDEX reading_number ON reading USING brin (number) WITH (pages_per_range = 32, autosummarize = on)",
    // Many readings have no frame: these are told apart from the others.
    "CREATE INDEX reading_frame ON reading USING brin (frame int8_minmax_multi_ops)"
    " WITH (pages_per_range = 32, autosummarize = on)",
    "CREATE TABLE reading_other PARTITION OF reading DEFAULT",
    "CREATE TABLE batch (last_number bigint PRIMARY KEY, first_number bigint NOT NULL, readings integer NOT NULL,"
    " first_time timestamptz NOT NULL, last_time timestamptz NOT NULL)",
    "CREATE TABLE series_hour (series integer NOT NULL, hour bigint NOT NULL, due boolean NOT NULL,"
    " PRIMARY KEY (series, hour))",
    "CREATE INDEX series_hour_due ON series_hour (hour) WHERE due",
    "CREATE TABLE rollup (series integer NOT NULL, level smallint NOT NULL, start timestamptz NOT NULL,"
    " readings bigint NOT NULL, kind smallint NOT NULL, exponent smallint NOT NULL, counter boolean NOT NULL,"
    " first bigint NOT NULL, last bigint NOT NULL, lowest bigint NOT NULL, highest bigint NOT NULL,"
    " first_ms bigint NOT NULL, last_ms bigint NOT NULL, lowest_ms bigint NOT NULL, highest_ms bigint NOT NULL,"
    " sum numeric NOT NULL, area numeric NOT NULL, covered_ms bigint NOT NULL, increase bigint NOT NULL,"
    " restarts bigint NOT NULL, swaps bigint NOT NULL, states text NOT NULL, PRIMARY KEY (series, level, start))",
    "CREATE VIEW plain AS SELECT r.number, r.time, d.key AS device, s.field, s.unit,"
    " CASE WHEN r.marks & 7 = 1 THEN coalesce(r.value, r.text::numeric) WHEN r.marks & 7 = 2 THEN r.text::numeric END"
    " AS value, CASE WHEN r.marks & 7 = 3 THEN r.text WHEN r.marks & 7 = 5 THEN '\\x' || r.text"
    " WHEN r.marks & 7 = 4 THEN coalesce(n.name, 'unknown(' || r.value || ')') END AS text,"
    " (ARRAY['ok', 'unavailable', 'out_of_range', 'suspect', 'derived'])[1 + (r.marks >> 3 & 7)] AS quality,"
    " (ARRAY['device', 'hub', 'hub_unsynchronised', 'back_dated'])[1 + (r.marks >> 6 & 3)] AS time_from,"
    " r.marks & 256 <> 0 AS late, r.marks & 512 <> 0 AS repaired, r.marks >> 16 & 65535 AS index,"
    " CASE WHEN isfinite(r.time) THEN r.time + r.delay_us * interval '1 microsecond' END AS received, r.series"
    " FROM reading r JOIN series s ON s.id = r.series JOIN device d ON d.id = s.device"
    " LEFT JOIN series_state n ON r.marks & 7 = 4 AND n.series = r.series AND n.code = r.value",
    "CREATE VIEW plain_rollup AS SELECT (ARRAY['minute', 'quarter', 'hour', 'day'])[1 + u.level] AS per, u.start,"
    " d.key AS device, s.field, s.unit, u.readings, u.first * x.scale AS first, u.last * x.scale AS last,"
    " u.lowest * x.scale AS lowest, u.highest * x.scale AS highest, u.sum * x.scale / u.readings AS mean,"
    " CASE WHEN u.covered_ms > 0 THEN u.area * x.scale / u.covered_ms END AS time_mean,"
    " CASE WHEN u.counter THEN u.increase * x.scale END AS increase, u.restarts, u.swaps, u.states, u.series"
    " FROM rollup u JOIN series s ON s.id = u.series JOIN device d ON d.id = s.device,"
    " LATERAL (SELECT CASE WHEN u.kind = 1 THEN power(10::numeric, u.exponent) END AS scale) x",
};

tl::expected<void, StoreError> MakeTables(Connection& connection, const std::string& origin) {
  auto done = connection.Ask(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", QuotedName(connection.settings().schema)));
  for (const char* const sql : kTables) {
    if (done) done = connection.Ask(sql);
  }
  if (done) {
    done = connection.Ask("INSERT INTO meta VALUES ('format', $1), ('origin', $2)", {std::to_string(kFormat), origin});
  }
  if (!done) return tl::unexpected(done.error());
  return {};
}

template <typename Enum, typename Name>
Enum EnumOf(std::string_view word, Enum end, Name name) {
  for (int i = 0; i < static_cast<int>(end); ++i) {
    if (name(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  }
  return static_cast<Enum>(0);
}

FieldKind KindOfWord(std::string_view word) {
  for (const FieldKind kind : {FieldKind::kCounter, FieldKind::kState, FieldKind::kFlag, FieldKind::kText}) {
    if (FieldKindName(kind) == word) return kind;
  }
  return FieldKind::kGauge;
}

std::string BooleanText(bool truth) { return truth ? "t" : "f"; }

}  // namespace

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

bool HasDayTable(UtcUs time_us) { return time_us >= kRollupFirst_us && time_us < kRollupEnd_us; }

int64_t DayOf(UtcUs time_us) {
  const int64_t day = time_us / kDay_us;
  return time_us % kDay_us < 0 ? day - 1 : day;
}

std::string DayTable(int64_t day) {
  const CivilTime civil = CivilFromUs(day * kDay_us);
  return fmt::format("reading_{:04}{:02}{:02}", civil.year, civil.month, civil.day);
}

tl::expected<DatabaseFacts, StoreError> LookAtDatabase(Connection& connection) {
  DatabaseFacts facts;
  const auto there =
      connection.Ask("SELECT to_regclass($1) IS NOT NULL", {QuotedName(connection.settings().schema) + ".meta"});
  if (!there) return tl::unexpected(there.error());
  if (!there->Boolean(0, 0)) return facts;
  const auto meta = connection.Ask("SELECT name, value FROM meta");
  if (!meta) return tl::unexpected(meta.error());
  for (int row = 0; row < meta->rows(); ++row) {
    if (meta->Bytes(row, 0) == "origin") facts.origin = meta->Text(row, 1);
    if (meta->Bytes(row, 0) == "format" && meta->Integer(row, 1) != kFormat) {
      return tl::unexpected(StoreError{StoreErrorKind::kWrongVersion,
                                       fmt::format("PostgreSQL at {}: schema {} has format {}, this program knows {}",
                                                   PlaceOfUrl(connection.settings().url), connection.settings().schema,
                                                   meta->Integer(row, 1), kFormat)});
    }
  }
  const auto progress = connection.Ask(
      "SELECT position, series, CASE WHEN isfinite(time) THEN (extract(epoch FROM time) * 1000000)::bigint END"
      " FROM progress");
  if (!progress) return tl::unexpected(progress.error());
  if (progress->rows() != 1) {
    return tl::unexpected(StoreError{StoreErrorKind::kCorrupt, "PostgreSQL: the table progress has not one row"});
  }
  facts.is_made = true;
  facts.position = static_cast<JournalNumber>(progress->Integer(0, 0));
  facts.position_series = progress->Integer(0, 1);
  facts.position_us = progress->IsNull(0, 2) ? INT64_MIN : progress->Integer(0, 2);
  return facts;
}

tl::expected<DatabaseFacts, StoreError> PrepareDatabase(Connection& connection, const std::string& origin) {
  auto facts = LookAtDatabase(connection);
  if (!facts) return facts;
  if (!facts->is_made) {
    auto begun = connection.Ask("BEGIN");
    // Two that start at once: the second waits here and then finds the tables.
    if (begun) begun = connection.Ask("SELECT pg_advisory_xact_lock(hashtext($1))", {connection.settings().schema});
    if (!begun) return tl::unexpected(begun.error());
    facts = LookAtDatabase(connection);
    if (!facts) return facts;
    if (!facts->is_made) {
      if (auto made = MakeTables(connection, origin); !made) {
        static_cast<void>(connection.Ask("ROLLBACK"));
        return tl::unexpected(made.error());
      }
    }
    if (const auto ended = connection.Ask("COMMIT"); !ended) return tl::unexpected(ended.error());
    facts = LookAtDatabase(connection);
    if (!facts) return facts;
  }
  if (facts->origin != origin) {
    return tl::unexpected(StoreError{
        StoreErrorKind::kOther,
        fmt::format("PostgreSQL at {}: schema {} has the history of another data folder; use another database or drop"
                    " the schema",
                    PlaceOfUrl(connection.settings().url), connection.settings().schema)});
  }
  return facts;
}

tl::expected<void, StoreError> WriteDirectory(Connection& connection, const std::vector<Device>& devices,
                                              const std::vector<Series>& series) {
  for (const Device& device : devices) {
    const auto done = connection.Ask(
        "INSERT INTO device VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) ON CONFLICT (id) DO UPDATE SET"
        " (key, protocol, source, identity, identity_on_wire, kind, manufacturer, model, serial, firmware, parent,"
        " name, place) = (excluded.key, excluded.protocol, excluded.source, excluded.identity,"
        " excluded.identity_on_wire, excluded.kind, excluded.manufacturer, excluded.model, excluded.serial,"
        " excluded.firmware, excluded.parent, excluded.name, excluded.place)",
        {std::to_string(device.id), PlainText(device.key), PlainText(device.protocol), PlainText(device.source),
         PlainText(device.identity), BooleanText(device.identity_on_wire), std::string(DeviceKindName(device.kind)),
         PlainText(device.manufacturer), PlainText(device.model), PlainText(device.serial), PlainText(device.firmware),
         std::to_string(device.parent), PlainText(device.name), PlainText(device.place)});
    if (!done) return tl::unexpected(done.error());
  }
  for (const Series& one : series) {
    const SeriesField& field = one.field;
    const std::string id = std::to_string(one.id);
    auto done = connection.Ask(
        "INSERT INTO series VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (id) DO UPDATE SET"
        " (device, field, quantity, unit, decimals, kind, slow, diagnostic) = (excluded.device, excluded.field,"
        " excluded.quantity, excluded.unit, excluded.decimals, excluded.kind, excluded.slow, excluded.diagnostic)",
        {id, std::to_string(one.device), PlainText(field.key), std::string(QuantityName(field.quantity)),
         std::string(StoredUnitText(field.unit)), std::to_string(field.decimals),
         std::string(FieldKindName(field.kind)), BooleanText(field.pace == Pace::kSlow),
         BooleanText(field.diagnostic)});
    if (done) done = connection.Ask("DELETE FROM series_state WHERE series = $1", {id});
    for (const auto& [code, name] : field.states) {
      if (!done) break;
      done = connection.Ask("INSERT INTO series_state VALUES ($1,$2,$3) ON CONFLICT DO NOTHING",
                            {id, std::to_string(code), PlainText(name)});
    }
    if (!done) return tl::unexpected(done.error());
  }
  return {};
}

tl::expected<void, StoreError> ReadDirectory(Connection& connection, std::vector<Device>* devices,
                                             std::vector<Series>* series) {
  const auto rows = connection.Ask(
      "SELECT id, key, protocol, source, identity, identity_on_wire, kind, manufacturer, model, serial, firmware,"
      " parent, name, place FROM device ORDER BY id");
  if (!rows) return tl::unexpected(rows.error());
  for (int row = 0; row < rows->rows(); ++row) {
    Device& device = devices->emplace_back();
    device.id = static_cast<DeviceId>(rows->Integer(row, 0));
    device.key = rows->Text(row, 1);
    device.protocol = rows->Text(row, 2);
    device.source = rows->Text(row, 3);
    device.identity = rows->Text(row, 4);
    device.identity_on_wire = rows->Boolean(row, 5);
    device.kind = EnumOf(rows->Bytes(row, 6), DeviceKind::kCountOfDeviceKinds, DeviceKindName);
    device.manufacturer = rows->Text(row, 7);
    device.model = rows->Text(row, 8);
    device.serial = rows->Text(row, 9);
    device.firmware = rows->Text(row, 10);
    device.parent = static_cast<DeviceId>(rows->Integer(row, 11));
    device.name = rows->Text(row, 12);
    device.place = rows->Text(row, 13);
  }
  const auto fields = connection.Ask(
      "SELECT id, device, field, quantity, unit, decimals, kind, slow, diagnostic FROM series ORDER BY id");
  if (!fields) return tl::unexpected(fields.error());
  for (int row = 0; row < fields->rows(); ++row) {
    Series& one = series->emplace_back();
    one.id = static_cast<SeriesId>(fields->Integer(row, 0));
    one.device = static_cast<DeviceId>(fields->Integer(row, 1));
    one.field.key = fields->Text(row, 2);
    one.field.quantity = EnumOf(fields->Bytes(row, 3), Quantity::kCountOfQuantities, QuantityName);
    one.field.unit = EnumOf(fields->Bytes(row, 4), Unit::kCountOfUnits, StoredUnitText);
    one.field.decimals = static_cast<int8_t>(fields->Integer(row, 5));
    one.field.kind = KindOfWord(fields->Bytes(row, 6));
    one.field.pace = fields->Boolean(row, 7) ? Pace::kSlow : Pace::kFast;
    one.field.diagnostic = fields->Boolean(row, 8);
    if (one.id != series->size() || one.device == 0 || one.device > devices->size()) {
      return tl::unexpected(StoreError{StoreErrorKind::kCorrupt, "PostgreSQL: a row of the table series is missing"});
    }
    (*devices)[one.device - 1].series.push_back(one.id);
  }
  const auto states = connection.Ask("SELECT series, code, name FROM series_state ORDER BY series, code");
  if (!states) return tl::unexpected(states.error());
  for (int row = 0; row < states->rows(); ++row) {
    const auto id = static_cast<size_t>(states->Integer(row, 0));
    if (id == 0 || id > series->size()) continue;
    (*series)[id - 1].field.states.emplace_back(static_cast<uint32_t>(states->Integer(row, 1)), states->Text(row, 2));
  }
  return {};
}

}  // namespace vesta::hub::postgres
