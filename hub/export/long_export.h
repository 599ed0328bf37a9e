// The formats that write one reading after the other, series by series: what differs between them is a RowWriter.
#pragma once

#include <memory>
#include <string>

#include "hub/export/exporter.h"

namespace vesta::hub {

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void Begin(const ExportPlan& plan, std::string* out) = 0;
  // record's times are already shifted.
  virtual void Row(const ExportSeries& series, const Record& record, std::string* out) = 0;
  virtual void End(std::string* out) { static_cast<void>(out); }
};

std::unique_ptr<RowWriter> MakeCsvRows();
std::unique_ptr<RowWriter> MakeJsonRows(bool hide_numbers);
std::unique_ptr<RowWriter> MakeFhirRows();
std::unique_ptr<Exporter> MakeLongExporter(ExportPlan plan, std::unique_ptr<RowWriter> rows);
std::unique_ptr<Exporter> MakeWideExporter(ExportPlan plan);
std::unique_ptr<Exporter> MakeDayLogExporter(const ExportPlan& plan);

}  // namespace vesta::hub
