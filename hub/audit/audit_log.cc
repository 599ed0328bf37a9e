#include "hub/audit/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "hub/audit/audit_verify.h"
#include "hub/audit/sha256.h"

namespace vesta::hub {
namespace {

tl::unexpected<std::string> Problem(std::string_view doing, const std::string& path) {
  return tl::unexpected(fmt::format("{} {}: {}", doing, path, std::strerror(errno)));
}

bool WriteWhole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// A command of root beside a hub that runs as another user leaves files that the hub can go on with: they belong to
// the owner of the directory.
int OpenAsOwner(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0600);
  struct stat file = {};
  struct stat directory = {};
  if (fd < 0 || geteuid() != 0 || fstat(fd, &file) != 0) return fd;
  const std::string parent = path.substr(0, path.rfind('/'));
  if (stat(parent.c_str(), &directory) != 0 || file.st_uid == directory.st_uid) return fd;
  if (fchown(fd, directory.st_uid, directory.st_gid) == 0) return fd;
  close(fd);
  return -1;
}

class Unlock {
 public:
  explicit Unlock(int fd) : fd_(fd) {}
  ~Unlock() { flock(fd_, LOCK_UN); }
  Unlock(const Unlock&) = delete;
  Unlock& operator=(const Unlock&) = delete;

 private:
  int fd_;
};

}  // namespace

AuditLog::AuditLog(std::string directory, AuditLogOptions options)
    : directory_(std::move(directory)), options_(options) {}

AuditLog::~AuditLog() {
  Forget();
  if (lock_fd_ >= 0) close(lock_fd_);
}

void AuditLog::Forget() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

AuditLog::Done AuditLog::Lock() {
  const std::string path = directory_ + "/audit.lock";
  if (lock_fd_ < 0) lock_fd_ = OpenAsOwner(path, O_RDWR);
  if (lock_fd_ < 0 || flock(lock_fd_, LOCK_EX) != 0) return Problem("can't lock", path);
  return {};
}

// The file is still the one at this name, and as long as we left it.
bool AuditLog::IsKnown() const {
  struct stat ours = {};
  struct stat there = {};
  const std::string path = directory_ + "/" + std::string(kAuditFile);
  return fd_ >= 0 && fstat(fd_, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev && static_cast<uint64_t>(ours.st_size) == size_;
}

AuditLog::Done AuditLog::SyncDirectory() const {
  if (!options_.fsync) return {};
  const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!synced) return Problem("can't sync", directory_);
  return {};
}

AuditLog::Done AuditLog::Append(AuditEntry& entry) {
  if (auto locked = Lock(); !locked) return locked;
  const Unlock unlock(lock_fd_);
  if (!IsKnown()) {
    if (auto loaded = Load(entry); !loaded) {
      Forget();
      return loaded;
    }
  }
  if (size_ >= options_.file_bytes) {
    if (auto rotated = Rotate(entry); !rotated) {
      Forget();
      return rotated;
    }
  }
  return Write(entry);
}

// Finds the end of the chain, and tells in the log itself what is wrong with it.
AuditLog::Done AuditLog::Load(const AuditEntry& entry) {
  Forget();
  const std::string path = directory_ + "/" + std::string(kAuditFile);
  const std::vector<std::string> files = AuditFiles(directory_);
  const bool fresh = files.empty() || files.back() != kAuditFile;
  std::string content;
  AuditReport report;
  AuditChain chain(&report);
  // After a rotation the chain's end stands in the file before.
  const size_t begin = files.size() > 2 ? files.size() - 2 : 0;
  for (size_t i = begin; i < files.size(); ++i) {
    auto read = ReadAuditFile(directory_ + "/" + files[i]);
    if (!read) return tl::unexpected(read.error());
    content = std::move(*read);
    chain.TakeFile(files[i], content, files[i] == kAuditFile);
  }
  const std::string head_path = directory_ + "/" + std::string(kAuditHeadFile);
  const std::string head = ReadAuditFile(head_path).value_or("");
  if (!files.empty() || !head.empty()) chain.CheckHead(head);

  number_ = report.last_number;
  hash_ = report.entries == 0 ? FirstPrevious() : report.last_hash;
  // Numbers that were given are never given again, even when their entries are gone.
  if (const uint64_t named = std::strtoull(head.c_str(), nullptr, 10);
      named > number_ && head.size() > kSha256HexSize + 1 && named < UINT64_MAX / 2) {
    number_ = named;
    hash_ = head.substr(head.find(' ') + 1, kSha256HexSize);
  }
  if (files.empty() && head.empty()) {
    if (auto begun = WriteHead(); !begun) return begun;
  }
  fd_ = OpenAsOwner(path, O_WRONLY | O_APPEND);
  if (fd_ < 0) return Problem("can't write", path);
  size_ = fresh ? 0 : content.size();
  if (fresh) {
    if (auto synced = SyncDirectory(); !synced) return synced;
  }
  if (report.torn) {
    AuditEntry torn = entry;
    torn.actor = "hub";
    torn.action = kTornLineAction;
    const std::string_view line = std::string_view(content).substr(chain.torn_at());
    torn.details = {{"offset", std::to_string(chain.torn_at())},
                    {"bytes", std::to_string(line.size())},
                    {"sha256", Sha256Hex(line)}};
    if (auto ended = WriteBytes("\n"); !ended) return ended;
    // Only its line end was missing: it counts.
    const auto link = ReadLink(line);
    if (link && link->sound && link->number == number_ + 1 && link->previous == hash_) {
      number_ = link->number;
      hash_ = link->hash;
    }
    if (auto told = Write(torn); !told) return told;
  }
  if (report.fault_count > 0) {
    // What an earlier entry damage_found told is not news.
    std::string what;
    for (const AuditFault& fault : report.faults) {
      if (fault.what.find("the hub itself found") != std::string::npos) {
        what.clear();
        continue;
      }
      if (what.empty())
        what = fmt::format("{} line {}, entry {}: {}", fault.file, fault.line, fault.number, fault.what);
    }
    if (!what.empty()) {
      AuditEntry damage = entry;
      damage.actor = "hub";
      damage.action = kDamageFoundAction;
      damage.details = {{"what", what}};
      if (auto told = Write(damage); !told) return told;
    }
  }
  return {};
}

