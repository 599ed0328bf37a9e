// Takes an export of Vesta itself, CSV long or JSON lines, back into the history of a hub that is stopped.
//
// JSON lines tell of each device who it is and what its fields are, so they may be taken into an empty folder. CSV
// names a device by its key only: the hub must know it. A row that can't be read is named with its line and left out,
// the others are taken. A reading that is there already is left out and counted. Columns and keys are docs/exports.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "hub/export/exporter.h"

namespace vesta::hub {

// The rows that a report names; beyond it they are only counted.
inline constexpr size_t kMaxNamedImportRows = 10000;
// Of JSON lines.
inline constexpr size_t kMaxImportLineBytes = 1u << 20;

struct RowImportReport {
  uint64_t rows = 0;      // that should hold a reading
  uint64_t readings = 0;  // new in the history
  uint64_t already_there = 0;
  uint64_t rejected_rows = 0;
  std::vector<std::pair<uint64_t, std::string>> named;  // line and reason
  std::vector<std::string> notes;                       // devices that have another key here
};

// format: kCsv or kJsonLines. progress(rows) is called now and then. The error: nothing could be read, the file is no
// export, or the history can't be written; then what was committed before stays, and a repetition goes on from there.
tl::expected<RowImportReport, std::string> ImportRows(ExportFormat format, const std::string& file,
                                                      const std::string& folder,
                                                      const std::function<void(uint64_t)>& progress);

}  // namespace vesta::hub
