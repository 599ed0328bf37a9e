#include "hub/web/gaps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "hub/audit/audit_verify.h"
#include "hub/live/live_view.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

// Readings of one series read at a time.
constexpr size_t kGapSlice = 4096;
// Readings from which the usual distance is learned.
constexpr size_t kLearnFrom = 200;
// A stretch that the main series leaves open is filled from the others in so many steps at most.
constexpr size_t kMaxSplitSteps = 5000;
// Entries of the audit log looked at.
constexpr size_t kMaxGapEntries = 20000;
// What explains a gap may be written a little before or after it.
constexpr int64_t kReasonSlack_us = 5 * kUsPerSecond;

std::string Detail(const AuditEntry& entry, std::string_view key) {
  for (const auto& [name, value] : entry.details) {
    if (name == key) return value;
  }
  return {};
}

std::string StateText(const SeriesField& field, const Value& value) {
  if (value.kind() == ValueKind::kText) return std::string(value.text());
  if (value.kind() != ValueKind::kState) return "?";
  const std::string_view name = field.StateName(value.state());
  return name.empty() ? fmt::format("unknown(0x{:02X})", value.state()) : std::string(name);
}

}  // namespace

GapSearch::GapSearch(const Directory& directory, const Device& device, UtcUs from_us, UtcUs to_us, int64_t limit_us,
                     std::string audit_directory)
    : source_(device.source), audit_directory_(std::move(audit_directory)) {
  report_.device = device.key;
  report_.from_us = last_us_ = next_us_ = from_us;
  report_.to_us = to_us;
  report_.limit_us = limit_us;
  for (const SeriesId id : device.series) {
    const Series* const series = directory.FindSeries(id);
    if (series == nullptr) continue;
    if (series->field.key == kLinkStateField) {
      link_state_.emplace(id, series->field);
    } else {
      candidates_.emplace_back(id, series->field);
    }
  }
}

// The series that comes most often tells nearly all; the others are asked only where it is silent.
GapSearch::Done GapSearch::Prepare(StoreReader& reader) {
  prepared_ = true;
  int64_t best_us = INT64_MAX;
  for (const auto& [id, field] : candidates_) {
    const auto batch = reader.ReadRange(id, report_.from_us, report_.to_us, kLearnFrom);
    if (!batch) return tl::unexpected(batch.error());
    std::vector<int64_t> distances;
    for (size_t i = 1; i < batch->records.size(); ++i) {
      distances.push_back(batch->records[i].time_us - batch->records[i - 1].time_us);
    }
    if (distances.empty()) continue;
    std::nth_element(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2),
                     distances.end());
    const int64_t median_us = std::max<int64_t>(distances[distances.size() / 2], 1);
    if (median_us >= best_us) continue;
    best_us = median_us;
    main_ = id;
  }
  if (main_ == 0 && !candidates_.empty()) main_ = candidates_.front().first;
  for (const auto& candidate : candidates_) {
    if (candidate.first != main_) others_.push_back(candidate.first);
  }
  if (report_.limit_us == 0) {
    report_.limit_learned = true;
    report_.limit_us = best_us == INT64_MAX ? kDefaultStaleAfter_us
                                            : std::clamp(best_us > kMaxStaleAfter_us ? kMaxStaleAfter_us : best_us * 3,
                                                         kMinStaleAfter_us, kMaxStaleAfter_us);
  }
  return {};
}

GapSearch::Done GapSearch::Heard(StoreReader& reader, UtcUs time_us) {
  Done done;
  if (time_us - last_us_ > report_.limit_us) done = Split(reader, last_us_, time_us, !heard_, false);
  heard_ = true;
  last_us_ = time_us;
  return done;
}

// Looks from the end backwards which other series was heard in between.
GapSearch::Done GapSearch::Split(StoreReader& reader, UtcUs from_us, UtcUs to_us, bool begins_before, bool goes_on) {
  std::vector<Gap> found;
  UtcUs end_us = to_us;
  bool end_open = goes_on;
  for (size_t step = 0; step < kMaxSplitSteps && end_us - from_us > report_.limit_us; ++step) {
    UtcUs newest_us = kNoTime;
    for (const SeriesId id : others_) {
      const auto batch = reader.ReadAtOrBefore(id, end_us - 1);
      if (!batch) return tl::unexpected(batch.error());
      if (!batch->records.empty()) newest_us = std::max(newest_us, batch->records.front().time_us);
    }
    const bool heard = newest_us != kNoTime && newest_us > from_us;
    const UtcUs begin_us = heard ? newest_us : from_us;
    if (end_us - begin_us > report_.limit_us) {
      found.push_back({begin_us, end_us, !heard && begins_before, end_open, {}});
    }
    end_open = false;
    end_us = begin_us;
    if (!heard) break;
  }
  for (auto gap = found.rbegin(); gap != found.rend(); ++gap) {
    report_.missing_us += gap->to_us - gap->from_us;
    if (report_.gaps.size() < kMaxGaps) {
      report_.gaps.push_back(std::move(*gap));
    } else {
      report_.more = true;
    }
  }
  return {};
}

