// Tells whether an audit log is whole, and if not, which entry is the first that is wrong.
//
// Whole: every entry's hash is that of its content and of the entry before it, numbers have no gap, the newest entry is
// not older than the one that audit.head names, and where the beginning is missing an entry says that it was trimmed.
// Reads files, writes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/audit/audit_entry.h"

namespace vesta::hub {

inline constexpr std::string_view kAuditFile = "audit.jsonl";
inline constexpr std::string_view kAuditHeadFile = "audit.head";
inline constexpr std::string_view kTornLineAction = "torn_line";
inline constexpr std::string_view kTrimmedAction = "trimmed";
inline constexpr std::string_view kDamageFoundAction = "damage_found";

// Faults told; more are only counted.
inline constexpr size_t kMaxAuditFaults = 100;

struct AuditFault {
  std::string file;
  uint64_t line = 0;    // from 1 on; 0: not of one line
  uint64_t number = 0;  // of the entry that is wrong or missing
  std::string what;     // for people
};

struct AuditReport {
  uint64_t entries = 0;
  uint64_t first_number = 0;  // 0: no entry
  uint64_t last_number = 0;
  std::string last_hash;  // of the last entry that stands in the files
  std::vector<AuditFault> faults;
  uint64_t fault_count = 0;
  std::vector<std::string> notes;  // what is in order, but worth knowing: torn lines that were told, ...
  bool torn = false;               // the last line was not written to its end, and no later entry says so

  bool whole() const { return fault_count == 0 && !torn; }
};

// Holds lines against each other, in order.
class AuditChain {
 public:
  explicit AuditChain(AuditReport* report) : report_(report) {}

  // All of a file. `newest`: a last line without an end may be torn.
  void TakeFile(const std::string& name, std::string_view content, bool newest);
  // `head` is the content of audit.head.
  void CheckHead(std::string_view head);
  void CheckBeginning();

  uint64_t last_number() const { return report_->last_number; }
  const std::string& last_hash() const { return report_->last_hash; }
  size_t torn_at() const { return torn_at_; }  // offset in the newest file, when report->torn

 private:
  void TakeLine(std::string_view line);
  void TakeEntry(std::string_view line, const EntryLink& link);
  void SettleStrange(std::string_view line);
  void Fault(uint64_t number, std::string what);

  AuditReport* report_;
  std::string file_;
  uint64_t line_ = 0;
  uint64_t strange_line_ = 0;  // a line that is no entry and waits for one that tells of it; 0: none
  std::string strange_hash_;
  std::string beginning_;  // what the first entry names as the one before it
  std::string trimmed_up_to_;
  std::string trimmed_hash_;
  std::vector<std::pair<uint64_t, std::string>> recent_;  // the newest entries, for audit.head
  size_t torn_at_ = 0;
};

// "NUMBER:HASH" as people keep it elsewhere; the log must hold this entry. Empty: not asked.
struct AuditAnchor {
  uint64_t number = 0;
  std::string hash;
};

// Of a data directory, or of one file. The error: it can't be read, or there is no log.
tl::expected<AuditReport, std::string> VerifyAudit(const std::string& path, const std::optional<AuditAnchor>& anchor);

// The log's files in a directory, oldest first, without the directory's name.
std::vector<std::string> AuditFiles(const std::string& directory);
tl::expected<std::string, std::string> ReadAuditFile(const std::string& path);

// Lines of entries with a number below `before` (0: from the newest), newest first, at most `limit`.
tl::expected<std::vector<std::string>, std::string> ReadAudit(const std::string& directory, uint64_t before,
                                                              size_t limit);

}  // namespace vesta::hub
