// Which series an export writes, and what it shows of their devices.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hub/export/exporter.h"

namespace vesta::hub {
namespace {

struct FormatWords {
  ExportFormat format;
  std::string_view name;
  std::string_view media_type;
  std::string_view ending;
};
constexpr std::array<FormatWords, 5> kFormats = {{
    {ExportFormat::kCsv, "csv", "text/csv; charset=utf-8; header=present", "csv"},
    {ExportFormat::kCsvWide, "csv-wide", "text/csv; charset=utf-8; header=present", "csv"},
    {ExportFormat::kJsonLines, "jsonl", "application/x-ndjson", "jsonl"},
    {ExportFormat::kFhir, "fhir", "application/fhir+json", "json"},
    {ExportFormat::kDayLog, "day-log", "application/json", "JSN"},
}};

const FormatWords& WordsOf(ExportFormat format) { return kFormats[static_cast<size_t>(format)]; }

bool Wanted(const std::vector<std::string>& list, const std::string& key) {
  return list.empty() || std::find(list.begin(), list.end(), key) != list.end();
}

}  // namespace

std::optional<ExportFormat> FindExportFormat(std::string_view name) {
  for (const FormatWords& words : kFormats) {
    if (words.name == name) return words.format;
  }
  return std::nullopt;
}

std::string_view MediaType(ExportFormat format) { return WordsOf(format).media_type; }
std::string_view FileEnding(ExportFormat format) { return WordsOf(format).ending; }

std::string_view ExportQualityName(ValueQuality quality) {
  constexpr std::string_view kNames[] = {"ok", "unavailable", "out_of_range", "suspect", "derived"};
  return kNames[static_cast<size_t>(quality)];
}

std::string_view ExportTimeName(TimeQuality quality) {
  constexpr std::string_view kNames[] = {"device", "hub", "hub_unsynchronised", "back_dated"};
  return kNames[static_cast<size_t>(quality)];
}

std::string ExportFlags(uint8_t flags) {
  std::string text;
  if ((flags & kReadingLate) != 0) text = "late";
  if ((flags & kReadingRepaired) != 0) text += text.empty() ? "repaired" : "+repaired";
  return text;
}

std::string_view ExportValueKindName(ValueKind kind) {
  constexpr std::string_view kNames[] = {"none", "decimal", "real", "text", "state"};
  return kNames[static_cast<size_t>(kind)];
}

tl::expected<ExportPlan, std::string> PlanExport(ExportRequest request, const std::vector<Device>& devices,
                                                 const std::vector<Series>& series) {
  if (request.format == ExportFormat::kDayLog && request.privacy) {
    return tl::unexpected(std::string("day files name devices as the original did: they can't be pseudonymous"));
  }
  for (const std::string& key : request.devices) {
    const bool known = std::any_of(devices.begin(), devices.end(), [&](const Device& d) { return d.key == key; });
    if (!known) return tl::unexpected(fmt::format("there is no device {}", key));
  }
  for (const std::string& key : request.fields) {
    const bool known = std::any_of(series.begin(), series.end(), [&](const Series& s) { return s.field.key == key; });
    if (!known) return tl::unexpected(fmt::format("no device has a field {}", key));
  }
  ExportPlan plan;
  for (const Device& device : devices) {
    if (!Wanted(request.devices, device.key)) continue;
    ExportDevice shown;
    shown.protocol = device.protocol;
    shown.kind = device.kind;
    shown.first_series = plan.series.size();
    int64_t shift_us = 0;
    if (request.privacy) {
      shown.key = request.privacy->NameOf(device.key);
      shift_us = request.privacy->ShiftUs(device.key);
    } else {
      shown.key = device.key;
      shown.source = device.source;
      shown.identity = device.identity;
      shown.identity_on_wire = device.identity_on_wire;
      shown.manufacturer = device.manufacturer;
      shown.model = device.model;
      shown.serial = device.serial;
      shown.firmware = device.firmware;
      shown.name = device.name;
      shown.place = device.place;
    }
    for (const SeriesId id : device.series) {
      const Series& one = series[id - 1];
      if (!Wanted(request.fields, one.field.key)) continue;
      if (request.privacy && !IsAnonymous(one.field)) continue;
      plan.series.push_back({id, shown.key, shown.protocol, shift_us, one.field});
    }
    shown.series_count = plan.series.size() - shown.first_series;
    plan.devices.push_back(std::move(shown));
  }
  if (request.format == ExportFormat::kCsvWide && plan.series.size() > kMaxWideColumns) {
    return tl::unexpected(
        fmt::format("that would be a table of {} columns, at most {} are possible: choose devices or fields",
                    plan.series.size(), kMaxWideColumns));
  }
  if (request.privacy) {
    // In the order of the names: the order of discovery would tell which is which.
    std::sort(plan.devices.begin(), plan.devices.end(),
              [](const ExportDevice& a, const ExportDevice& b) { return a.key < b.key; });
    std::stable_sort(plan.series.begin(), plan.series.end(),
                     [](const ExportSeries& a, const ExportSeries& b) { return a.device < b.device; });
    size_t first = 0;
    for (ExportDevice& device : plan.devices) {
      device.first_series = first;
      first += device.series_count;
    }
  }
  plan.request = std::move(request);
  return plan;
}

}  // namespace vesta::hub
