// One entry of the audit log: a line of JSON that names the entry before it by its hash.
//
//   {"number":7,"time":"2026-08-11T06:21:25.123Z","clock":"synchronised","actor":"hub","action":"port_opened",
//    "details":{"source":"bed-3"},"previous":"<64 hex>","hash":"<64 hex>"}
//
// The hash is the SHA-256 of the line's bytes before `,"hash":"`, so it covers the hash of the entry before and,
// through it, everything earlier. Keys stand in this order and without blanks; the format is docs/formats/audit.md.
// Details are texts; who makes them puts no secret into them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/time.h"

namespace vesta::hub {

// Texts longer than this are cut, details beyond this many left out: no entry is longer than kMaxEntryBytes.
inline constexpr size_t kMaxDetailBytes = 512;
inline constexpr size_t kMaxDetails = 24;
inline constexpr size_t kMaxEntryBytes = 128 * 1024;  // each byte of a text may need six in JSON

using AuditDetails = std::vector<std::pair<std::string, std::string>>;

struct AuditEntry {
  uint64_t number = 0;  // from 1 on, without a gap
  UtcUs time_us = 0;
  ClockQuality clock = ClockQuality::kNotSynchronised;
  std::string actor;   // "hub", "session:5f2c…", "token:NAME", "local" (nobody had to log in), "command"
  std::string action;  // [a-z_]+
  AuditDetails details;
};

// What stands before the first entry's hash.
std::string FirstPrevious();

// The line without its line end. *hash is its own.
std::string FormatEntry(const AuditEntry& entry, std::string_view previous, std::string* hash);

// What the chain needs of a line (without its line end). Empty when the line is no entry; whether the hash is right
// stands in `sound`.
struct EntryLink {
  uint64_t number = 0;
  std::string_view previous;
  std::string_view hash;
  bool sound = false;  // the hash is that of the content
};
std::optional<EntryLink> ReadLink(std::string_view line);

// The whole entry, for people; empty when the line is none.
std::optional<AuditEntry> ParseEntry(std::string_view line);

}  // namespace vesta::hub
