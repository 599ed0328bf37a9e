#include "app/ward.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "model/calendar.h"
#include "vesta_version.h"

namespace vesta::app {
namespace {

std::string TimeText(UtcUs time_us) {
  char text[kIso8601Size];
  return {text, FormatIso8601(time_us, text)};
}

}  // namespace

Ward::Ward(const hub::Clock& clock, const hub::Directory& directory, const hub::Config& config)
    : clock_(clock), directory_(directory), config_(config), audit_(clock, config.storage.directory) {}

void Ward::Restore(const hub::RestoredState& state) {
  places_.Restore(state.beds);
  decoders_.Restore(state.decoders, state.redecodes);
  first_series_ = static_cast<hub::SeriesId>(state.series.size()) + 1;
}

void Ward::TellStart(const std::vector<std::string>& off) {
  audit_.Record("hub", "start", {{"version", kVersion}, {"revision", kRevision}, {"hub", config_.hub_id}});
  hub::AuditDetails details = {{"file", config_.file}, {"sha256", config_.file_sha256}};
  // Each may be long: the log of the hub has them all.
  for (size_t i = 0; i < std::min<size_t>(off.size(), 8); ++i)
    details.emplace_back(fmt::format("off_{}", i + 1), off[i]);
  audit_.Record("hub", "configuration_read", std::move(details));
}

void Ward::TellStop() { audit_.Record("hub", "stop", {}); }

void Ward::TellClockStep(int64_t step_us) {
  audit_.RecordOften("clock", "hub", "clock_step",
                     {{"step_s", fmt::format("{:+.3f}", static_cast<double>(step_us) / kUsPerSecond)}});
}

void Ward::TellPort(const std::string& source, hub::SourceState state, std::string_view why) {
  const char* action = "port_closed";
  if (state == hub::SourceState::kOpen) action = "port_opened";
  if (state == hub::SourceState::kFailed) action = "port_failed";
  audit_.RecordOften("port " + source, "hub", action,
                     {{"source", source}, {state == hub::SourceState::kOpen ? "where" : "why", std::string(why)}});
}

std::optional<hub::Redecode> Ward::BeginDecoder(const hub::SourceConfig& source, const Session& session) {
  const std::string tables =
      session.tables().empty() ? hub::FieldTableName(session.fields()) : std::string(session.tables());
  const std::string decoder = fmt::format("vesta {} {} {}", kVersion, kRevision, source.protocol);
  const bool had_one = decoders_.Find(source.name, UINT64_MAX) != nullptr;
  const hub::DecoderEpoch* const begun =
      decoders_.Begin(source.name, decoder, tables, journal_->last_number() + 1, clock_.Read().utc_us);
  audit_.Record("hub", begun == nullptr ? "decoder" : "decoder_changed",
                {{"source", source.name}, {"decoder", decoder}, {"tables", tables}});
  if (begun == nullptr) {
    const hub::Redecode* const unfinished = decoders_.Unfinished(source.name);
    return unfinished == nullptr ? std::nullopt : std::make_optional(*unfinished);
  }
  journal_->Keep(*begun);
  if (!had_one) return std::nullopt;
  return hub::Redecode{source.name, begun->id, first_series_, journal_->next_frame(), 0, false};
}

std::string Ward::KeyOf(hub::DeviceId device) const {
  const hub::Device* const found = directory_.FindDevice(device);
  return found == nullptr ? "" : found->key;
}

Ward::Done Ward::BeginBed(hub::DeviceId device, std::string bed, UtcUs begin_us, const std::string& actor) {
  const std::vector<std::string>& beds = config_.beds;
  if (!beds.empty() && std::find(beds.begin(), beds.end(), bed) == beds.end()) {
    return tl::unexpected(std::string("the configuration knows no such bed (hub.beds)"));
  }
  const auto changed = places_.Begin(device, std::move(bed), begin_us, actor, clock_.Read().utc_us);
  if (!changed) return tl::unexpected(changed.error());
  for (const hub::BedStay& stay : *changed) {
    journal_->Keep(stay);
    const bool ended = stay.end_us != kNoTime;
    audit_.Record(actor, ended ? "bed_ended" : "bed_begun",
                  {{"device", KeyOf(device)}, {"bed", stay.bed}, {"time", TimeText(ended ? stay.end_us : begin_us)}});
  }
  journal_->Flush();
  return {};
}

Ward::Done Ward::EndBed(hub::DeviceId device, UtcUs end_us, const std::string& actor) {
  const auto changed = places_.End(device, end_us, actor, clock_.Read().utc_us);
  if (!changed) return tl::unexpected(changed.error());
  for (const hub::BedStay& stay : *changed) {
    journal_->Keep(stay);
    audit_.Record(actor, "bed_ended", {{"device", KeyOf(device)}, {"bed", stay.bed}, {"time", TimeText(end_us)}});
  }
  journal_->Flush();
  return {};
}

hub::WardContext Ward::Context() {
  hub::WardContext context;
  context.audit = &audit_;
  context.places = &places_;
  context.decoders = &decoders_;
  context.beds = config_.beds;
  context.begin_bed = [this](hub::DeviceId device, std::string bed, UtcUs begin_us, const std::string& actor) {
    return BeginBed(device, std::move(bed), begin_us, actor);
  };
  context.end_bed = [this](hub::DeviceId device, UtcUs end_us, const std::string& actor) {
    return EndBed(device, end_us, actor);
  };
  context.taken_by_series = [this]() -> const std::vector<uint64_t>& { return journal_->taken_by_series(); };
  context.stored_by_series = [this]() -> const std::vector<uint64_t>& { return journal_->stored_by_series(); };
  return context;
}

std::string Ward::Problem() const {
  const hub::AuditHealth health = audit_.health();
  if (!health.error.empty()) return "the audit log can't be written: " + health.error;
  if (health.lost > 0) return fmt::format("{} entries of the audit log are lost: the disk took none", health.lost);
  return "";
}

}  // namespace vesta::app
