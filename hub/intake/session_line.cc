#include "hub/intake/session_line.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vesta::hub {
namespace {

constexpr const char* kNotReceivedHint =
    "the disk has taken nothing for too long: frames of this source are understood but not received; make room";

constexpr const char* kNoFrameHint =
    "bytes arrive but none of them make a frame: check the baud rate and framing, or whether the line is inverted; "
    "`vesta doctor` tries the settings";

constexpr const char* kNoKeyHint =
    "devices are heard, but their keys are missing: give them on the page or by `vesta keys add`; what was heard "
    "before is decoded then";

// Adds to a counter by reason, with room for a bounded number of reasons.
void CountReason(std::map<std::string, uint64_t>& counts, const char* reason) {
  const auto it = counts.find(reason);
  if (it != counts.end()) {
    ++it->second;
  } else if (counts.size() < kMaxReasons) {
    counts.emplace(reason, 1);
  } else {
    ++counts["other"];
  }
}

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

SessionLine::SessionLine(boost::asio::io_context& io, const Clock& clock, LineOptions options,
                         std::unique_ptr<Session> session, Directory& directory, Journal& journal, LiveView& live)
    : clock_(clock),
      options_(std::move(options)),
      session_(std::move(session)),
      journal_(journal),
      live_(live),
      timer_(io),
      slots_(directory, options_.protocol, options_.source, options_.sender) {
  health_.name = options_.source;
  health_.type = options_.type;
  health_.protocol = options_.protocol;
  health_.where = options_.where;
  health_.commit_each_frame = options_.commit_each_frame;
  health_.state_since_us = clock_.Read().utc_us;
}

void SessionLine::SetState(SourceState state) {
  if (health_.state == state) return;
  health_.state = state;
  health_.state_since_us = clock_.Read().utc_us;
}

void SessionLine::Opening() { SetState(SourceState::kOpening); }

void SessionLine::Opened() {
  SetState(SourceState::kOpen);
  health_.error.clear();
  ++health_.opens;
  now_ = clock_.Read();
  arrived_us_ = now_.utc_us;
  session_->LinkReset(now_, *this);
  ArmTimer();
  spdlog::info("source {}: open ({})", options_.source, options_.where);
  if (options_.on_port) options_.on_port(SourceState::kOpen, options_.where);
}

void SessionLine::Closed(std::string_view why, bool failed) {
  // The same failure again and again (no such port) is one line in the log, not one a second.
  if (health_.error != why) spdlog::warn("source {}: {}", options_.source, why);
  const SourceState state = failed ? SourceState::kFailed : SourceState::kWaiting;
  // Trying in vain is no news: a port that was open, or that now can't work, is.
  const bool news = health_.state == SourceState::kOpen || (failed && health_.state != state);
  SetState(state);
  if (news && options_.on_port) options_.on_port(state, why);
  health_.error = why;
  now_ = clock_.Read();
  arrived_us_ = now_.utc_us;
  session_->LinkReset(now_, *this);
  ArmTimer();
}

void SessionLine::Finished(std::string_view what) {
  spdlog::info("source {}: {}", options_.source, what);
  if (options_.on_port) options_.on_port(SourceState::kStopped, what);
  SetState(SourceState::kStopped);
  health_.error.clear();
}

void SessionLine::Received(Bytes bytes) {
  replay_ = false;
  now_ = clock_.Read();
  arrived_us_ = now_.utc_us;
  Decode(bytes);
  ArmTimer();
  if (decoded_ == 0 && health_.hint.empty()) SetHint();
}

void SessionLine::SetHint() {
  if (!options_.datagrams) {
    if (health_.bytes > kBytesWithoutFrame) health_.hint = kNoFrameHint;
  } else if (health_.frames_rejected.contains("no_key")) {
    health_.hint = kNoKeyHint;
  }
}

void SessionLine::ReceivedAt(Bytes bytes, const Now& when) {
  replay_ = true;
  now_ = when;
  arrived_us_ = when.utc_us;
  Decode(bytes);
  // The session's timers run in the replayed time: what is due has to be due before the next bytes.
  if (session_->next_deadline_us() <= now_.monotonic_us) session_->Tick(now_, *this);
}

void SessionLine::ReceivedFromRelay(Bytes bytes, const StampedTime& said, bool held_back) {
  replay_ = false;
  now_ = clock_.Read();
  arrived_us_ = now_.utc_us;
  relay_ = said;
  held_back_ = held_back;
  now_.utc_us = said.time_us;
  // A clock that is not trusted lets the device's own stamp win.
  if (held_back) now_.clock = ClockQuality::kNotSynchronised;
  Decode(bytes);
  relay_.reset();
  held_back_ = false;
  ArmTimer();
}

void SessionLine::Decode(Bytes bytes) {
  health_.bytes += bytes.size();
  const uint64_t frames = decoded_;
  bytes_us_ = SteadyUs();
  session_->Receive(bytes, now_, *this);
  if (decoded_ != frames) health_.decode.Add(SteadyUs() - bytes_us_);
}

const SourceHealth& SessionLine::ReportedHealth() {
  struct Sink final : CounterSink {
    explicit Sink(std::map<std::string, uint64_t>& into) : counters(into) {}
    void Count(const char* name, uint64_t count) override { counters[name] = count; }
    std::map<std::string, uint64_t>& counters;
  } sink(health_.counters);
  session_->ReportCounters(sink);
  return health_;
}

std::vector<UnknownObject> SessionLine::UnknownObjects() const {
  struct Sink final : UnknownSink {
    void Unknown(std::string_view code, std::string_view example, uint64_t count) override {
      found.push_back({std::string(code), std::string(example), count});
    }
    std::vector<UnknownObject> found;
  } sink;
  session_->ReportUnknown(sink);
  return std::move(sink.found);
}

void SessionLine::ArmTimer() {
  const int64_t due_us = session_->next_deadline_us();
  // An earlier timer that is armed already looks again when it fires: a byte stream moves its deadline with every
  // chunk.
  if (replay_ || due_us == kNoDeadline || due_us >= timer_due_us_) return;
  timer_due_us_ = due_us;
  const int64_t wait_us = std::max<int64_t>(0, due_us - clock_.Read().monotonic_us);
  timer_.expires_after(std::chrono::microseconds(wait_us));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    timer_due_us_ = kNoDeadline;
    now_ = clock_.Read();
    arrived_us_ = now_.utc_us;
    bytes_us_ = SteadyUs();
    if (session_->next_deadline_us() <= now_.monotonic_us) session_->Tick(now_, *this);
    ArmTimer();
    if (!session_->Transmit().empty()) WakeSender();
  });
}

