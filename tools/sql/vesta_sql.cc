// An extension for SQLite that shows the readings of a vesta.db as rows: SELECT ... FROM plain, from any tool that can
// load it. docs/formats/store.md has an example.
//
// Loading it gives the connection the table-valued function vesta_reading(from_us, to_us), which goes through
// the blocks, and the journal beside the file, page by page with the store's own reader; the view `plain` in the file
// puts names to it. Conditions on series and time_us reach the function, so a question costs what it asks for. Nothing
// is written. A file of a running hub may be read.
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/store/sqlite_reader.h"
#include "model/value.h"

namespace {

using vesta::UtcUs;
using vesta::Value;
using vesta::ValueKind;
using vesta::hub::Record;
using vesta::hub::RecordBatch;
using vesta::hub::SeriesId;

// Readings fetched at a time.
constexpr size_t kPage = 4096;
// Of one time more than this can't be told apart from a store that is damaged.
constexpr size_t kLargestPage = 1u << 20;

enum Column {
  kSeries,
  kTimeUs,
  kNumber,
  kValue,
  kDigits,
  kKind,
  kQuality,
  kTimeFrom,
  kLate,
  kRepaired,
  kIndex,
  kReceivedUs,
  kFrame,
  kFromUs,
  kToUs
};
constexpr char kColumns[] =
    "CREATE TABLE x(series INTEGER, time_us INTEGER, number INTEGER, value, digits TEXT, kind TEXT, quality TEXT,"
    " time_from TEXT, late INTEGER, repaired INTEGER, \"index\" INTEGER, received_us INTEGER, frame INTEGER,"
    " from_us INTEGER HIDDEN, to_us INTEGER HIDDEN)";

struct Table : sqlite3_vtab {
  sqlite3* db = nullptr;
};

// What xBestIndex found out for xFilter: one letter for each argument, in order.
enum Plan : char { kOneSeries = 's', kFrom = 'f', kAfter = 'a', kTo = 't', kUntil = 'u' };

struct Cursor : sqlite3_vtab_cursor {
  std::unique_ptr<vesta::hub::SqliteReader> reader;
  std::vector<SeriesId> series;
  size_t at_series = 0;
  UtcUs from_us = INT64_MIN;
  UtcUs to_us = INT64_MAX;
  UtcUs next_us = INT64_MIN;
  uint64_t last_number = 0;
  bool whole = false;  // of this series there are no further pages
  RecordBatch batch;
  size_t at = 0;

  bool ended() const { return at_series >= series.size(); }
  const Record& record() const { return batch.records[at]; }
};

int Fail(sqlite3_vtab* table, const std::string& text) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", text.c_str());
  return SQLITE_ERROR;
}

// The next page of the series at hand, or of the next one that has readings.
int Fetch(Cursor* cursor) {
  size_t limit = kPage;
  while (!cursor->ended()) {
    if (cursor->whole) {
      ++cursor->at_series;
      cursor->next_us = cursor->from_us;
      cursor->last_number = 0;
      cursor->whole = false;
      continue;
    }
    auto page = cursor->reader->ReadRange(cursor->series[cursor->at_series], cursor->next_us, cursor->to_us, limit);
    if (!page) return Fail(cursor->pVtab, page.error().text);
    cursor->batch = std::move(*page);
    const std::vector<Record>& records = cursor->batch.records;
    cursor->whole = records.size() < limit;
    // A page begins at the last time of the one before: what was given of that is passed over.
    cursor->at = 0;
    while (cursor->at < records.size() && cursor->last_number != 0 && records[cursor->at].time_us == cursor->next_us &&
           records[cursor->at].number <= cursor->last_number) {
      ++cursor->at;
    }
    if (cursor->at < records.size()) {
      cursor->next_us = records.back().time_us;
      cursor->last_number = records.back().number;
      return SQLITE_OK;
    }
    if (!cursor->whole && (limit *= 2) > kLargestPage) {
      return Fail(cursor->pVtab, "too many readings of one time in a series");
    }
  }
  return SQLITE_OK;
}

