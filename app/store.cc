#include "app/store.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/exit_code.h"
#include "app/store_copy.h"
#include "app/whole_file.h"
#include "hub/postgres/connection.h"
#include "hub/store/disk_wear.h"
#include "hub/store/store_admin.h"
#include "model/calendar.h"

namespace vesta::app {
namespace {

constexpr const char* kLevels[] = {"minute", "quarter", "hour", "day"};

std::string TimeText(UtcUs time_us) {
  if (time_us == kNoTime) return "-";
  char text[kIso8601Size];
  return std::string(text, FormatIso8601(time_us, text));
}

int Failed(const hub::StoreError& error) {
  fmt::print(stderr, "vesta store: {}\n", error.text);
  return error.kind == hub::StoreErrorKind::kBusy ? kExitCannotStart : kExitProblems;
}

void PrintText(const hub::StoreReport& report) {
  fmt::print("database {} bytes ({} free), journal {} bytes\n", report.file_bytes, report.free_bytes,
             report.journal_bytes);
  fmt::print("{} devices, {} series\n", report.devices, report.series);
  fmt::print("{} readings in {} blocks of {} bytes, from {} to {}\n", report.folded_readings, report.blocks,
             report.block_bytes, TimeText(report.oldest_us), TimeText(report.newest_us));
  fmt::print("{} readings in the journal, in {} commits\n", report.journal_readings, report.journal_entries);
  for (int level = 0; level < hub::kRollupLevels; ++level) {
    fmt::print("roll-ups by {}: {} rows of {} bytes\n", kLevels[level], report.rollup_rows[level],
               report.rollup_bytes[level]);
  }
  fmt::print("{} raw frames of {} bytes\n", report.frames, report.frame_bytes);
}

void PrintJson(const hub::StoreReport& report) {
  nlohmann::ordered_json out = {{"database_bytes", report.file_bytes},
                                {"free_bytes", report.free_bytes},
                                {"journal_bytes", report.journal_bytes},
                                {"devices", report.devices},
                                {"series", report.series},
                                {"blocks", report.blocks},
                                {"block_bytes", report.block_bytes},
                                {"folded_readings", report.folded_readings},
                                {"journal_commits", report.journal_entries},
                                {"journal_readings", report.journal_readings},
                                {"frames", report.frames},
                                {"frame_bytes", report.frame_bytes},
                                {"oldest", TimeText(report.oldest_us)},
                                {"newest", TimeText(report.newest_us)}};
  for (int level = 0; level < hub::kRollupLevels; ++level) {
    out["rollups"][kLevels[level]] = {{"rows", report.rollup_rows[level]}, {"bytes", report.rollup_bytes[level]}};
  }
  out["problems"] = report.problems;
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int Report(const StoreOptions& options, const tl::expected<hub::StoreReport, hub::StoreError>& report) {
  if (!report) return Failed(report.error());
  options.json ? PrintJson(*report) : PrintText(*report);
  if (options.action != "check") return kExitOk;
  for (const std::string& problem : report->problems) fmt::print(stderr, "vesta store: {}\n", problem);
  if (!options.json && report->problems.empty()) fmt::print("all of it can be read\n");
  return report->problems.empty() ? kExitOk : kExitProblems;
}

// The counts so far, once a second.
class ProgressLine {
 public:
  void Tell(const CopyProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::seconds(1)) return;
    told_ = now;
    fmt::print(stderr, "{} readings, at {}\n", progress.copied, TimeText(progress.time_us));
  }

 private:
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

int Copy(const StoreOptions& options) {
  CopyPlan plan{options.from, options.copy_to, hub::postgres::SchemaOfHub(options.hub_id), "", {}};
  if (!FindZone(options.zone, &plan.zone)) {
    fmt::print(stderr, "vesta store: no time zone {} is known\n", options.zone);
    return kExitWrongUsage;
  }
  if (!options.password_file.empty()) {
    auto text = ReadWholeFile(options.password_file);
    if (!text) {
      fmt::print(stderr, "vesta store: {} can't be read\n", options.password_file);
      return kExitCannotStart;
    }
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    plan.password = std::move(*text);
  }
  ProgressLine line;
  const auto report = CopyStore(plan, [&](const CopyProgress& progress) { line.Tell(progress); });
  if (!report) return Failed(report.error());
  fmt::print("{} readings copied, {} were there already; counted series by series on both sides: {}\n", report->copied,
             report->already_there, report->readings);
  return kExitOk;
}

}  // namespace

int RunStore(const StoreOptions& options) {
  const std::string path = options.directory + "/vesta.db";
  if (options.action == "copy") return Copy(options);
  if (options.action == "stats") {
    const auto disk = hub::DiskOf(options.directory);
    const std::string advice = disk ? hub::SpareDiskAdvice(*disk) : "";
    if (!advice.empty()) fmt::print(stderr, "vesta store: {}\n", advice);
    return Report(options, hub::StoreStats(path));
  }
  if (options.action == "check") return Report(options, hub::CheckStore(path));
  if (options.action == "backup") {
    if (const auto done = hub::BackUpStore(path, options.to); !done) return Failed(done.error());
    fmt::print("{} copied to {}\n", path, options.to);
    return kExitOk;
  }
  if (options.action == "compact") {
    if (const auto done = hub::CompactStore(path); !done) return Failed(done.error());
    return Report(options, hub::StoreStats(path));
  }
  const auto repaired = hub::RepairStore(path);
  if (!repaired) return Failed(repaired.error());
  fmt::print("journal: {} commits are lost, {} readings behind them were saved\n", repaired->lost_commits,
             repaired->saved_readings);
  fmt::print("{} damaged blocks set aside in the table damaged_block, {} damaged roll-up rows deleted\n",
             repaired->damaged_blocks, repaired->damaged_rollups);
  return kExitOk;
}

}  // namespace vesta::app
