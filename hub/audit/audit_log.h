// Appends to the audit log of a data directory: audit.jsonl, its older files audit-NUMBER.jsonl, and audit.head.
//
// Append is durable when it returns: one write and one fdatasync of the line, then the same for audit.head, which names
// the newest entry so that a cut end shows. Nothing that stands in the log is ever changed. A last line that was torn
// by a power failure stays as it is and the next entry tells of it (torn_line); other damage is told by an entry
// damage_found. A file that is full is renamed and the chain goes on in a new one; of the old ones the newest
// kMaxOldFiles stay, and an entry says what was trimmed. Several programs may append to one log: each append holds
// a lock and looks whether the file grew. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "hub/audit/audit_entry.h"

namespace vesta::hub {

// Some 3,000 entries a file, 100,000 in all: a quiet hub writes a few dozen a day.
inline constexpr uint64_t kAuditFileBytes = 1u << 20;
inline constexpr size_t kMaxOldAuditFiles = 32;

struct AuditLogOptions {
  uint64_t file_bytes = kAuditFileBytes;
  size_t old_files = kMaxOldAuditFiles;
  bool fsync = true;  // false only for tests that append many entries
};

class AuditLog {
 public:
  // The directory must be there. Files are made by the first Append.
  explicit AuditLog(std::string directory, AuditLogOptions options = {});
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Gives the entry its number. The error, for people: nothing of the entry stands in the log, try again later.
  tl::expected<void, std::string> Append(AuditEntry& entry);

  uint64_t last_number() const { return number_; }
  const std::string& last_hash() const { return hash_; }

 private:
  using Done = tl::expected<void, std::string>;
  Done Lock();
  Done Load(const AuditEntry& entry);
  Done Write(AuditEntry& entry);
  Done WriteBytes(const std::string& bytes);
  Done WriteHead();
  Done Rotate(const AuditEntry& entry);
  Done TellTrimmed(const AuditEntry& entry);
  Done SyncDirectory() const;
  bool IsKnown() const;
  void Forget();

  std::string directory_;
  AuditLogOptions options_;
  int lock_fd_ = -1;
  int fd_ = -1;
  uint64_t size_ = 0;
  uint64_t number_ = 0;
  std::string hash_;
};

}  // namespace vesta::hub
