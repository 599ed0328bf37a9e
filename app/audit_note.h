// What a command does with the data of a hub is noted in the hub's audit log, whether the hub runs or not: the log's
// lock keeps the two pens apart, and each goes on from the other's newest entry.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "hub/audit/audit_entry.h"

namespace vesta::app {

// Durable when it returns. The actor is "command:USER". The error is for people: nothing was noted, so the deed must
// not be done.
tl::expected<void, std::string> NoteInAudit(const std::string& folder, std::string_view action,
                                            hub::AuditDetails details);

}  // namespace vesta::app