tl::expected<bool, StoreError> GapSearch::Step(StoreReader& reader) {
  if (!prepared_) {
    if (auto prepared = Prepare(reader); !prepared) return tl::unexpected(prepared.error());
    return false;
  }
  const auto batch = main_ == 0 ? tl::expected<RecordBatch, StoreError>(RecordBatch())
                                : reader.ReadRange(main_, next_us_, report_.to_us, kGapSlice);
  if (!batch) return tl::unexpected(batch.error());
  for (const Record& record : batch->records) {
    if (auto done = Heard(reader, record.time_us); !done) return tl::unexpected(done.error());
  }
  if (batch->records.size() == kGapSlice) {
    next_us_ = batch->records.back().time_us + 1;
    return false;
  }
  if (report_.to_us - last_us_ > report_.limit_us) {
    if (auto done = Split(reader, last_us_, report_.to_us, !heard_, true); !done) return tl::unexpected(done.error());
  }
  if (auto done = Explain(reader); !done) return tl::unexpected(done.error());
  return true;
}

GapSearch::Done GapSearch::Explain(StoreReader& reader) {
  if (report_.gaps.empty()) return {};
  ExplainByAudit();
  std::vector<ArchivedFrame> rejected;
  FrameId before = 0;
  while (rejected.size() < kMaxGapFrames) {
    auto frames = reader.ReadFrames(source_, true, before, 100);
    if (!frames) return tl::unexpected(frames.error());
    if (frames->empty()) break;
    before = frames->back().id;
    const bool passed = frames->back().received_us < report_.gaps.front().from_us;
    for (ArchivedFrame& frame : *frames) {
      frame.bytes.clear();
      rejected.push_back(std::move(frame));
    }
    if (passed) break;
  }
  for (Gap& gap : report_.gaps) {
    if (link_state_) {
      const auto states = reader.ReadRange(link_state_->first, gap.from_us, gap.to_us + 1, 20);
      if (!states) return tl::unexpected(states.error());
      for (const Record& record : states->records) {
        gap.reasons.push_back(
            {"link_state", record.time_us, "the link's state became " + StateText(link_state_->second, record.value)});
      }
    }
    std::map<std::string, uint64_t> counts;
    for (const ArchivedFrame& frame : rejected) {
      if (frame.received_us > gap.from_us && frame.received_us < gap.to_us) ++counts[frame.reason];
    }
    for (const auto& [reason, count] : counts) {
      gap.reasons.push_back(
          {"frames_rejected", kNoTime,
           fmt::format("{} frames of source {} came and were not believed: {}", count, source_, reason)});
    }
  }
  return {};
}

void GapSearch::ExplainByAudit() {
  if (audit_directory_.empty()) return;
  const auto lines = ReadAudit(audit_directory_, 0, kMaxGapEntries);
  if (!lines) return;
  // Oldest first: a start without a stop before it means that the hub ended hard.
  std::vector<AuditEntry> entries;
  for (auto line = lines->rbegin(); line != lines->rend(); ++line) {
    if (auto entry = ParseEntry(*line)) entries.push_back(std::move(*entry));
  }
  for (Gap& gap : report_.gaps) {
    bool stopped = false;
    for (const AuditEntry& entry : entries) {
      const bool inside =
          entry.time_us >= gap.from_us - kReasonSlack_us && entry.time_us <= gap.to_us + kReasonSlack_us;
      if (!inside) continue;
      const bool ours = Detail(entry, "source") == source_;
      if (entry.action == "stop") {
        stopped = true;
        gap.reasons.push_back({"hub_stopped", entry.time_us, "the hub was stopped"});
      } else if (entry.action == "start") {
        gap.reasons.push_back(
            {stopped ? "hub_started" : "hub_ended_hard", entry.time_us,
             stopped ? "the hub was started" : "the hub was started; it had ended without being stopped"});
        stopped = false;
      } else if ((entry.action == "port_closed" || entry.action == "port_failed") && ours) {
        gap.reasons.push_back({entry.action, entry.time_us, "the port was closed: " + Detail(entry, "why")});
      } else if (entry.action == "port_opened" && ours) {
        gap.reasons.push_back({entry.action, entry.time_us, "the port was opened"});
      } else if (entry.action == "clock_step") {
        gap.reasons.push_back(
            {entry.action, entry.time_us, "the hub's clock was set by " + Detail(entry, "step_s") + " s"});
      }
    }
  }
}

std::string GapsJson(const GapReport& report) {
  std::string text;
  AppendJson(&text, [&](JsonWriter& json) {
    json.BeginObject().Key("device").Text(report.device).Key("from").Time(report.from_us).Key("to").Time(report.to_us);
    json.Key("limit_s").Number(Decimal{report.limit_us / kUsPerMs, -3});
    json.Key("limit_learned").Boolean(report.limit_learned);
    json.Key("missing_s").Number(Decimal{report.missing_us / kUsPerMs, -3});
    json.Key("more").Boolean(report.more).Key("gaps").BeginArray();
    for (const Gap& gap : report.gaps) {
      json.BeginObject().Key("from").Time(gap.from_us).Key("to").Time(gap.to_us);
      json.Key("seconds").Number(Decimal{(gap.to_us - gap.from_us) / kUsPerMs, -3});
      json.Key("begins_before").Boolean(gap.begins_before).Key("goes_on").Boolean(gap.goes_on);
      json.Key("reasons").BeginArray();
      for (const GapReason& reason : gap.reasons) {
        json.BeginObject().Key("reason").Text(reason.reason).Key("time").Time(reason.time_us);
        json.Key("text").Text(reason.text).EndObject();
      }
      json.EndArray().EndObject();
    }
    json.EndArray().EndObject();
  });
  return text;
}

}  // namespace vesta::hub
