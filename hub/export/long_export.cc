#include "hub/export/long_export.h"

#include <optional>

#include "hub/export/series_stream.h"

namespace vesta::hub {
namespace {

class LongExporter final : public Exporter {
 public:
  LongExporter(ExportPlan plan, std::unique_ptr<RowWriter> rows) : plan_(std::move(plan)), rows_(std::move(rows)) {}

  tl::expected<bool, StoreError> Next(StoreReader& reader, std::string* out) override {
    const size_t end = out->size() + kPieceBytes;
    if (!begun_) {
      begun_ = true;
      rows_->Begin(plan_, out);
    }
    while (at_ < plan_.series.size()) {
      const ExportSeries& series = plan_.series[at_];
      if (!stream_) stream_.emplace(series.id, plan_.request.from_us, plan_.request.to_us);
      while (true) {
        if (out->size() >= end) return true;
        auto next = stream_->Peek(reader);
        if (!next) return tl::unexpected(next.error());
        if (*next == nullptr) break;
        Record record = **next;
        record.time_us += series.shift_us;
        record.received_us += series.shift_us;
        rows_->Row(series, record, out);
        ++readings_;
        stream_->Advance();
      }
      stream_.reset();
      ++at_;
    }
    rows_->End(out);
    return false;
  }

 private:
  ExportPlan plan_;
  std::unique_ptr<RowWriter> rows_;
  std::optional<SeriesStream> stream_;
  size_t at_ = 0;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Exporter> MakeLongExporter(ExportPlan plan, std::unique_ptr<RowWriter> rows) {
  return std::make_unique<LongExporter>(std::move(plan), std::move(rows));
}

std::unique_ptr<Exporter> MakeExporter(ExportPlan plan) {
  const bool hide = plan.request.privacy.has_value();
  switch (plan.request.format) {
    case ExportFormat::kCsvWide:
      return MakeWideExporter(std::move(plan));
    case ExportFormat::kJsonLines:
      return MakeLongExporter(std::move(plan), MakeJsonRows(hide));
    case ExportFormat::kFhir:
      return MakeLongExporter(std::move(plan), MakeFhirRows());
    case ExportFormat::kDayLog:
      return MakeDayLogExporter(plan);
    case ExportFormat::kCsv:
      break;
  }
  return MakeLongExporter(std::move(plan), MakeCsvRows());
}

}  // namespace vesta::hub
