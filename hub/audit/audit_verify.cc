#include "hub/audit/audit_verify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "hub/audit/sha256.h"

namespace vesta::hub {
namespace {

// A crash may leave audit.head behind by the entries of one write; a few more do no harm.
constexpr size_t kRecentEntries = 64;
// Far above what a file of the log can grow to.
constexpr size_t kMaxFileBytes = 64u << 20;

std::string Detail(const AuditEntry& entry, std::string_view key) {
  for (const auto& [name, value] : entry.details) {
    if (name == key) return value;
  }
  return {};
}

std::string Printable(std::string_view text) {
  std::string shown(text.substr(0, 200));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return shown;
}

}  // namespace

void AuditChain::Fault(uint64_t number, std::string what) {
  ++report_->fault_count;
  if (report_->faults.size() < kMaxAuditFaults) report_->faults.push_back({file_, line_, number, std::move(what)});
}

void AuditChain::TakeFile(const std::string& name, std::string_view content, bool newest) {
  file_ = name;
  line_ = 0;
  size_t at = 0;
  while (at < content.size()) {
    ++line_;
    const size_t end = content.find('\n', at);
    if (end == std::string_view::npos) {
      if (strange_line_ != 0) SettleStrange({});
      if (newest) {
        report_->torn = true;
        torn_at_ = at;
      } else {
        Fault(report_->last_number + 1, "the file ends in the middle of an entry");
      }
      return;
    }
    TakeLine(content.substr(at, end - at));
    at = end + 1;
  }
  if (strange_line_ != 0) SettleStrange({});
}

void AuditChain::TakeLine(std::string_view line) {
  const std::optional<EntryLink> link = ReadLink(line);
  if (strange_line_ != 0) SettleStrange(link && link->sound ? line : std::string_view());
  if (link) return TakeEntry(line, *link);
  strange_line_ = line_;
  strange_hash_ = Sha256Hex(line);
}

// A line that was torn by a power failure is followed by an entry that names it.
void AuditChain::SettleStrange(std::string_view line) {
  const uint64_t at = std::exchange(strange_line_, 0);
  const std::optional<AuditEntry> entry = line.empty() ? std::nullopt : ParseEntry(line);
  if (entry && entry->action == kTornLineAction && Detail(*entry, "sha256") == strange_hash_) {
    report_->notes.push_back(
        fmt::format("{} line {}: was torn when the power failed, and entry {} says so", file_, at, entry->number));
    return;
  }
  const uint64_t now = std::exchange(line_, at);
  Fault(report_->last_number + 1, "this line is not an entry");
  line_ = now;
}

void AuditChain::TakeEntry(std::string_view line, const EntryLink& link) {
  // A number that was changed says nothing: its place does.
  const uint64_t number = link.sound || report_->entries == 0 ? link.number : report_->last_number + 1;
  if (!link.sound) Fault(number, "its content was changed: the hash is another");
  if (report_->entries == 0) {
    report_->first_number = link.number;
    beginning_ = link.previous;
  } else if (number != report_->last_number + 1) {
    Fault(report_->last_number + 1,
          fmt::format("entry {} stands where entry {} belongs: entries are missing, doubled or in another order",
                      link.number, report_->last_number + 1));
  } else if (link.previous != report_->last_hash) {
    Fault(link.number,
          fmt::format("it does not follow on entry {}: one of the two was replaced", report_->last_number));
  }
  ++report_->entries;
  report_->last_number = number;
  report_->last_hash = link.hash;
  if (recent_.size() >= kRecentEntries) recent_.erase(recent_.begin());
  recent_.emplace_back(number, link.hash);
  // Most entries are of neither kind: only these are parsed.
  const bool trimmed = line.find(kTrimmedAction) != std::string_view::npos;
  const bool damage = line.find(kDamageFoundAction) != std::string_view::npos;
  if (!trimmed && !damage) return;
  const std::optional<AuditEntry> entry = ParseEntry(line);
  if (!entry) return;
  if (entry->action == kTrimmedAction) {
    trimmed_up_to_ = Detail(*entry, "last");
    trimmed_hash_ = Detail(*entry, "last_hash");
  }
  if (entry->action == kDamageFoundAction) {
    Fault(link.number, "the hub itself found the log damaged: " + Printable(Detail(*entry, "what")));
  }
}

void AuditChain::CheckBeginning() {
  if (report_->entries == 0 || (report_->first_number == 1 && beginning_ == FirstPrevious())) return;
  line_ = 0;
  if (report_->first_number > 1 && trimmed_up_to_ == std::to_string(report_->first_number - 1) &&
      trimmed_hash_ == beginning_) {
    report_->notes.push_back(fmt::format("entries 1 to {} were trimmed, as an entry says", trimmed_up_to_));
    return;
  }
  Fault(report_->first_number > 1 ? 1 : report_->first_number,
        fmt::format("the log begins with entry {} and no entry says that what was before it was trimmed",
                    report_->first_number));
}

void AuditChain::CheckHead(std::string_view head) {
  file_ = kAuditHeadFile;
  line_ = 0;
  const size_t space = head.find(' ');
  uint64_t number = 0;
  const auto parsed = std::from_chars(head.data(), head.data() + head.size(), number);
  const bool shaped = space != std::string_view::npos && parsed.ptr == head.data() + space && head.ends_with('\n') &&
                      IsSha256Hex(head.substr(space + 1, head.size() - space - 2));
  if (!shaped) return Fault(report_->last_number + 1, "is missing or damaged: whether the end was cut can't be told");
  const std::string_view hash = head.substr(space + 1, kSha256HexSize);
  if (number > report_->last_number) {
    return Fault(
        report_->last_number + 1,
        fmt::format("names entry {}, and the log ends with entry {}: the end was cut", number, report_->last_number));
  }
  // Before the first entry it names what that follows on.
  if (report_->entries == 0 || report_->first_number == 1) recent_.emplace_back(0, FirstPrevious());
  for (const auto& [recent, recent_hash] : recent_) {
    if (recent != number) continue;
    if (recent_hash != hash) return Fault(number, "names another entry than the log has: it was replaced");
    if (number < report_->last_number) {
      report_->notes.push_back(fmt::format("{} is {} entries behind: the hub was stopped hard", kAuditHeadFile,
                                           report_->last_number - number));
    }
    return;
  }
  Fault(number, "is far behind the log");
}

std::vector<std::string> AuditFiles(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("audit-") && name.ends_with(".jsonl")) files.push_back(name);
  }
  std::sort(files.begin(), files.end());  // the numbers in the names have leading zeros
  if (std::filesystem::exists(directory + "/" + std::string(kAuditFile), error)) files.emplace_back(kAuditFile);
  return files;
}

