#include "protocols/medibus/session.h"

#include <algorithm>
#include <cstring>

#include "protocols/medibus/hash.h"

namespace vesta::medibus {
namespace {

constexpr std::string_view kLineIdentity = "line";
constexpr std::string_view kUnidentified = "unidentified";
constexpr std::string_view kManufacturer = "Dr\xC3\xA4ger";

LinkOptions Checked(LinkOptions link) {
  // Shorter than the pause that ends a session makes no sense, and a device must be left its time.
  link.response_timeout_us = std::max(link.response_timeout_us, kSessionPause_us);
  link.cycle_us = std::max(link.cycle_us, kUsPerSecond);
  link.realtime_streams = std::min<uint8_t>(link.realtime_streams, kMaxRealtimeStreams);
  return link;
}

}  // namespace

MedibusSession::MedibusSession(const Options& options)
    : options_(options),
      parser_(this),
      link_(Checked(options.link)),
      decoder_(options.site),
      records_(std::make_unique<RealtimeRecord[]>(kRealtimeBatch)) {
  table_name_size_ = TableName(options.site, table_name_);
}

void MedibusSession::Receive(Bytes bytes, const Now& now, SessionEvents& events) {
  now_ = now;
  events_ = &events;
  AnnounceLine();
  parser_.Receive(bytes, now);
  Settle(now);
}

void MedibusSession::Tick(const Now& now, SessionEvents& events) {
  now_ = now;
  events_ = &events;
  AnnounceLine();
  parser_.Tick(now);
  Settle(now);
}

void MedibusSession::LinkReset(const Now& now, SessionEvents& events) {
  now_ = now;
  events_ = &events;
  AnnounceLine();
  parser_.Reset();
  realtime_.Reset();
  FlushRealtime();
  link_.LineReset(now.monotonic_us);
  last_valid_us_ = INT64_MIN;
  passive_state_ = LinkState::kLineClosed;
  Settle(now);
}

void MedibusSession::BeginFarewell(const Now& now, SessionEvents& events) {
  now_ = now;
  events_ = &events;
  link_.BeginStop(now.monotonic_us);
  Settle(now);
}

// After whatever happened: the timers, what has to be told, and when to come again.
void MedibusSession::Settle(const Now& now) {
  if (options_.passive) {
    const bool heard = last_valid_us_ != INT64_MIN;
    if (heard && now.monotonic_us - last_valid_us_ >= options_.passive_silence_us) {
      passive_state_ = LinkState::kSilent;
    } else if (heard) {
      passive_state_ = LinkState::kOk;
    }
  } else {
    link_.Advance(now.monotonic_us, parser_.last_byte_us());
  }
  if (record_count_ > 0 && now.monotonic_us - records_since_.monotonic_us >= kRealtimeLatest_us) FlushRealtime();
  FollowLink();

  deadline_us_ = parser_.next_deadline_us();
  if (!options_.passive) {
    deadline_us_ = std::min(deadline_us_, link_.next_deadline_us(parser_.last_byte_us()));
  } else if (passive_state_ == LinkState::kOk) {
    deadline_us_ = std::min(deadline_us_, last_valid_us_ + options_.passive_silence_us);
  }
  if (record_count_ > 0) deadline_us_ = std::min(deadline_us_, records_since_.monotonic_us + kRealtimeLatest_us);
}

void MedibusSession::OnDropped(Bytes raw, uint64_t offset, const char* reason) {
  uint64_t* counter = reason[0] == 't'   ? &counters_.truncated
                      : reason[0] == 'a' ? &counters_.aborted
                                         : &counters_.overlong;
  ++*counter;
  FrameEvent event;
  event.verdict = FrameVerdict::kDiscarded;
  event.reason = reason;
  event.raw = raw;
  event.stream_offset = offset;
  events_->OnFrame(event);
}

void MedibusSession::OnFlow(bool suspend, const Now& now) {
  ++(suspend ? suspends_heard_ : resumes_heard_);
  link_.OnFlow(suspend, now.monotonic_us);
}

void MedibusSession::OnParsed(const Frame& frame) {
  batch_.Clear();
  if (!frame.checksum_ok) {
    ++counters_.checksum_errors;
    if (frame.is_command && !options_.passive) link_.OnDamagedCommand(now_.monotonic_us);
    return Emit(frame, "checksum");
  }
  last_valid_us_ = now_.monotonic_us;
  if (frame.is_command) {
    ++counters_.commands;
    if (frame.code == kCommandTimeChanged && device_ != kNoDevice) decoder_.CountClockStep(frame.started, &batch_);
    Emit(frame, "");
    if (!options_.passive) link_.OnCommand(frame.code, now_.monotonic_us);
    return FollowLink();
  }
  ++counters_.responses;
  OnResponse(frame);
}

void MedibusSession::OnResponse(const Frame& frame) {
  const std::string_view payload = TextOf(frame.payload);
  if (frame.code == static_cast<uint8_t>(Request::kIdentify)) {
    TakeIdentification(frame);
  } else if (frame.code == static_cast<uint8_t>(Request::kRealtimeConfiguration)) {
    TakeStreamConfig(frame);
  } else if (frame.code != kNak && !payload.empty() && device_ == kNoDevice && options_.passive) {
    // The other host asked who this is before we came.
    UseDevice(DeviceId());
  }
  if (options_.passive) {
    passive_state_ = LinkState::kOk;
    FollowLink();
  }
  if (device_ != kNoDevice) {
    if (now_.monotonic_us >= tell_table_at_us_) TellTable();
    if (frame.code != kNak) decoder_.Decode(frame.code, payload, frame.started, &batch_);
  } else if (!payload.empty()) {
    ++counters_.readings_without_device;
  }
  Emit(frame, "");
  if (options_.passive) return;
  link_.OnResponse(frame.code, now_.monotonic_us);
  FollowLink();
}

void MedibusSession::Emit(const Frame& frame, const char* reason) {
  FrameEvent event;
  event.verdict = reason[0] == '\0' ? FrameVerdict::kAccepted : FrameVerdict::kRejected;
  event.reason = reason;
  event.raw = frame.raw;
  event.stream_offset = frame.offset;
  event.readings = batch_.readings();
  events_->OnFrame(event);
  batch_.Clear();
}

void MedibusSession::EmitBatch() {
  if (batch_.readings().empty()) return;
  FrameEvent event;
  event.stream_offset = parser_.bytes_received();
  event.readings = batch_.readings();
  events_->OnFrame(event);
  batch_.Clear();
}

void MedibusSession::AnnounceLine() {
  if (line_announced_) return;
  line_announced_ = true;
  DeviceInfo info;
  info.identity = kLineIdentity;
  info.kind = DeviceKind::kGateway;
  events_->OnDevice(kLineSlot, info);
}

void MedibusSession::TakeIdentification(const Frame& frame) {
  DeviceId id;
  if (!ReadDeviceId(TextOf(frame.payload), &id)) {
    ++counters_.identifications_unreadable;
    return;
  }
  // Nothing said: whoever was here is still here.
  if (!id.empty || device_ == kNoDevice) UseDevice(id);
}

void MedibusSession::UseDevice(const DeviceId& id) {
  char identity[kIdentitySize];
  size_t size = 0;
  // Small letters, digits and hyphens: it becomes part of keys.
  const auto append = [&](std::string_view text) {
    for (const char c : text) {
      if (size == kIdentitySize) return;
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
      identity[size++] = plain ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '-';
    }
  };
  if (id.empty) {
    append(kUnidentified);
  } else {
    append(id.number_text);
    append("-");
    append(id.name);
  }
  const uint16_t slot = SlotOf({identity, size});
  if (slot == kNoDevice) {
    ++counters_.devices_dropped;
    return;
  }
  if (slot != device_) {
    if (device_ != kNoDevice) {
      FlushRealtime();
      TellDevice(LinkState::kReplaced);
    }
    device_ = slot;
    device_told_ = kNothingTold;
    id_hash_ = 0;
    decoder_.SetDevice(slot, id.empty ? 0 : std::max<uint16_t>(id.number, 1), options_.assumed_family);
    stream_count_ = 0;
  }
  link_.SetDevice(id.number);
  batch_.Clear();
  const std::string_view model = batch_.Keep(id.name);
  const std::string_view firmware = batch_.Keep(id.revision);
  const uint64_t hash = HashOfText(firmware);
  if (hash == id_hash_) return;
  id_hash_ = hash;
  DeviceInfo info;
  info.identity = {identity, size};
  info.kind = decoder_.family() == Family::kIncubator ? DeviceKind::kIncubator : DeviceKind::kOther;
  if (decoder_.family() != Family::kNone && !id.empty) info.manufacturer = kManufacturer;
  info.model = model;
  info.firmware = firmware;
  info.parent = kLineSlot;
  events_->OnDevice(slot, info);
}

uint16_t MedibusSession::SlotOf(std::string_view identity) {
  for (size_t i = 1; i < slot_count_; ++i) {
    if (identity == std::string_view(slots_[i].identity, slots_[i].identity_size)) return static_cast<uint16_t>(i);
  }
  if (slot_count_ == kMaxDevices) return kNoDevice;
  Slot& slot = slots_[slot_count_];
  std::memcpy(slot.identity, identity.data(), identity.size());
  slot.identity_size = identity.size();
  return static_cast<uint16_t>(slot_count_++);
}

// After the link may have changed. Only where no readings of a frame are at hand.
void MedibusSession::FollowLink() {
  if (!options_.passive && link_.counters().sessions != sessions_seen_) {
    sessions_seen_ = link_.counters().sessions;
    if (device_ == kNoDevice) UseDevice(DeviceId());  // it did not say who it is
  }
  const LinkState state = link_state();
  if (state != LinkState::kOk) FlushRealtime();
  if (state != line_told_) {
    line_told_ = state;
    batch_.Add(kLineSlot, kLinkState, Value::OfState(static_cast<uint32_t>(state)), ArrivalTime(now_));
  }
  if (device_ != kNoDevice && state != device_told_) TellDevice(state);
  EmitBatch();
}

void MedibusSession::TellDevice(LinkState state) {
  device_told_ = state;
  batch_.Add(device_, kLinkState, Value::OfState(static_cast<uint32_t>(state)), ArrivalTime(now_));
  if (state == LinkState::kOk) return TellTable();
  while (decoder_.TellGap(now_, &batch_)) EmitBatch();
  EmitBatch();
}

void MedibusSession::TellTable() {
  tell_table_at_us_ = now_.monotonic_us + kTellTableEvery_us;
  batch_.Add(device_, kCodeTable, Value::OfText(code_table()), ArrivalTime(now_));
}

void MedibusSession::ReportCounters(CounterSink& sink) const {
  sink.Count("responses", counters_.responses);
  sink.Count("commands", counters_.commands);
  sink.Count("stray_bytes", parser_.stray_bytes());
  sink.Count("requests", link_.counters().requests);
  sink.Count("answers", link_.counters().answers);
  sink.Count("naks_sent", link_.counters().naks_sent);
  sink.Count("naks_received", link_.counters().naks_received);
  sink.Count("timeouts", link_.counters().timeouts);
  sink.Count("unasked_responses", link_.counters().unasked_responses);
  sink.Count("sessions", link_.counters().sessions);
  sink.Count("losses", link_.counters().losses);
  sink.Count("suspends", link_.counters().suspends);
  sink.Count("suspends_overrun", link_.counters().suspends_overrun);
  sink.Count("unsent", link_.counters().unsent);
  sink.Count("unknown_responses", decoder_.counters().unknown_responses);
  sink.Count("layout_errors", decoder_.counters().layout_errors);
  sink.Count("values_unreadable", decoder_.counters().values_unreadable);
  sink.Count("values_implausible", decoder_.counters().values_implausible);
  sink.Count("clock_steps", decoder_.counters().clock_steps);
  sink.Count("fields_refused", decoder_.refused_fields());
  sink.Count("unknown_codes_dropped", decoder_.counters().unknown_codes_dropped);
  sink.Count("readings_dropped", batch_.dropped());
  sink.Count("texts_cut", batch_.texts_cut());
  sink.Count("identifications_unreadable", counters_.identifications_unreadable);
  sink.Count("devices_dropped", counters_.devices_dropped);
  sink.Count("responses_without_device", counters_.readings_without_device);
  sink.Count("realtime_records", counters_.realtime_records);
  sink.Count("realtime_broken", realtime_.broken());
  sink.Count("realtime_unclaimed", counters_.realtime_unclaimed);
}

}  // namespace vesta::medibus
