// CSV: long (a line a reading, everything in it) and wide (a line an instant, a column a series).
#include <optional>

#include "formats/json_writer.h"
#include "hub/export/cell.h"
#include "hub/export/long_export.h"
#include "hub/export/series_stream.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLongHeader =
    "time,device,protocol,field,kind,value,name,unit,quality,time_from,flags,index,received";
// Readings a page of each column: a table may have many.
constexpr size_t kWidePage = 128;

void AppendTime(UtcUs us, std::string* out) {
  char text[kIso8601Size];
  if (us != kNoTime) out->append(text, FormatIso8601(us, text));
}

void AppendStateName(const SeriesField& field, uint32_t code, std::string* out) {
  const std::string_view name = field.StateName(code);
  if (!name.empty()) return AppendTextCell(name, out);
  char unknown[kUnknownStateSize];
  out->append(unknown, FormatUnknownState(code, unknown));
}

class CsvRows final : public RowWriter {
 public:
  void Begin(const ExportPlan&, std::string* out) override { (*out += kLongHeader) += kLineEnd; }

  void Row(const ExportSeries& series, const Record& record, std::string* out) override {
    const Value& value = record.value;
    AppendTime(record.time_us, out);
    *out += ',';
    AppendTextCell(series.device, out);
    *out += ',';
    AppendTextCell(series.protocol, out);
    *out += ',';
    AppendTextCell(series.field.key, out);
    *out += ',';
    *out += ExportValueKindName(value.kind());
    *out += ',';
    if (value.kind() == ValueKind::kText) {
      AppendTextCell(value.text(), out);
    } else {
      AppendNumber(value, out);
    }
    *out += ',';
    if (value.kind() == ValueKind::kState) AppendStateName(series.field, value.state(), out);
    *out += ',';
    AppendTextCell(UnitText(series.field.unit), out);
    *out += ',';
    *out += ExportQualityName(record.quality);
    *out += ',';
    *out += ExportTimeName(record.time_quality);
    *out += ',';
    *out += ExportFlags(record.flags);
    *out += ',';
    *out += std::to_string(record.index);
    *out += ',';
    AppendTime(record.received_us, out);
    *out += kLineEnd;
  }
};

class WideExporter final : public Exporter {
 public:
  explicit WideExporter(ExportPlan plan) : plan_(std::move(plan)), cells_(plan_.series.size()) {}

  tl::expected<bool, StoreError> Next(StoreReader& reader, std::string* out) override {
    const size_t end = out->size() + kPieceBytes;
    if (!begun_) Begin(out);
    while (out->size() < end) {
      // Device by device: each has its own shift, and in one device the values of a frame share their time.
      if (!stream_) {
        if (at_ == plan_.devices.size()) return false;
        OpenDevice(plan_.devices[at_]);
      }
      auto next = stream_->Peek(reader);
      if (!next) return tl::unexpected(next.error());
      const bool same_row = *next != nullptr && row_open_ && (*next)->time_us == row_us_;
      if (row_open_ && !same_row) WriteRow(out);
      if (*next == nullptr) {
        stream_.reset();
        ++at_;
        continue;
      }
      Take(**next);
      stream_->Advance();
    }
    return true;
  }

 private:
  void Begin(std::string* out) {
    begun_ = true;
    *out += "time,device";
    columns_.reserve(plan_.series.size());
    for (const ExportSeries& series : plan_.series) {
      std::string title = series.field.key;
      const std::string_view unit = UnitText(series.field.unit);
      if (!unit.empty()) title += " [" + std::string(unit) + "]";
      size_t column = 0;
      while (column < titles_.size() && titles_[column] != title) ++column;
      if (column == titles_.size()) titles_.push_back(title);
      columns_.push_back(column);
    }
    for (const std::string& title : titles_) {
      *out += ',';
      AppendTextCell(title, out);
    }
    *out += kLineEnd;
    cells_.assign(titles_.size(), {});
  }

  void OpenDevice(const ExportDevice& device) {
    std::vector<SeriesId> ids;
    for (size_t i = 0; i < device.series_count; ++i) ids.push_back(plan_.series[device.first_series + i].id);
    stream_.emplace(ids, plan_.request.from_us, plan_.request.to_us, kWidePage);
  }

  void Take(const Record& record) {
    const ExportDevice& device = plan_.devices[at_];
    size_t place = device.first_series;
    while (plan_.series[place].id != record.series) ++place;
    row_open_ = true;
    row_us_ = record.time_us;
    ++readings_;
    // A cell holds what may be taken for the value: no suspect and no impossible ones, and the last one of an instant.
    if (record.quality != ValueQuality::kOk && record.quality != ValueQuality::kDerived) return;
    std::string& cell = cells_[columns_[place]];
    cell.clear();
    if (record.value.kind() == ValueKind::kText) {
      AppendTextCell(record.value.text(), &cell);
    } else if (record.value.kind() == ValueKind::kState) {
      AppendStateName(plan_.series[place].field, record.value.state(), &cell);
    } else {
      AppendNumber(record.value, &cell);
    }
  }

  void WriteRow(std::string* out) {
    const ExportDevice& device = plan_.devices[at_];
    const int64_t shift_us = device.series_count == 0 ? 0 : plan_.series[device.first_series].shift_us;
    AppendTime(row_us_ + shift_us, out);
    *out += ',';
    AppendTextCell(device.key, out);
    for (std::string& cell : cells_) {
      *out += ',';
      *out += cell;
      cell.clear();
    }
    *out += kLineEnd;
    row_open_ = false;
  }

  ExportPlan plan_;
  std::vector<std::string> titles_;
  std::vector<size_t> columns_;  // of each series
  std::vector<std::string> cells_;
  std::optional<MergedStream> stream_;
  size_t at_ = 0;
  UtcUs row_us_ = 0;
  bool row_open_ = false;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> MakeCsvRows() { return std::make_unique<CsvRows>(); }
std::unique_ptr<Exporter> MakeWideExporter(ExportPlan plan) { return std::make_unique<WideExporter>(std::move(plan)); }

}  // namespace vesta::hub