tl::expected<std::string, std::string> ReadAuditFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(fmt::format("can't read {}: {}", path, std::strerror(errno)));
  std::string content;
  char buffer[16384];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0 && content.size() <= kMaxFileBytes) {
    content.append(buffer, static_cast<size_t>(got));
  }
  const int code = errno;
  close(fd);
  if (got < 0) return tl::unexpected(fmt::format("can't read {}: {}", path, std::strerror(code)));
  if (content.size() > kMaxFileBytes) return tl::unexpected(fmt::format("{} is too long to be an audit log", path));
  return content;
}

tl::expected<AuditReport, std::string> VerifyAudit(const std::string& path, const std::optional<AuditAnchor>& anchor) {
  std::error_code error;
  const bool directory = std::filesystem::is_directory(path, error);
  const std::vector<std::string> files = directory ? AuditFiles(path) : std::vector<std::string>{""};
  if (files.empty()) return tl::unexpected(fmt::format("{} holds no audit log ({})", path, kAuditFile));
  AuditReport report;
  AuditChain chain(&report);
  bool anchor_found = false;
  for (const std::string& name : files) {
    const auto content = ReadAuditFile(directory ? path + "/" + name : path);
    if (!content) return tl::unexpected(content.error());
    chain.TakeFile(directory ? name : path, *content, name == files.back());
    if (!anchor) continue;
    const std::string mark = fmt::format("{{\"number\":{},", anchor->number);
    for (size_t at = content->find(mark); at != std::string::npos && !anchor_found; at = content->find(mark, at + 1)) {
      const std::string_view rest = std::string_view(*content).substr(at);
      const auto link = ReadLink(rest.substr(0, rest.find('\n')));
      anchor_found = link && link->sound && link->hash == anchor->hash;
    }
  }
  if (directory) {
    chain.CheckBeginning();
    chain.CheckHead(ReadAuditFile(path + "/" + std::string(kAuditHeadFile)).value_or(""));
  } else {
    report.notes.emplace_back("one file alone: whether its beginning and its end are missing can't be told");
  }
  if (anchor && !anchor_found) {
    ++report.fault_count;
    report.faults.push_back({"", 0, anchor->number, "the log does not hold the entry with this number and hash"});
  }
  return report;
}

tl::expected<std::vector<std::string>, std::string> ReadAudit(const std::string& directory, uint64_t before,
                                                              size_t limit) {
  std::vector<std::string> lines;
  std::vector<std::string> files = AuditFiles(directory);
  for (auto file = files.rbegin(); file != files.rend() && lines.size() < limit; ++file) {
    const auto content = ReadAuditFile(directory + "/" + *file);
    if (!content) return tl::unexpected(content.error());
    std::string_view rest = *content;
    rest = rest.substr(0, rest.rfind('\n') == std::string_view::npos ? 0 : rest.rfind('\n'));
    while (!rest.empty() && lines.size() < limit) {
      const size_t start = rest.rfind('\n');
      const std::string_view line = start == std::string_view::npos ? rest : rest.substr(start + 1);
      const auto link = ReadLink(line);
      if (link && (before == 0 || link->number < before)) lines.emplace_back(line);
      rest = start == std::string_view::npos ? std::string_view() : rest.substr(0, start);
    }
  }
  return lines;
}

}  // namespace vesta::hub