int Connect(sqlite3* db, void*, int, const char* const*, sqlite3_vtab** out, char**) {
  if (const int code = sqlite3_declare_vtab(db, kColumns); code != SQLITE_OK) return code;
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  auto table = std::make_unique<Table>();
  table->db = db;
  *out = table.release();
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab*, sqlite3_index_info* info) {
  std::string plan;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable == 0) continue;
    char letter = 0;
    const bool is_equal = constraint.op == SQLITE_INDEX_CONSTRAINT_EQ;
    if (constraint.iColumn == kSeries && is_equal) letter = kOneSeries;
    if (constraint.iColumn == kFromUs && is_equal) letter = kFrom;
    if (constraint.iColumn == kToUs && is_equal) letter = kTo;
    if (constraint.iColumn == kTimeUs) {
      if (constraint.op == SQLITE_INDEX_CONSTRAINT_GE) letter = kFrom;
      if (constraint.op == SQLITE_INDEX_CONSTRAINT_GT) letter = kAfter;
      if (constraint.op == SQLITE_INDEX_CONSTRAINT_LT) letter = kTo;
      if (constraint.op == SQLITE_INDEX_CONSTRAINT_LE) letter = kUntil;
    }
    if (letter == 0) continue;
    plan += letter;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size());
    // Only what can't be asked of a row is done with; all else SQLite checks once more.
    info->aConstraintUsage[i].omit = constraint.iColumn >= kFromUs ? 1 : 0;
  }
  const bool one = plan.find(kOneSeries) != std::string::npos;
  const bool span = plan.find_first_not_of(kOneSeries) != std::string::npos;
  info->estimatedCost = (one ? 1e4 : 1e7) / (span ? 100 : 1);
  info->estimatedRows = static_cast<sqlite3_int64>(info->estimatedCost);
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  info->needToFreeIdxStr = 1;
  return info->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int Open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new Cursor();
  return SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int AllSeries(sqlite3* db, std::vector<SeriesId>* series) {
  sqlite3_stmt* rows = nullptr;
  int code = sqlite3_prepare_v2(db, "SELECT id FROM series ORDER BY id", -1, &rows, nullptr);
  while (code == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW) {
    series->push_back(static_cast<SeriesId>(sqlite3_column_int64(rows, 0)));
  }
  sqlite3_finalize(rows);
  return code;
}

int Filter(sqlite3_vtab_cursor* base, int, const char* plan, int count, sqlite3_value** values) {
  auto* const cursor = static_cast<Cursor*>(base);
  const auto& table = *static_cast<Table*>(base->pVtab);
  cursor->series.clear();
  cursor->at_series = cursor->at = 0;
  cursor->batch = {};
  cursor->whole = false;
  cursor->last_number = 0;
  cursor->from_us = INT64_MIN;
  cursor->to_us = INT64_MAX;
  std::optional<SeriesId> wanted;
  for (int i = 0; i < count; ++i) {
    // A bound that is no number is checked by SQLite alone.
    if (plan[i] != kOneSeries && sqlite3_value_numeric_type(values[i]) != SQLITE_INTEGER) continue;
    const int64_t number = sqlite3_value_int64(values[i]);
    if (plan[i] == kOneSeries) {
      wanted = number > 0 && number <= UINT32_MAX ? static_cast<SeriesId>(number) : 0;
    } else if (plan[i] == kFrom) {
      cursor->from_us = std::max(cursor->from_us, number);
    } else if (plan[i] == kAfter && number < INT64_MAX) {
      cursor->from_us = std::max(cursor->from_us, number + 1);
    } else if (plan[i] == kTo) {
      cursor->to_us = std::min(cursor->to_us, number);
    } else if (plan[i] == kUntil && number < INT64_MAX) {
      cursor->to_us = std::min(cursor->to_us, number + 1);
    }
  }
  cursor->next_us = cursor->from_us;
  if (cursor->reader == nullptr) {
    const char* const file = sqlite3_db_filename(table.db, "main");
    if (file == nullptr || *file == '\0') return Fail(base->pVtab, "open a vesta.db first");
    auto reader = vesta::hub::SqliteReader::Open(file, "");
    if (!reader) return Fail(base->pVtab, reader.error().text);
    cursor->reader = std::move(*reader);
  }
  if (wanted) {
    if (*wanted != 0) cursor->series.push_back(*wanted);
  } else if (const int code = AllSeries(table.db, &cursor->series); code != SQLITE_OK) {
    return code;
  }
  return Fetch(cursor);
}

