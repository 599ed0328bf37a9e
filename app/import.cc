#include "app/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/audit_note.h"
#include "app/exit_code.h"
#include "app/printable.h"
#include "hub/export/neonat.h"
#include "hub/export/row_import.h"

namespace vesta::app {
namespace {

// Rows that the text form names; --json names more.
constexpr size_t kRowsShown = 20;

void PrintText(const ImportOptions& options, const hub::NeonatReport& report) {
  fmt::print("{}: {} rows, {} readings imported, {} there already\n", options.file, report.rows, report.readings,
             report.already_there);
  fmt::print("shifted rows: {} (numbers kept as suspect, {} values rejected); rejected rows: {}\n", report.shifted_rows,
             report.rejected_values, report.rejected_rows);
  for (size_t i = 0; i < report.named.size() && i < kRowsShown; ++i) {
    fmt::print("  row {}: {}\n", report.named[i].first, report.named[i].second);
  }
  const uint64_t bad = report.shifted_rows + report.rejected_rows;
  if (bad > kRowsShown) fmt::print("  ... and {} more; --json names them\n", bad - kRowsShown);
}

void PrintJson(const hub::NeonatReport& report) {
  nlohmann::ordered_json out = {{"rows", report.rows},
                                {"readings", report.readings},
                                {"already_there", report.already_there},
                                {"shifted_rows", report.shifted_rows},
                                {"rejected_rows", report.rejected_rows},
                                {"rejected_values", report.rejected_values}};
  out["named"] = nlohmann::ordered_json::array();
  for (const auto& [id, reason] : report.named) out["named"].push_back({{"id", id}, {"reason", reason}});
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void PrintText(const ImportOptions& options, const hub::RowImportReport& report) {
  fmt::print("{}: {} rows, {} readings imported, {} there already, {} rows rejected\n", options.file, report.rows,
             report.readings, report.already_there, report.rejected_rows);
  for (const std::string& note : report.notes) fmt::print("  note: {}\n", Printable(note));
  for (size_t i = 0; i < report.named.size() && i < kRowsShown; ++i) {
    fmt::print("  line {}: {}\n", report.named[i].first, Printable(report.named[i].second));
  }
  if (report.rejected_rows > kRowsShown) {
    fmt::print("  ... and {} more; --json names them\n", report.rejected_rows - kRowsShown);
  }
}

void PrintJson(const hub::RowImportReport& report) {
  nlohmann::ordered_json out = {{"rows", report.rows},
                                {"readings", report.readings},
                                {"already_there", report.already_there},
                                {"rejected_rows", report.rejected_rows},
                                {"notes", report.notes}};
  out["named"] = nlohmann::ordered_json::array();
  for (const auto& [line, reason] : report.named) out["named"].push_back({{"line", line}, {"reason", reason}});
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int CannotImport(const std::string& why) {
  fmt::print(stderr, "vesta import: {}\n", why);
  return kExitCannotStart;
}

int ImportNeonat(const ImportOptions& options) {
  hub::NeonatImportOptions neonat;
  neonat.file = options.file;
  neonat.folder = options.directory;
  neonat.source = options.source;
  neonat.stamp_offset_min = options.stamp_offset_min;
  const auto report = hub::ImportNeonat(
      neonat, [](uint64_t done, uint64_t total) { fmt::print(stderr, "{} of {} rows\n", done, total); });
  if (!report) return CannotImport(report.error());
  if (options.json) {
    PrintJson(*report);
  } else {
    PrintText(options, *report);
  }
  return report->shifted_rows + report->rejected_rows > 0 ? kExitProblems : kExitOk;
}

int ImportOwn(const ImportOptions& options) {
  const auto report =
      hub::ImportRows(options.format == "csv" ? hub::ExportFormat::kCsv : hub::ExportFormat::kJsonLines, options.file,
                      options.directory, [](uint64_t rows) { fmt::print(stderr, "{} rows\n", rows); });
  if (!report) return CannotImport(report.error());
  if (options.json) {
    PrintJson(*report);
  } else {
    PrintText(options, *report);
  }
  return report->rejected_rows > 0 ? kExitProblems : kExitOk;
}

}  // namespace

int RunImport(const ImportOptions& options) {
  if (auto noted = NoteInAudit(options.directory, "import", {{"format", options.format}, {"file", options.file}});
      !noted) {
    return CannotImport(noted.error());
  }
  return options.format == "neonat" ? ImportNeonat(options) : ImportOwn(options);
}

}  // namespace vesta::app