void SessionLine::Poke() {
  now_ = clock_.Read();
  arrived_us_ = now_.utc_us;
  bytes_us_ = SteadyUs();
  if (session_->next_deadline_us() <= now_.monotonic_us) session_->Tick(now_, *this);
  ArmTimer();
  if (!session_->Transmit().empty()) WakeSender();
}

void SessionLine::BeginFarewell() {
  if (health_.state != SourceState::kOpen) return;
  now_ = clock_.Read();
  session_->BeginFarewell(now_, *this);
  ArmTimer();
  if (!session_->Transmit().empty()) WakeSender();
}

void SessionLine::OnDevice(uint16_t slot, const DeviceInfo& info) {
  if (const DeviceId device = slots_.SetDevice(slot, info); device != 0) live_.AnnounceDevice(device);
}

void SessionLine::OnFrame(const FrameEvent& frame) {
  health_.unknown_objects = session_->unknown_objects();
  if (tap_) tap_(frame, now_);
  bool is_copy = frame.link.is_repeat;
  if (frame.link.sender != 0 && frame.reason != kForeignReason) is_copy = heard_.Add(frame, now_);
  if (is_copy) {
    ++health_.frames_repeated;
    return;
  }
  if (frame.verdict != FrameVerdict::kAccepted) {
    Archive(frame);
    CountProblem(frame);
    return;
  }
  // Something that the session found out by the clock: nothing was heard.
  if (frame.raw.empty()) {
    const uint64_t taken = TakeReadings(frame, 0);
    health_.readings += taken;
    if (options_.commit_each_frame && taken > 0) journal_.Flush();
    return;
  }
  ++decoded_;
  health_.hint.clear();
  // The age of the last frame is counted from when it came here, also when it is replayed with its original time.
  const Now arrived = replay_ || relay_ ? clock_.Read() : now_;
  if (options_.commit_each_frame && !MayCommit(frame)) {
    ++health_.frames_refused;
    health_.hint = kNotReceivedHint;
    return;
  }
  interval_.Add(now_.monotonic_us);
  health_.interval_us = interval_.interval_us();
  const FrameId archived = Archive(frame);
  const uint64_t readings = TakeReadings(frame, archived);
  if (options_.commit_each_frame) {
    Commit(readings, arrived);
  } else {
    CountAccepted(readings, arrived);
  }
}

void SessionLine::CountAccepted(uint64_t readings, const Now& arrived) {
  ++health_.frames_accepted;
  health_.readings += readings;
  health_.last_frame_us = arrived.utc_us;
  health_.last_frame_monotonic_us = arrived.monotonic_us;
}

// Whole or not at all: once a frame has begun to be taken, the journal must not refuse the rest of it.
bool SessionLine::MayCommit(const FrameEvent& frame) {
  if (pending_.size() >= kMaxPendingFrames) return false;
  return journal_.HasRoom(frame.readings, frame.raw.size());
}

// Frames count in the order in which they came. One without readings (a keep-alive, an acknowledgement) is no reason to
// make the disk sync: it waits for the next commit, whoever causes it.
void SessionLine::Commit(uint64_t readings, const Now& arrived) {
  pending_.push_back({readings, arrived, bytes_us_});
  health_.frames_pending = pending_.size();
  if (readings > 0) {
    urgent_ = true;
    if (awaiting_) journal_.Flush();
  }
  if (!awaiting_) AwaitDurable();
}

