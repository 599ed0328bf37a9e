#include "app/ward_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/data_directory.h"
#include "app/exit_code.h"
#include "app/printable.h"
#include "hub/audit/audit_verify.h"
#include "hub/audit/sha256.h"
#include "hub/catalog/catalog.h"
#include "hub/clock/clock.h"
#include "hub/web/gaps.h"
#include "hub/web/query.h"
#include "hub/web/trace.h"
#include "model/calendar.h"

namespace vesta::app {
namespace {

using Json = nlohmann::ordered_json;

std::string TimeText(UtcUs time_us) {
  char text[kIso8601Size];
  return {text, FormatIso8601(time_us, text)};
}

std::optional<hub::AuditAnchor> ParseAnchor(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  hub::AuditAnchor anchor;
  const auto parsed = std::from_chars(text.data(), text.data() + colon, anchor.number);
  anchor.hash = text.substr(colon + 1);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + colon || !hub::IsSha256Hex(anchor.hash)) {
    return std::nullopt;
  }
  return anchor;
}

void PrintReport(const hub::AuditReport& report) {
  if (report.entries > 0) {
    fmt::print("entries {} to {}, {} in all; newest {}:{}\n", report.first_number, report.last_number, report.entries,
               report.last_number, report.last_hash);
  }
  for (const std::string& note : report.notes) fmt::print("note: {}\n", Printable(note));
  for (const hub::AuditFault& fault : report.faults) {
    const std::string place = fault.line == 0 ? fault.file : fmt::format("{} line {}", fault.file, fault.line);
    fmt::print("{}{}entry {}: {}\n", place, place.empty() ? "" : ", ", fault.number, Printable(fault.what));
  }
  if (report.fault_count > report.faults.size()) fmt::print("and {} more\n", report.fault_count - report.faults.size());
  if (report.torn) {
    fmt::print("the last line was not written to its end (a power failure?); the next start of the hub will say so\n");
  }
  fmt::print("{}\n", report.whole() ? "whole" : "NOT WHOLE");
}

Json ReportJson(const hub::AuditReport& report) {
  Json faults = Json::array();
  for (const hub::AuditFault& fault : report.faults) {
    faults.push_back({{"file", fault.file}, {"line", fault.line}, {"number", fault.number}, {"what", fault.what}});
  }
  return {{"whole", report.whole()},      {"entries", report.entries},     {"first", report.first_number},
          {"last", report.last_number},   {"last_hash", report.last_hash}, {"torn", report.torn},
          {"faults", report.fault_count}, {"first_faults", faults},        {"notes", report.notes}};
}

int ShowAudit(const AuditOptions& options) {
  const auto lines = hub::ReadAudit(options.path, 0, options.entries == 0 ? SIZE_MAX : options.entries);
  if (!lines) {
    fmt::print(stderr, "vesta audit: {}\n", lines.error());
    return kExitCannotStart;
  }
  if (lines->empty()) {
    fmt::print(stderr, "vesta audit: {} holds no audit log\n", options.path);
    return kExitCannotStart;
  }
  for (auto line = lines->rbegin(); line != lines->rend(); ++line) {
    const auto entry = hub::ParseEntry(*line);
    if (options.json) {
      fmt::print("{}\n", *line);
    } else if (entry) {
      fmt::print("{:>6}  {}{}  {:<16} {}", entry->number, TimeText(entry->time_us),
                 entry->clock == ClockQuality::kSynchronised ? "" : " (clock not synchronised)",
                 Printable(entry->actor), Printable(entry->action));
      for (const auto& [key, value] : entry->details) fmt::print("  {}={}", Printable(key), Printable(value));
      fmt::print("\n");
    }
  }
  return kExitOk;
}

// "DEVICE/FIELD" or a number.
const hub::Series* FindSeries(const hub::Directory& directory, const std::string& text) {
  int64_t id = 0;
  if (hub::ParseInteger(text, 1, UINT32_MAX, &id)) return directory.FindSeries(static_cast<hub::SeriesId>(id));
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return nullptr;
  return directory.FindSeriesByKey(text.substr(0, slash), text.substr(slash + 1));
}

std::string Shown(const Json& value) { return value.is_string() ? Printable(value.get<std::string>()) : value.dump(); }

void PrintTrace(const Json& trace) {
  const Json& reading = trace["reading"];
  const Json& time = trace["time"];
  const Json& frame = trace["frame"];
  fmt::print("reading   {} of {}: {} = {} {}\n", reading["number"].dump(), Shown(reading["device"]),
             Shown(reading["name"]), Shown(reading["value"]), reading["unit"].get<std::string>());
  if (!reading["mantissa"].is_null()) {
    fmt::print("exactly   {} x 10^{}\n", reading["mantissa"].dump(), reading["exponent"].dump());
  }
  fmt::print("quality   {}{}{}\n", Shown(reading["quality"]), reading["late"] ? ", late" : "",
             reading["repaired"] ? ", repaired" : "");
  fmt::print("time      {}: {}\n", Shown(time["time"]), Shown(time["text"]));
  fmt::print("received  {} ({} s later)\n", Shown(time["received"]), time["delay_s"].dump());
  const Json& bed = trace["bed"];
  fmt::print("bed       {}\n", bed.is_null() ? "none said" : Shown(bed["bed"]) + ", since " + Shown(bed["begin"]));
  const Json& decoder = trace["decoder"];
  if (decoder.is_null()) {
    fmt::print("decoder   not known: stored before the hub kept note of it\n");
  } else {
    fmt::print("decoder   {}, tables {}, on source {} since {}\n", Shown(decoder["decoder"]), Shown(decoder["tables"]),
               Shown(decoder["source"]), Shown(decoder["since"]));
  }
  fmt::print("frame     {}: {}\n", Shown(frame["state"]), Shown(frame["text"]));
  if (frame["state"] != "kept") return;
  fmt::print("          {} of {}, received {}, {} readings\n", frame["id"].dump(), Shown(frame["source"]),
             Shown(frame["received"]), frame["readings"].dump());
  const std::string hex = frame["hex"];
  for (size_t i = 0; i < hex.size(); i += 64) fmt::print("          {}\n", hex.substr(i, 64));
}

void PrintGaps(const hub::GapReport& report) {
  fmt::print("{} from {} to {}, longer than {:.0f} s{}:\n", report.device, TimeText(report.from_us),
             TimeText(report.to_us), static_cast<double>(report.limit_us) / kUsPerSecond,
             report.limit_learned ? " (three of its usual distances, at least a minute)" : "");
  for (const hub::Gap& gap : report.gaps) {
    fmt::print("  {}{} .. {}{}  {:.0f} s\n", gap.begins_before ? "before " : "", TimeText(gap.from_us),
               gap.goes_on ? "after " : "", TimeText(gap.to_us),
               static_cast<double>(gap.to_us - gap.from_us) / kUsPerSecond);
    for (const hub::GapReason& reason : gap.reasons) {
      fmt::print("      {}{}{}\n", reason.time_us == kNoTime ? "" : TimeText(reason.time_us),
                 reason.time_us == kNoTime ? "" : "  ", Printable(reason.text));
    }
    if (gap.reasons.empty())
      fmt::print("      nothing known: the device was silent, or what it said was lost on the way\n");
  }
  if (report.more) fmt::print("  and more\n");
  fmt::print("{} gaps, {:.0f} s not heard\n", report.gaps.size(),
             static_cast<double>(report.missing_us) / kUsPerSecond);
}

}  // namespace