AuditLog::Done AuditLog::WriteBytes(const std::string& bytes) {
  const std::string path = directory_ + "/" + std::string(kAuditFile);
  if (!WriteWhole(fd_, bytes) || (options_.fsync && fdatasync(fd_) != 0)) {
    const auto problem = Problem("can't write", path);
    // What was written of it is ours, and nobody was told that it stands: taken back, so that the next try is whole.
    if (ftruncate(fd_, static_cast<off_t>(size_)) != 0) Forget();
    return problem;
  }
  size_ += bytes.size();
  return {};
}

AuditLog::Done AuditLog::Write(AuditEntry& entry) {
  entry.number = number_ + 1;
  std::string hash;
  const std::string line = FormatEntry(entry, hash_, &hash);
  if (auto written = WriteBytes(line + "\n"); !written) return written;
  number_ = entry.number;
  hash_ = std::move(hash);
  // The entry stands; a head that can't be written now is written with the next one.
  (void)WriteHead();
  return {};
}

// One line in place, shorter than a disk's sector: it is there whole or not at all.
AuditLog::Done AuditLog::WriteHead() {
  const std::string path = directory_ + "/" + std::string(kAuditHeadFile);
  const int fd = OpenAsOwner(path, O_WRONLY);
  if (fd < 0) return Problem("can't write", path);
  const std::string head = fmt::format("{:020} {}\n", number_, hash_);
  const bool written = pwrite(fd, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
                       ftruncate(fd, static_cast<off_t>(head.size())) == 0 && (!options_.fsync || fdatasync(fd) == 0);
  close(fd);
  if (!written) return Problem("can't write", path);
  return {};
}

AuditLog::Done AuditLog::Rotate(const AuditEntry& entry) {
  const std::string path = directory_ + "/" + std::string(kAuditFile);
  const auto content = ReadAuditFile(path);
  if (!content) return tl::unexpected(content.error());
  const auto first = ReadLink(std::string_view(*content).substr(0, content->find('\n')));
  const std::string old = fmt::format("{}/audit-{:012}.jsonl", directory_, first ? first->number : number_);
  if (rename(path.c_str(), old.c_str()) != 0) return Problem("can't rename", path);
  Forget();
  fd_ = OpenAsOwner(path, O_WRONLY | O_APPEND);
  if (fd_ < 0) return Problem("can't write", path);
  size_ = 0;
  if (auto synced = SyncDirectory(); !synced) return synced;
  while (AuditFiles(directory_).size() > options_.old_files + 1) {
    if (auto told = TellTrimmed(entry); !told) return told;
  }
  return {};
}

// First the entry, then the deed: a crash in between leaves a file too many, never one that is missing untold.
AuditLog::Done AuditLog::TellTrimmed(const AuditEntry& entry) {
  const std::string name = AuditFiles(directory_).front();
  const auto content = ReadAuditFile(directory_ + "/" + name);
  if (!content) return tl::unexpected(content.error());
  AuditReport report;
  AuditChain(&report).TakeFile(name, *content, false);
  AuditEntry trimmed = entry;
  trimmed.actor = "hub";
  trimmed.action = kTrimmedAction;
  trimmed.details = {{"file", name},
                     {"first", std::to_string(report.first_number)},
                     {"last", std::to_string(report.last_number)},
                     {"last_hash", report.last_hash},
                     {"sha256", Sha256Hex(*content)}};
  if (auto told = Write(trimmed); !told) return told;
  if (unlink((directory_ + "/" + name).c_str()) != 0) return Problem("can't remove", name);
  return SyncDirectory();
}

}  // namespace vesta::hub
