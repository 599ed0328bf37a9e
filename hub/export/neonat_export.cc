// Writing the table of the NEONAT project.
#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

#include "hub/export/cell.h"
#include "hub/export/neonat.h"
#include "hub/export/open_data.h"
#include "hub/export/series_stream.h"
#include "hub/store/sqlite_db.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

constexpr uint64_t kRowsPerTransaction = 10000;

constexpr char kTable[] =
    "CREATE TABLE donnees (id INTEGER PRIMARY KEY, unique_id TEXT, timestamp DATE, T_periph TEXT, T_centr TEXT,"
    " humidite TEXT, t_air TEXT, rwp TEXT, d_skin TEXT, lum TEXT, NL TEXT, CHP TEXT, W_date TEXT)";
constexpr char kInsert[] =
    "INSERT INTO donnees (unique_id, timestamp, T_periph, T_centr, humidite, t_air, rwp, d_skin, lum, NL, CHP, W_date)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

std::string StampOf(UtcUs us, int offset_min) {
  const CivilTime t = CivilFromUs(us + offset_min * 60 * kUsPerSecond);
  return fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
}

// The node's id where the device came through one, else the export's name of the device.
std::string UniqueId(const ExportDevice& device) {
  const size_t slash = device.identity.find('/');
  return slash == std::string::npos ? device.key : device.identity.substr(0, slash);
}

// The only text of the table: "01-12" is "112" there.
std::string AsInTheTable(std::string_view day_and_month) {
  std::string text(day_and_month);
  if (text.size() == 5 && text[2] == '-') text.erase(2, 1);
  if (text.size() == 4 && text[0] == '0') text.erase(0, 1);
  return text;
}

class TableWriter {
 public:
  TableWriter(SqliteDb& db, int offset_min) : db_(db), offset_min_(offset_min), insert_(db.Prepare(kInsert)) {}

  bool valid() const { return insert_.valid(); }

  tl::expected<void, std::string> WriteDevice(const ExportPlan& plan, const ExportDevice& device, StoreReader& reader) {
    std::vector<SeriesId> ids;
    std::map<SeriesId, size_t> columns;
    int64_t shift_us = 0;
    for (size_t i = 0; i < device.series_count; ++i) {
      const ExportSeries& series = plan.series[device.first_series + i];
      for (size_t column = 0; column < NeonatColumns().size(); ++column) {
        if (NeonatColumns()[column].field != series.field.key) continue;
        ids.push_back(series.id);
        columns[series.id] = column;
        shift_us = series.shift_us;
      }
    }
    if (ids.empty()) return {};
    MergedStream stream(ids, plan.request.from_us, plan.request.to_us, kPageRecords);
    const std::string unique_id = UniqueId(device);
    // Rows of one instant, by index: the original may have several.
    std::map<uint16_t, std::vector<std::string>> open;
    UtcUs open_us = kNoTime;
    while (true) {
      auto next = stream.Peek(reader);
      if (!next) return tl::unexpected(next.error().text);
      if (*next == nullptr || (*next)->time_us != open_us) {
        for (const auto& [index, cells] : open) {
          if (auto done = WriteRow(unique_id, open_us + shift_us, cells); !done) return done;
        }
        open.clear();
        if (*next == nullptr) return {};
        open_us = (*next)->time_us;
      }
      const Record& record = **next;
      if (!record.value.is_none()) {
        auto& cells = open[record.index];
        cells.resize(NeonatColumns().size());
        std::string& cell = cells[columns[record.series]];
        cell.clear();
        if (record.value.kind() == ValueKind::kText) {
          cell = AsInTheTable(record.value.text());
        } else {
          AppendNumber(record.value, &cell);
        }
      }
      stream.Advance();
    }
  }

  uint64_t rows() const { return rows_; }

 private:
  tl::expected<void, std::string> WriteRow(const std::string& unique_id, UtcUs time_us,
                                           const std::vector<std::string>& cells) {
    const std::string stamp = StampOf(time_us, offset_min_);
    insert_.BindText(1, unique_id);
    insert_.BindText(2, stamp);
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) {
        insert_.BindNull(static_cast<int>(3 + i));
      } else {
        insert_.BindText(static_cast<int>(3 + i), cells[i]);
      }
    }
    if (insert_.Run() != SQLITE_DONE) return tl::unexpected(db_.Error("writing the table").text);
    if (++rows_ % kRowsPerTransaction == 0 && db_.Execute("COMMIT; BEGIN") != SQLITE_OK) {
      return tl::unexpected(db_.Error("writing the table").text);
    }
    return {};
  }

  SqliteDb& db_;
  int offset_min_;
  Statement insert_;
  uint64_t rows_ = 0;
};

}  // namespace

tl::expected<uint64_t, std::string> ExportNeonat(const std::string& folder, ExportRequest request,
                                                 const std::string& file, int stamp_offset_min) {
  struct stat status {};
  if (stat(file.c_str(), &status) == 0)
    return tl::unexpected(fmt::format("{} is there already: give another name", file));
  auto data = OpenDataFolder(folder);
  if (!data) return tl::unexpected(data.error());
  auto plan = PlanExport(std::move(request), data->devices, data->series);
  if (!plan) return tl::unexpected(plan.error());
  auto db = SqliteDb::Open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
  if (!db) return tl::unexpected(db.error().text);
  if (db->Execute(kTable) != SQLITE_OK || db->Execute("BEGIN") != SQLITE_OK) {
    return tl::unexpected(db->Error("making the table").text);
  }
  TableWriter writer(*db, stamp_offset_min);
  if (!writer.valid()) return tl::unexpected(db->Error("writing the table").text);
  for (const ExportDevice& device : plan->devices) {
    if (device.protocol != "medibus") continue;
    if (auto done = writer.WriteDevice(*plan, device, *data->reader); !done) return tl::unexpected(done.error());
  }
  if (db->Execute("COMMIT") != SQLITE_OK) return tl::unexpected(db->Error("writing the table").text);
  return writer.rows();
}

}  // namespace vesta::hub
