#include "app/audit_note.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "hub/audit/audit_log.h"
#include "hub/clock/clock.h"

namespace vesta::app {
namespace {

std::string UserName() {
  passwd entry = {};
  passwd* found = nullptr;
  std::array<char, 4096> texts;
  if (getpwuid_r(getuid(), &entry, texts.data(), texts.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(getuid());
}

}  // namespace

tl::expected<void, std::string> NoteInAudit(const std::string& folder, std::string_view action,
                                            hub::AuditDetails details) {
  const Now now = hub::SystemClock().Read();
  hub::AuditEntry entry;
  entry.time_us = now.utc_us;
  entry.clock = now.clock;
  entry.actor = "command:" + UserName();
  entry.action = action;
  entry.details = std::move(details);
  if (auto noted = hub::AuditLog(folder).Append(entry); !noted) {
    return tl::unexpected(fmt::format("it can't be noted in the audit log, so it is not done: {}", noted.error()));
  }
  return {};
}

}  // namespace vesta::app