int RunAudit(const AuditOptions& options) {
  if (options.what == "show") return ShowAudit(options);
  std::optional<hub::AuditAnchor> anchor;
  if (!options.expect.empty()) {
    anchor = ParseAnchor(options.expect);
    if (!anchor) {
      fmt::print(stderr, "vesta audit: --expect wants NUMBER:HASH, as `vesta audit verify` prints it\n");
      return kExitWrongUsage;
    }
  }
  const auto report = hub::VerifyAudit(options.path, anchor);
  if (!report) {
    fmt::print(stderr, "vesta audit: {}\n", report.error());
    return kExitCannotStart;
  }
  if (options.json) {
    fmt::print("{}\n", ReportJson(*report).dump());
  } else {
    PrintReport(*report);
  }
  return report->whole() ? kExitOk : kExitProblems;
}

int RunTrace(const TraceOptions& options) {
  const auto data = OpenDataDirectory(options.directory);
  if (!data) {
    fmt::print(stderr, "vesta trace: {}\n", data.error());
    return kExitCannotStart;
  }
  hub::TraceQuery query;
  query.number = options.number;
  if (query.number == 0) {
    const hub::Series* const series = FindSeries((*data)->directory, options.series);
    if (series == nullptr) {
      fmt::print(stderr, "vesta trace: there is no series {}; name it DEVICE/FIELD or by its id\n",
                 Printable(options.series));
      return kExitWrongUsage;
    }
    query.series = series->id;
    query.time_us = INT64_MAX / 2;
    if (!options.time.empty() && !hub::ParseTime(options.time, &query.time_us)) {
      fmt::print(stderr, "vesta trace: a time is ISO 8601 or milliseconds since 1970\n");
      return kExitWrongUsage;
    }
  }
  const auto trace = hub::FindTrace(*(*data)->reader, query);
  if (!trace) {
    fmt::print(stderr, "vesta trace: {}\n", trace.error().text);
    return kExitCannotStart;
  }
  if (trace->reading.records.empty()) {
    fmt::print(stderr, "vesta trace: there is no such reading\n");
    return kExitProblems;
  }
  const std::string text = hub::TraceJson(
      *trace, {(*data)->directory, &(*data)->places, &(*data)->decoders,
               [](std::string_view protocol, std::string_view field) { return hub::FieldName(protocol, field); }});
  if (options.json) {
    fmt::print("{}\n", text);
  } else {
    PrintTrace(Json::parse(text));
  }
  return kExitOk;
}