// One commit is awaited at a time, for all frames that are there when it is asked for.
void SessionLine::AwaitDurable() {
  awaiting_ = true;
  auto done = [this, frames = pending_.size(), alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    awaiting_ = false;
    const int64_t now_us = SteadyUs();
    for (size_t i = 0; i < frames; ++i) {
      const Pending& frame = pending_.front();
      if (frame.readings > 0) health_.commit.Add(now_us - frame.bytes_us);
      CountAccepted(frame.readings, frame.arrived);
      pending_.pop_front();
    }
    health_.frames_pending = pending_.size();
    if (!pending_.empty()) AwaitDurable();
  };
  if (std::exchange(urgent_, false)) {
    journal_.Flush(std::move(done));
  } else {
    journal_.WhenDurable(std::move(done));
  }
}

uint64_t SessionLine::TakeReadings(const FrameEvent& frame, FrameId archived) {
  const std::span<const Field> fields = session_->fields();
  bool new_series = false;
  records_.clear();
  heard_devices_.clear();
  for (const Reading& reading : frame.readings) {
    const SeriesId series = slots_.SeriesOf(reading.device, reading.field, fields, &new_series);
    if (series == 0) {
      ++health_.refused_readings;  // the directory is full
      continue;
    }
    const DeviceId device = slots_.DeviceOf(reading.device);
    if (std::find(heard_devices_.begin(), heard_devices_.end(), device) == heard_devices_.end()) {
      heard_devices_.push_back(device);
    }
    Record record;
    record.series = series;
    record.index = reading.index;
    record.quality = reading.quality;
    record.time_quality = reading.time_quality;
    record.flags = reading.flags;
    if (relay_ && reading.time_us == relay_->time_us && reading.time_quality != TimeQuality::kDeviceClock) {
      record.time_quality = relay_->quality;
    }
    if (held_back_ && arrived_us_ - reading.time_us > kMaxDeviceClockError_us) record.flags |= kReadingLate;
    record.time_us = reading.time_us;
    record.received_us = arrived_us_;
    record.frame = archived;
    record.value = reading.value;
    record.quality = live_.Judge(record);
    records_.push_back(record);
  }
  uint64_t taken = 0;
  if (!records_.empty()) {
    if (journal_.Append(records_)) {
      taken = records_.size();
    } else {
      health_.refused_readings += records_.size();
    }
  }
  for (const Record& record : records_) live_.Accept(record);
  for (const DeviceId device : heard_devices_) {
    if (!frame.raw.empty()) {
      live_.Heard(device, arrived_us_);
      const DeviceId parent = slots_.ParentOf(device);
      if (parent != 0) live_.Heard(parent, arrived_us_);  // it came through that
    }
    if (new_series) live_.AnnounceDevice(device);
  }
  return taken;
}

bool SessionLine::IsSampleDue(uint64_t sender) {
  const auto last = sampled_us_.find(sender);
  if (last != sampled_us_.end() && now_.monotonic_us - last->second < kArchiveSample_us) return false;
  if (sampled_us_.size() >= kMaxSampledSenders) sampled_us_.clear();
  sampled_us_[sender] = now_.monotonic_us;
  return true;
}

FrameId SessionLine::Archive(const FrameEvent& frame) {
  if (frame.raw.empty()) return 0;
  if (frame.verdict == FrameVerdict::kAccepted) {
    if (options_.archive == ArchivePolicy::kNone) return 0;
    if (options_.archive == ArchivePolicy::kSampled && !IsSampleDue(frame.link.sender)) return 0;
  } else if (frame.reason == kForeignReason) {
    return 0;
  }
  ArchivedFrame archived;
  archived.source = options_.source;
  archived.received_us = arrived_us_;
  archived.clock = now_.clock;
  archived.verdict = frame.verdict;
  archived.reason = frame.reason;
  archived.sender = frame.link.sender;
  archived.bytes.assign(frame.raw.begin(), frame.raw.end());
  return journal_.AppendFrame(std::move(archived));
}

void SessionLine::CountProblem(const FrameEvent& frame) {
  const bool rejected = frame.verdict == FrameVerdict::kRejected;
  CountReason(rejected ? health_.frames_rejected : health_.frames_discarded, frame.reason);
  if (frame.reason == kForeignReason) return;
  const auto logged = logged_us_.find(frame.reason);
  if (logged != logged_us_.end() && now_.monotonic_us - logged->second < kLogEvery_us) return;
  if (logged == logged_us_.end() && logged_us_.size() >= kMaxReasons) return;
  logged_us_.insert_or_assign(frame.reason, now_.monotonic_us);
  spdlog::warn("source {}: frame of {} bytes {}: {}", options_.source, frame.raw.size(),
               rejected ? "rejected" : "discarded", frame.reason);
}

}  // namespace vesta::hub
