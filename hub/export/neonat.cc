// Reading the table and telling right rows from shifted ones.
#include "hub/export/neonat.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "hub/catalog/catalog.h"
#include "hub/export/store_import.h"
#include "hub/store/sqlite_db.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

constexpr size_t kMaxCell = 64;
constexpr size_t kPeripheral = 0, kCentral = 1, kDelta = 5, kDate = 9;
// Central minus peripheral, as the device rounds it.
constexpr int32_t kDeltaTolerance = 2;
constexpr uint64_t kProgressEvery = 1000;

constexpr NeonatColumn kColumns[] = {
    {"T_periph", "skin_temp_peripheral", 1, 100, 450},
    {"T_centr", "skin_temp_central", 1, 100, 450},
    {"humidite", "humidity_relative", 0, 0, 100},
    {"t_air", "air_temp", 1, 100, 450},
    {"rwp", "radiant_heater_power", 0, 0, 100},
    {"d_skin", "skin_temp_delta", 1, -250, 250},
    {"lum", "light_level", 0, 0, 9999},
    {"NL", "noise_level", 0, 0, 150},
    {"CHP", "convective_heater_power", 0, 0, 100},
    {"W_date", "weight_date", 0, 0, 0},
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "YYYY/MM/DD HH:MM:SS", zeros may be missing, or the same with dashes (some tools store dates so).
UtcUs ReadStamp(std::string_view text, int offset_min) {
  uint32_t parts[6] = {};
  for (size_t i = 0; i < 6; ++i) {
    size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      parts[i] = parts[i] * 10 + static_cast<uint32_t>(text[digits++] - '0');
    }
    if (digits == 0) return kNoTime;
    text.remove_prefix(digits);
    if (i == 5) break;
    const std::string_view ends = i < 2 ? "/-" : i == 2 ? " T" : ":";
    if (text.empty() || ends.find(text.front()) == std::string_view::npos) return kNoTime;
    text.remove_prefix(1);
  }
  const bool real = text.empty() && parts[0] >= 1970 && parts[1] >= 1 && parts[1] <= 12 && parts[2] >= 1 &&
                    parts[2] <= DaysInMonth(static_cast<int32_t>(parts[0]), parts[1]) && parts[3] < 24 &&
                    parts[4] < 60 && parts[5] < 60;
  if (!real) return kNoTime;
  return CivilToUs({static_cast<int32_t>(parts[0]), static_cast<uint8_t>(parts[1]), static_cast<uint8_t>(parts[2]),
                    static_cast<uint8_t>(parts[3]), static_cast<uint8_t>(parts[4]), static_cast<uint8_t>(parts[5])}) -
         offset_min * 60 * kUsPerSecond;
}

// Three or four digits, day and month: "101", "0101", "2412".
bool IsDayAndMonth(std::string_view text) {
  text = Trim(text);
  if (text.size() < 3 || text.size() > 4 || text.find_first_not_of("0123456789") != std::string_view::npos)
    return false;
  int number = 0;
  for (const char c : text) number = number * 10 + (c - '0');
  const int day = number / 100;
  const int month = number % 100;
  return month >= 1 && month <= 12 && day >= 1 &&
         day <= static_cast<int>(DaysInMonth(2024, static_cast<uint32_t>(month)));
}

// As the decoder writes it: "01-12".
std::string AsDayAndMonth(std::string_view digits) {
  const std::string text = (digits.size() == 3 ? "0" : "") + std::string(digits);
  return text.substr(0, 2) + "-" + text.substr(2);
}

std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 16)) shown += c >= ' ' && c < 0x7F ? c : '?';
  return shown;
}

// What is wrong with one value, "" when nothing is.
std::string JudgeValue(const NeonatColumn& column, size_t place, NeonatValue* value) {
  const std::string_view text = Trim(value->raw);
  if (text.empty()) {
    value->present = false;
    return "";
  }
  if (place == kDate) {
    return IsDayAndMonth(text) ? "" : fmt::format("{} is \"{}\", not a day and month", column.column, Shown(text));
  }
  value->is_number = ParseDecimal(text, &value->value);
  if (!value->is_number) return fmt::format("{} is \"{}\", not a number", column.column, Shown(text));
  if (value->value.exponent != -column.decimals) {
    return fmt::format("{} is \"{}\", the device sends {}", column.column, Shown(text),
                       column.decimals == 0 ? "whole numbers there" : "one decimal there");
  }
  if (value->value.mantissa < column.least || value->value.mantissa > column.most) {
    return fmt::format("{} is {}, which cannot be", column.column, Shown(text));
  }
  return "";
}

