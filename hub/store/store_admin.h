// What is done to a store as a whole by hand: look whether it is sound, say what is in it, copy it while the hub runs,
// give room back, mend what was damaged. `vesta store` is these calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/store/store.h"

namespace vesta::hub {

struct StoreReport {
  uint64_t file_bytes = 0;  // of the database
  uint64_t free_bytes = 0;  // in it, to be used again
  uint64_t journal_bytes = 0;
  uint64_t devices = 0;
  uint64_t series = 0;
  uint64_t blocks = 0;
  uint64_t block_bytes = 0;
  uint64_t folded_readings = 0;
  uint64_t journal_entries = 0;  // not folded whole
  uint64_t journal_readings = 0;
  uint64_t rollup_rows[kRollupLevels] = {};
  uint64_t rollup_bytes[kRollupLevels] = {};
  uint64_t frames = 0;
  uint64_t frame_bytes = 0;
  UtcUs oldest_us = kNoTime;  // of the folded readings
  UtcUs newest_us = kNoTime;
  std::vector<std::string> problems;  // for people; of Check
};

// Counts and sizes. Beside a running hub.
tl::expected<StoreReport, StoreError> StoreStats(const std::string& path);

// StoreStats, and every page, block, roll-up row and journal entry is read. Beside a running hub. kMaxProblems at most
// are named.
inline constexpr size_t kMaxProblems = 100;
tl::expected<StoreReport, StoreError> CheckStore(const std::string& path);

// Copies the store into a folder that has none, as it is at one moment. Beside a running hub.
tl::expected<void, StoreError> BackUpStore(const std::string& path, const std::string& folder);

// Gives the room of what was trimmed back to the file system. The hub must be stopped.
tl::expected<void, StoreError> CompactStore(const std::string& path);

struct RepairReport {
  uint64_t lost_commits = 0;     // of which nothing is left
  uint64_t saved_readings = 0;   // of the journal, behind the damage
  uint64_t damaged_blocks = 0;   // moved to the table damaged_block
  uint64_t damaged_rollups = 0;  // deleted
};
// Makes a damaged store usable again. What can't be read is set aside, not deleted, but for roll-ups. The hub must be
// stopped; keep a copy of the folder first.
tl::expected<RepairReport, StoreError> RepairStore(const std::string& path);

}  // namespace vesta::hub