int Next(sqlite3_vtab_cursor* base) {
  auto* const cursor = static_cast<Cursor*>(base);
  return ++cursor->at < cursor->batch.records.size() ? SQLITE_OK : Fetch(cursor);
}

int AtEnd(sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor)->ended() ? 1 : 0; }

void ResultText(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void ResultValue(sqlite3_context* context, const Value& value) {
  switch (value.kind()) {
    case ValueKind::kDecimal:
      if (value.decimal().exponent == 0) return sqlite3_result_int64(context, value.decimal().mantissa);
      return sqlite3_result_double(context, value.ToDouble());
    case ValueKind::kReal:
      return sqlite3_result_double(context, value.real());
    case ValueKind::kText:
      return ResultText(context, value.text());
    case ValueKind::kState:
      return sqlite3_result_int64(context, value.state());
    case ValueKind::kNone:
      return sqlite3_result_null(context);
  }
}

int ColumnOf(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  constexpr const char* kKinds[] = {"none", "decimal", "real", "text", "state"};
  constexpr const char* kQualities[] = {"ok", "unavailable", "out_of_range", "suspect", "derived"};
  constexpr const char* kTimes[] = {"device", "hub", "hub_unsynchronised", "back_dated"};
  const Record& record = static_cast<Cursor*>(base)->record();
  switch (column) {
    case kSeries:
      sqlite3_result_int64(context, record.series);
      break;
    case kTimeUs:
      sqlite3_result_int64(context, record.time_us);
      break;
    case kNumber:
      sqlite3_result_int64(context, static_cast<sqlite3_int64>(record.number));
      break;
    case kValue:
      ResultValue(context, record.value);
      break;
    case kDigits:
      if (record.value.kind() == ValueKind::kDecimal) {
        char text[vesta::kDecimalTextSize];
        ResultText(context, {text, vesta::FormatDecimal(record.value.decimal(), text)});
      }
      break;
    case kKind:
      ResultText(context, kKinds[static_cast<size_t>(record.value.kind())]);
      break;
    case kQuality:
      ResultText(context, kQualities[std::min<size_t>(static_cast<size_t>(record.quality), 4)]);
      break;
    case kTimeFrom:
      ResultText(context, kTimes[static_cast<size_t>(record.time_quality) & 3]);
      break;
    case kLate:
      sqlite3_result_int(context, (record.flags & vesta::kReadingLate) != 0 ? 1 : 0);
      break;
    case kRepaired:
      sqlite3_result_int(context, (record.flags & vesta::kReadingRepaired) != 0 ? 1 : 0);
      break;
    case kIndex:
      sqlite3_result_int(context, record.index);
      break;
    case kReceivedUs:
      sqlite3_result_int64(context, record.received_us);
      break;
    case kFrame:
      sqlite3_result_int64(context, static_cast<sqlite3_int64>(record.frame));
      break;
    default:
      sqlite3_result_null(context);
  }
  return SQLITE_OK;
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(static_cast<Cursor*>(cursor)->record().number);
  return SQLITE_OK;
}

sqlite3_module MakeModule() {
  sqlite3_module module{};
  module.xConnect = Connect;  // no xCreate: it is there without being created
  module.xBestIndex = BestIndex;
  module.xDisconnect = Disconnect;
  module.xOpen = Open;
  module.xClose = Close;
  module.xFilter = Filter;
  module.xNext = Next;
  module.xEof = AtEnd;
  module.xColumn = ColumnOf;
  module.xRowid = RowId;
  return module;
}

}  // namespace

// Called by SQLite; the name is what it derives from the file's, libvesta_sql.so or vesta_sql.so.
extern "C" __attribute__((visibility("default"))) int sqlite3_vestasql_init(sqlite3* db, char**, const void*) {
  static const sqlite3_module module = MakeModule();
  return sqlite3_create_module_v2(db, "vesta_reading", &module, nullptr, nullptr);
}
