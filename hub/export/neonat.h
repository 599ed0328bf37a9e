// The database of the NEONAT project, the original of the ward: its table `donnees` in and out.
//
// Columns: id, unique_id (chip id of the node), timestamp ("YYYY/MM/DD HH:MM:SS", local time at a fixed offset), and
// texts cut out of a MEDIBUS response at fixed places: T_periph (older files only), T_centr, humidite, t_air, rwp,
// d_skin, lum, NL (not in all files), CHP, W_date. A value that was longer or missing shifted the rest of its row into
// the wrong columns. Such rows are found by what no right row can hold, and marked: the values that are numbers are
// kept as suspect, those that are none are rejected by name. docs/exports.md lists the rules.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/export/exporter.h"
#include "model/field.h"

namespace vesta::hub {

struct NeonatColumn {
  std::string_view column;
  std::string_view field;  // of the protocol medibus
  int decimals;            // that a right value has
  int32_t least;           // plausible, in units of the last decimal; W_date is checked as a date
  int32_t most;
};
std::span<const NeonatColumn> NeonatColumns();

// One row, as it was found.
enum class NeonatVerdict : uint8_t { kGood, kShifted, kNoTime, kNoId };
struct NeonatValue {
  bool present = false;  // the column is there and not empty
  bool is_number = false;
  Decimal value;
  std::string raw;
};
struct NeonatRow {
  int64_t id = 0;
  std::string unique_id;
  std::string timestamp;
  UtcUs time_us = kNoTime;
  uint16_t repeat = 0;              // earlier rows of this node with the same timestamp
  std::vector<NeonatValue> values;  // as NeonatColumns()
  NeonatVerdict verdict = NeonatVerdict::kGood;
  std::string reason;  // for people, "" when good
};
// Judges the texts of a row; offset_min: how far its clock was ahead of UTC.
void JudgeNeonatRow(NeonatRow* row, int offset_min);

struct NeonatImportOptions {
  std::string file;
  std::string folder;             // data folder of the hub
  std::string source = "neonat";  // devices are named by it and the node's id
  int stamp_offset_min = 120;
};
// The rows that a report names; beyond it they are only counted.
inline constexpr size_t kMaxNamedRows = 10000;
struct NeonatReport {
  uint64_t rows = 0;
  uint64_t shifted_rows = 0;
  uint64_t rejected_rows = 0;    // no time or no node: nothing of them is kept
  uint64_t rejected_values = 0;  // in shifted rows
  uint64_t readings = 0;         // new in the history
  uint64_t already_there = 0;
  std::vector<std::pair<int64_t, std::string>> named;  // id and reason of each row that is not good
};
// progress(done, total) is called now and then.
tl::expected<NeonatReport, std::string> ImportNeonat(const NeonatImportOptions& options,
                                                     const std::function<void(uint64_t, uint64_t)>& progress);

// Writes a new SQLite file with the table; the devices of `request` that have such fields, row by row in order of time.
// Returns the number of rows.
tl::expected<uint64_t, std::string> ExportNeonat(const std::string& folder, ExportRequest request,
                                                 const std::string& file, int stamp_offset_min);

}  // namespace vesta::hub
