// The two loops that prove the promise of the journal and the store: power cuts on a disk in memory, and SIGKILL on the
// real one. The tests run a few points, the benchmark hundreds.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::hub {

struct CrashResult {
  uint64_t points = 0;        // crashes survived
  uint64_t acknowledged = 0;  // readings that had to be there, and were
  std::string error;          // of the first crash that lost something; "" = none
};

// Cuts the power at points drawn from all writes and syncs of a journal's life, twice in a row on each file.
// fsync false: proves that the loop notices.
CrashResult PowerCutLoop(uint64_t points, uint32_t seed, bool fsync);

// Kills a process that commits and reports through a pipe, at random moments, again and again on the same file in
// `folder`.
CrashResult SigkillLoop(uint64_t points, uint32_t seed, const std::string& folder);

}  // namespace vesta::hub
