// The running hub's pen for its audit log: takes entries on the main thread, writes them on a thread of its own.
//
// An entry bears the time at which it was recorded. While the disk refuses, entries wait, at most kMaxWaitingEntries;
// beyond that they are counted, and an entry says how many are missing as soon as there is room. What one key may cause
// is bounded (a cable that comes and goes, a machine that guesses passwords): beyond kMaxEntriesPerHour its entries are
// left out and the next one that is written says how many. Main thread only, but for Write.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "hub/audit/audit_log.h"
#include "hub/clock/clock.h"
#include "hub/journal/worker.h"

namespace vesta::hub {

inline constexpr size_t kMaxWaitingEntries = 256;
inline constexpr uint32_t kMaxEntriesPerHour = 60;
// Keys counted; what comes beyond shares one.
inline constexpr size_t kMaxAuditKeys = 512;
// Between two tries while the disk refuses.
inline constexpr int64_t kAuditRetry_us = 2 * kUsPerSecond;

struct AuditHealth {
  uint64_t entries = 0;  // written by this run
  uint64_t waiting = 0;
  uint64_t lost = 0;      // the disk refused for too long
  uint64_t left_out = 0;  // beyond kMaxEntriesPerHour
  uint64_t last_number = 0;
  std::string last_hash;
  std::string error;  // of the last try, "" when it went well
};

class AuditTrail {
 public:
  AuditTrail(const Clock& clock, std::string directory, AuditLogOptions options = {});
  ~AuditTrail();  // Close()s

  void Record(std::string_view actor, std::string_view action, AuditDetails details);
  // The same for what may come often: `key` names who causes it.
  void RecordOften(const std::string& key, std::string_view actor, std::string_view action, AuditDetails details);

  AuditHealth health() const;
  const std::string& directory() const { return directory_; }

  // Writes what waits, once each; what the disk refuses now is lost. Idempotent.
  void Close();

 private:
  struct Allowance {
    int64_t hour_began_us = INT64_MIN;
    uint32_t entries = 0;
    uint64_t left_out = 0;
  };
  bool Post(AuditEntry entry);
  void Write(AuditEntry entry);

  const Clock& clock_;
  const std::string directory_;
  AuditLog log_;  // on the writing thread only
  std::map<std::string, Allowance> allowances_;
  uint64_t untold_ = 0;  // lost, and no entry says so yet

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  AuditHealth health_;
  bool closing_ = false;
  Worker writer_;
};

}  // namespace vesta::hub
