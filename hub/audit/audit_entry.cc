#include "hub/audit/audit_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "hub/audit/sha256.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNumberMark = R"({"number":)";
constexpr std::string_view kPreviousMark = R"(,"previous":")";
constexpr std::string_view kHashMark = R"(,"hash":")";
constexpr std::string_view kEnd = R"("})";

std::string Quoted(std::string_view text) {
  return Json(std::string(text.substr(0, kMaxDetailBytes))).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view ClockName(ClockQuality clock) {
  return clock == ClockQuality::kSynchronised ? "synchronised" : "not_synchronised";
}

// Takes `mark`, 64 hex digits and `end` off the end of the text.
bool TakeHash(std::string_view* text, std::string_view mark, std::string_view end, std::string_view* hash) {
  const size_t size = mark.size() + kSha256HexSize + end.size();
  if (text->size() < size || !text->ends_with(end)) return false;
  const std::string_view part = text->substr(text->size() - size);
  *hash = part.substr(mark.size(), kSha256HexSize);
  if (!part.starts_with(mark) || !IsSha256Hex(*hash)) return false;
  text->remove_suffix(size);
  return true;
}

}  // namespace

std::string FirstPrevious() { return std::string(kSha256HexSize, '0'); }

std::string FormatEntry(const AuditEntry& entry, std::string_view previous, std::string* hash) {
  char time[kIso8601Size];
  std::string line = fmt::format(R"({{"number":{},"time":"{}","clock":"{}","actor":{},"action":{},"details":{{)",
                                 entry.number, std::string_view(time, FormatIso8601(entry.time_us, time)),
                                 ClockName(entry.clock), Quoted(entry.actor), Quoted(entry.action));
  const size_t count = std::min(entry.details.size(), kMaxDetails);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) line += ',';
    line += Quoted(entry.details[i].first) + ":" + Quoted(entry.details[i].second);
  }
  line += fmt::format("}}{}{}\"", kPreviousMark, previous);
  *hash = Sha256Hex(line);
  return line + std::string(kHashMark) + *hash + std::string(kEnd);
}

std::optional<EntryLink> ReadLink(std::string_view line) {
  EntryLink link;
  if (!line.starts_with(kNumberMark)) return std::nullopt;
  std::string_view content = line;
  if (!TakeHash(&content, kHashMark, kEnd, &link.hash)) return std::nullopt;
  const std::string_view hashed = content;
  if (!TakeHash(&content, kPreviousMark, "\"", &link.previous)) return std::nullopt;
  const char* const digits = content.data() + kNumberMark.size();
  const auto parsed = std::from_chars(digits, content.data() + content.size(), link.number);
  if (parsed.ec != std::errc() || *digits == '0' || parsed.ptr == content.data() + content.size() ||
      *parsed.ptr != ',') {
    return std::nullopt;
  }
  link.sound = Sha256Hex(hashed) == link.hash;
  return link;
}

std::optional<AuditEntry> ParseEntry(std::string_view line) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  if (!json.is_object() || !ReadLink(line)) return std::nullopt;
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  AuditEntry entry;
  entry.number = ReadLink(line)->number;
  if (!ParseIso8601(text("time"), &entry.time_us)) return std::nullopt;
  entry.clock = text("clock") == "synchronised" ? ClockQuality::kSynchronised : ClockQuality::kNotSynchronised;
  entry.actor = text("actor");
  entry.action = text("action");
  const auto details = json.find("details");
  if (details == json.end() || !details->is_object()) return std::nullopt;
  for (const auto& [key, value] : details->items()) {
    if (value.is_string()) entry.details.emplace_back(key, value.get<std::string>());
  }
  return entry;
}

}  // namespace vesta::hub