const Field* FindMedibusField(std::string_view key) {
  for (const ProtocolEntry& protocol : Protocols()) {
    if (protocol.name != "medibus") continue;
    for (const Field& field : protocol.fields) {
      if (key == field.key) return &field;
    }
  }
  return nullptr;
}

class Importer {
 public:
  Importer(const NeonatImportOptions& options, StoreImport& store) : options_(options), store_(store) {
    for (size_t i = 0; i < std::size(kColumns); ++i) fields_[i] = FindMedibusField(kColumns[i].field);
  }

  tl::expected<void, std::string> Take(const NeonatRow& row) {
    ++report.rows;
    if (row.verdict != NeonatVerdict::kGood && report.named.size() < kMaxNamedRows) {
      report.named.emplace_back(row.id, row.reason);
    }
    if (row.verdict == NeonatVerdict::kNoTime || row.verdict == NeonatVerdict::kNoId) {
      ++report.rejected_rows;
      return {};
    }
    const bool shifted = row.verdict == NeonatVerdict::kShifted;
    report.shifted_rows += shifted;
    for (size_t i = 0; i < row.values.size(); ++i) {
      const NeonatValue& value = row.values[i];
      if (!value.present) continue;
      if (i != kDate && !value.is_number) {
        ++report.rejected_values;
        continue;
      }
      if (i == kDate && shifted && !IsDayAndMonth(value.raw)) {
        ++report.rejected_values;
        continue;
      }
      if (fields_[i] == nullptr) continue;
      Record record;
      record.series = SeriesOf(row.unique_id, i);
      if (record.series == 0) return tl::unexpected(std::string("the hub knows too many devices already"));
      record.time_us = row.time_us;
      record.received_us = row.time_us;
      record.time_quality = TimeQuality::kDeviceClock;
      record.index = row.repeat;
      record.flags = kReadingLate;
      record.quality = shifted ? ValueQuality::kSuspect : ValueQuality::kOk;
      const std::string date = i == kDate ? AsDayAndMonth(Trim(value.raw)) : std::string();
      record.value = i == kDate ? Value::OfText(date) : Value::OfDecimal(value.value);
      if (auto added = store_.Add(record); !added) return added;
    }
    return {};
  }

  NeonatReport report;

 private:
  // As a MEDIBUS message of this node through a broker would name it, so that old and new readings share their series.
  SeriesId SeriesOf(const std::string& node, size_t place) {
    auto& series = series_[node];
    if (series[place] == 0) {
      DeviceInfo info;
      const std::string identity = node + "/unidentified";
      info.identity = identity;
      info.kind = DeviceKind::kIncubator;
      const DeviceId device = store_.directory().Resolve("medibus", options_.source, info, 0);
      series[place] = device == 0 ? 0 : store_.directory().ResolveSeries(device, *fields_[place]);
    }
    return series[place];
  }

  const NeonatImportOptions& options_;
  StoreImport& store_;
  std::array<const Field*, std::size(kColumns)> fields_{};
  std::map<std::string, std::array<SeriesId, std::size(kColumns)>> series_;
};

// The columns that the table has, in our order; NULL where it lacks one.
tl::expected<std::string, std::string> SelectOf(SqliteDb& db) {
  Statement columns = db.Prepare("SELECT name FROM pragma_table_info('donnees')");
  if (!columns.valid()) return tl::unexpected(db.Error("reading the table").text);
  std::vector<std::string> there;
  while (columns.Step() == SQLITE_ROW) there.emplace_back(columns.Text(0));
  const auto has = [&](std::string_view name) { return std::find(there.begin(), there.end(), name) != there.end(); };
  for (const std::string_view needed : {"id", "unique_id", "timestamp"}) {
    if (!has(needed)) {
      return tl::unexpected(fmt::format("{}: there is no table donnees with the column {}", db.path(), needed));
    }
  }
  std::string sql =
      "SELECT id, unique_id, timestamp, row_number() OVER (PARTITION BY unique_id, timestamp ORDER BY id) - 1";
  for (const NeonatColumn& column : kColumns) {
    sql += has(column.column) ? fmt::format(", \"{}\"", column.column) : std::string(", NULL");
  }
  return sql + " FROM donnees ORDER BY id";
}

}  // namespace

