// Writes history as a file, piece by piece: CSV long or wide, JSON lines, FHIR R4, day files of the original
// node server, the table of the NEONAT project.
//
// A piece is some ten kilobytes, made by one call of Next with a store reader at hand, so that a command, an HTTP
// answer and a test use the same code, and memory stays the same for a day and for ten years. The formats are
// docs/exports.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/export/privacy.h"
#include "hub/store/store.h"

namespace vesta::hub {

enum class ExportFormat : uint8_t { kCsv, kCsvWide, kJsonLines, kFhir, kDayLog };

// "csv", "csv-wide", "jsonl", "fhir", "day-log"; none for another word.
std::optional<ExportFormat> FindExportFormat(std::string_view name);
std::string_view MediaType(ExportFormat format);
std::string_view FileEnding(ExportFormat format);

// Bytes after which a piece ends.
inline constexpr size_t kPieceBytes = 16 * 1024;
// Columns of a wide table. Each costs a page of readings in memory.
inline constexpr size_t kMaxWideColumns = 1000;

struct ExportRequest {
  ExportFormat format = ExportFormat::kCsv;
  UtcUs from_us = INT64_MIN;
  UtcUs to_us = INT64_MAX;
  std::vector<std::string> devices;  // keys; none: all
  std::vector<std::string> fields;   // field keys; none: all
  std::optional<Privacy> privacy;
};

// One field of one device, as the export shows it.
struct ExportSeries {
  SeriesId id = 0;
  std::string device;    // key or pseudonym
  std::string protocol;  // "p1"
  int64_t shift_us = 0;
  SeriesField field;
};
// A device, as the export shows it: with privacy only key, protocol and kind are left.
struct ExportDevice {
  std::string key;
  std::string protocol;
  DeviceKind kind = DeviceKind::kOther;
  std::string source;
  std::string identity;
  bool identity_on_wire = false;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  std::string name;
  std::string place;
  size_t first_series = 0;  // in ExportPlan::series
  size_t series_count = 0;
};
struct ExportPlan {
  ExportRequest request;
  std::vector<ExportDevice> devices;
  std::vector<ExportSeries> series;  // device by device
};

// What is to be written. The error is for people: an unknown device or field, a table too wide.
tl::expected<ExportPlan, std::string> PlanExport(ExportRequest request, const std::vector<Device>& devices,
                                                 const std::vector<Series>& series);

class Exporter {
 public:
  virtual ~Exporter() = default;
  // Appends the next piece. False: that was the end.
  virtual tl::expected<bool, StoreError> Next(StoreReader& reader, std::string* out) = 0;
  uint64_t readings() const { return readings_; }

 protected:
  uint64_t readings_ = 0;
};

std::unique_ptr<Exporter> MakeExporter(ExportPlan plan);

// Words of the formats.
std::string_view ExportQualityName(ValueQuality quality);  // "ok", "unavailable", ...
std::string_view ExportTimeName(TimeQuality quality);      // "device", "hub", "hub_unsynchronised", "back_dated"
std::string ExportFlags(uint8_t flags);                    // "late", "repaired", "late+repaired", ""
std::string_view ExportValueKindName(ValueKind kind);      // "none", "decimal", "real", "text", "state"

}  // namespace vesta::hub