int RunGaps(const GapsOptions& options) {
  const auto data = OpenDataDirectory(options.directory);
  if (!data) {
    fmt::print(stderr, "vesta gaps: {}\n", data.error());
    return kExitCannotStart;
  }
  const hub::Device* const device = (*data)->directory.FindDeviceByKey(options.device);
  if (device == nullptr) {
    fmt::print(stderr, "vesta gaps: there is no device {}; there are:", Printable(options.device));
    for (const hub::Device& known : (*data)->directory.devices()) fmt::print(stderr, " {}", known.key);
    fmt::print(stderr, "\n");
    return kExitWrongUsage;
  }
  UtcUs to_us = hub::SystemClock().Read().utc_us;
  if (!options.to.empty() && !hub::ParseTime(options.to, &to_us)) to_us = kNoTime;
  UtcUs from_us = to_us == kNoTime ? kNoTime : to_us - 24ll * 3600 * kUsPerSecond;
  if (!options.from.empty() && !hub::ParseTime(options.from, &from_us)) from_us = kNoTime;
  if (to_us == kNoTime || from_us == kNoTime || from_us >= to_us || to_us - from_us > hub::kMaxGapSpan_us) {
    fmt::print(stderr, "vesta gaps: from and to are ISO 8601 times, from before to, at most 31 days apart\n");
    return kExitWrongUsage;
  }
  hub::GapSearch search((*data)->directory, *device, from_us, to_us, options.longer_than_s * kUsPerSecond,
                        options.directory);
  while (true) {
    const auto done = search.Step(*(*data)->reader);
    if (!done) {
      fmt::print(stderr, "vesta gaps: {}\n", done.error().text);
      return kExitCannotStart;
    }
    if (*done) break;
  }
  if (options.json) {
    fmt::print("{}\n", hub::GapsJson(search.report()));
  } else {
    PrintGaps(search.report());
  }
  return search.report().gaps.empty() ? kExitOk : kExitProblems;
}

}  // namespace vesta::app