std::span<const NeonatColumn> NeonatColumns() { return kColumns; }

void JudgeNeonatRow(NeonatRow* row, int offset_min) {
  row->verdict = NeonatVerdict::kGood;
  row->reason.clear();
  row->time_us = ReadStamp(Trim(row->timestamp), offset_min);
  for (size_t i = 0; i < row->values.size(); ++i) {
    NeonatValue& value = row->values[i];
    if (!value.present) continue;
    const std::string wrong = JudgeValue(kColumns[i], i, &value);
    if (wrong.empty()) continue;
    row->verdict = NeonatVerdict::kShifted;
    if (row->reason.empty()) row->reason = wrong;
  }
  const NeonatValue& peripheral = row->values[kPeripheral];
  const NeonatValue& central = row->values[kCentral];
  const NeonatValue& delta = row->values[kDelta];
  if (row->verdict == NeonatVerdict::kGood && peripheral.present && central.present && delta.present) {
    const int64_t off = central.value.mantissa - peripheral.value.mantissa - delta.value.mantissa;
    if (off > kDeltaTolerance || off < -kDeltaTolerance) {
      row->verdict = NeonatVerdict::kShifted;
      row->reason = "d_skin is not T_centr minus T_periph";
    }
  }
  const std::string_view id = Trim(row->unique_id);
  if (id.empty() || id.size() > kMaxCell || id.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    row->verdict = NeonatVerdict::kNoId;
    row->reason = fmt::format("unique_id \"{}\" is no chip id", Shown(id));
  } else if (row->time_us == kNoTime) {
    row->verdict = NeonatVerdict::kNoTime;
    row->reason = fmt::format("timestamp \"{}\" is no time", Shown(row->timestamp));
  }
}

tl::expected<NeonatReport, std::string> ImportNeonat(const NeonatImportOptions& options,
                                                     const std::function<void(uint64_t, uint64_t)>& progress) {
  auto db = SqliteDb::Open(options.file, SQLITE_OPEN_READONLY, "");
  if (!db) return tl::unexpected(db.error().text);
  // The file is of strangers: its schema may not run code.
  sqlite3_db_config(db->get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db->get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  const auto sql = SelectOf(*db);
  if (!sql) return tl::unexpected(sql.error());
  const auto total = db->Integer("SELECT count(*) FROM donnees");
  if (!total) return tl::unexpected(total.error().text);
  Statement rows = db->Prepare(sql->c_str());
  if (!rows.valid()) return tl::unexpected(db->Error("reading the table").text);
  auto store = StoreImport::Open(options.folder);
  if (!store) return tl::unexpected(store.error());
  Importer importer(options, **store);
  int code = rows.Step();
  for (; code == SQLITE_ROW; code = rows.Step()) {
    NeonatRow row;
    row.id = rows.Integer(0);
    row.unique_id = Trim(rows.Text(1));
    row.timestamp = rows.Text(2);
    row.repeat = static_cast<uint16_t>(std::min<int64_t>(rows.Integer(3), UINT16_MAX));
    for (size_t i = 0; i < std::size(kColumns); ++i) {
      NeonatValue value;
      value.present = !rows.IsNull(static_cast<int>(4 + i));
      value.raw = rows.Text(static_cast<int>(4 + i)).substr(0, kMaxCell);
      row.values.push_back(std::move(value));
    }
    JudgeNeonatRow(&row, options.stamp_offset_min);
    if (auto taken = importer.Take(row); !taken) return tl::unexpected(taken.error());
    if (importer.report.rows % kProgressEvery == 0) progress(importer.report.rows, static_cast<uint64_t>(*total));
  }
  if (code != SQLITE_DONE) return tl::unexpected(db->Error("reading the table").text);
  if (auto done = (*store)->Finish(); !done) return tl::unexpected(done.error());
  progress(importer.report.rows, static_cast<uint64_t>(*total));
  importer.report.readings = (*store)->imported();
  importer.report.already_there = (*store)->already_there();
  return importer.report;
}

}  // namespace vesta::hub
