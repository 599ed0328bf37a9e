#include "hub/intake/sender_lines.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace vesta::hub {
namespace {

void AddCounts(const std::map<std::string, uint64_t>& from, std::map<std::string, uint64_t>* to) {
  for (const auto& [name, count] : from) (*to)[name] += count;
}

}  // namespace

SenderLines::SenderLines(const Clock& clock, SourceHealth base, Make make)
    : clock_(clock), base_(std::move(base)), make_(std::move(make)) {
  base_.state_since_us = clock_.Read().utc_us;
}

Line* SenderLines::For(std::string_view sender) {
  const auto known = lines_.find(sender);
  if (known != lines_.end()) return known->second.get();
  if (lines_.size() >= kMaxSenders || sender.size() > kMaxSenderSize) {
    Reject("too_many_senders");
    return nullptr;
  }
  std::string name(sender);
  auto line = make_(name);
  if (line == nullptr) {
    Reject("no_session");
    return nullptr;
  }
  line->Opened();
  return lines_.emplace(std::move(name), std::move(line)).first->second.get();
}

void SenderLines::SetState(SourceState state) {
  if (base_.state == state) return;
  base_.state = state;
  base_.state_since_us = clock_.Read().utc_us;
}

void SenderLines::Opening() { SetState(SourceState::kOpening); }

void SenderLines::Opened() {
  SetState(SourceState::kOpen);
  base_.error.clear();
  ++base_.opens;
  spdlog::info("source {}: open ({})", base_.name, base_.where);
}

// The senders' sessions go on: the broker keeps what they say meanwhile, so nothing is half received.
void SenderLines::Closed(std::string_view why, bool failed) {
  if (base_.error != why) spdlog::warn("source {}: {}", base_.name, why);
  SetState(failed ? SourceState::kFailed : SourceState::kWaiting);
  base_.error = why;
}

SourceHealth SenderLines::ReportedHealth() {
  SourceHealth all = base_;
  all.counters["senders"] = lines_.size();
  for (const auto& [name, line] : lines_) {
    const SourceHealth& one = line->ReportedHealth();
    all.bytes += one.bytes;
    all.frames_accepted += one.frames_accepted;
    all.readings += one.readings;
    all.unknown_objects += one.unknown_objects;
    all.refused_readings += one.refused_readings;
    AddCounts(one.frames_rejected, &all.frames_rejected);
    AddCounts(one.frames_discarded, &all.frames_discarded);
    AddCounts(one.counters, &all.counters);
    all.decode.Add(one.decode);
    if (one.last_frame_us > all.last_frame_us) {
      all.last_frame_us = one.last_frame_us;
      all.last_frame_monotonic_us = one.last_frame_monotonic_us;
    }
    // The slowest sender's: the source is late only when all of them are.
    if (one.interval_us && one.interval_us > all.interval_us) all.interval_us = one.interval_us;
    if (all.hint.empty()) all.hint = one.hint;
  }
  return all;
}

std::vector<UnknownObject> SenderLines::UnknownObjects() const {
  std::map<std::string, UnknownObject> by_code;
  for (const auto& [name, line] : lines_) {
    for (UnknownObject& object : line->UnknownObjects()) {
      const auto [at, is_new] = by_code.emplace(object.code, object);
      if (!is_new) at->second.count += object.count;
    }
  }
  std::vector<UnknownObject> all;
  all.reserve(by_code.size());
  for (auto& [code, object] : by_code) all.push_back(std::move(object));
  return all;
}

}  // namespace vesta::hub
