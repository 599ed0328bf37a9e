#include "protocols/vedirect/multiplexer.h"

#include <algorithm>
#include <cstring>

namespace vesta::vedirect {

struct Multiplexer::Channel {
  Channel(const Options& options, uint32_t number) : session(options) { state.channel = number; }
  VedirectSession session;
  ChannelState state;
  uint32_t misses = 0;
  bool opened = false;
  std::array<uint16_t, kMaxDevices> slots;  // of the session -> of all
};

namespace {

constexpr std::string_view kPlaces[kMaxChannels] = {
    "channel-0", "channel-1", "channel-2",  "channel-3",  "channel-4",  "channel-5",  "channel-6",  "channel-7",
    "channel-8", "channel-9", "channel-10", "channel-11", "channel-12", "channel-13", "channel-14", "channel-15",
};

}  // namespace

Multiplexer::Multiplexer(const Options& options, std::span<const uint32_t> channels, std::unique_ptr<Selector> selector)
    : selector_(std::move(selector)) {
  for (const uint32_t number : channels.first(std::min(channels.size(), kMaxChannels))) {
    Options own = options;
    own.place = kPlaces[number % kMaxChannels];
    channels_.push_back(std::make_unique<Channel>(own, number));
    channels_.back()->slots.fill(kNoDevice);
  }
}

Multiplexer::~Multiplexer() = default;

const ChannelState& Multiplexer::channel(size_t place) const { return channels_[place]->state; }

void Multiplexer::LinkReset(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  if (channels_.empty()) return;
  if (open_) Current().session.Suspend(now, *this);
  open_ = true;
  Visit(at_, now);
}

void Multiplexer::Visit(size_t place, const Now& now) {
  at_ = place;
  first_text_ = true;
  blocks_ = 0;
  frames_ = 0;
  Channel& channel = Current();
  ++channel.state.visits;
  if (!selector_->Select(channel.state.channel)) ++select_failures_;
  settling_ = true;
  settled_us_ = now.monotonic_us + kSettle_us;
  visit_ends_us_ = settled_us_ + (channel.state.present || channel.misses < kMissesToBeAbsent ? kVisit_us : kLook_us);
  if (!channel.opened) {
    channel.opened = true;
    channel.session.LinkReset(now, *this);
  } else {
    channel.session.Resume(now, *this);
  }
  channel_offset_ = stream_offset_ - channel.session.bytes_received();
}

size_t Multiplexer::NextPlace() {
  for (size_t step = 1; step <= channels_.size(); ++step) {
    const size_t place = (at_ + step) % channels_.size();
    if (place == 0) ++round_;
    const Channel& channel = *channels_[place];
    const bool absent = channel.misses >= kMissesToBeAbsent;
    // Each absent channel has a round of its own, so that a box of empty plugs is not looked into all at once.
    if (!absent || (round_ + place) % kLookEveryRounds == 0) return place;
  }
  return (at_ + 1) % channels_.size();  // all are absent: then each in turn
}

void Multiplexer::EndVisit(const Now& now) {
  Channel& channel = Current();
  if (frames_ == 0) {
    ++channel.state.visits_without_a_frame;
    ++channel.misses;
    if (channel.misses >= kMissesToBeAbsent) channel.state.present = false;
  } else {
    channel.misses = 0;
  }
  channel.session.Suspend(now, *this);
  Visit(NextPlace(), now);
}

void Multiplexer::Receive(Bytes bytes, const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  stream_offset_ += bytes.size();
  if (!Listening(now.monotonic_us)) {
    settling_bytes_ += bytes.size();
    channel_offset_ += bytes.size();
    return;
  }
  Current().session.Receive(bytes, now, *this);
  Tick(now, events);
}

void Multiplexer::Tick(const Now& now, SessionEvents& events) {
  now_ = &now;
  events_ = &events;
  if (!Listening(now.monotonic_us)) return;
  Channel& channel = Current();
  if (channel.session.next_deadline_us() <= now.monotonic_us) channel.session.Tick(now, *this);
  // Not in the middle of a block: it is nearly there.
  const bool heard_enough = blocks_ >= kBlocksOfAVisit && channel.session.plan().round_done();
  const bool idle = channel.session.bytes_pending() == 0;
  if (now.monotonic_us >= visit_ends_us_ || (heard_enough && idle)) EndVisit(now);
}

int64_t Multiplexer::next_deadline_us() const {
  if (!open_) return kNoDeadline;
  const int64_t own_us = channels_[at_]->session.next_deadline_us();
  return std::max(settled_us_, std::min(visit_ends_us_, own_us));
}

Bytes Multiplexer::Transmit() {
  // A question into the wrong channel would be answered by the wrong device.
  return !open_ || settling_ ? Bytes() : Current().session.Transmit();
}

bool Multiplexer::Listening(int64_t monotonic_us) {
  if (open_ && monotonic_us >= settled_us_) settling_ = false;
  return open_ && !settling_;
}

void Multiplexer::Transmitted(size_t count) { Current().session.Transmitted(count); }

void Multiplexer::OnDevice(uint16_t slot, const DeviceInfo& device) {
  uint16_t& mapped = Current().slots[slot];
  if (mapped == kNoDevice) {
    if (device_count_ == kMaxMultiplexedDevices) {
      ++devices_dropped_;
      return;
    }
    mapped = device_count_++;
  }
  events_->OnDevice(mapped, device);
}

void Multiplexer::OnFrame(const FrameEvent& frame) {
  Channel& channel = Current();
  const bool is_text = frame.raw.empty() || frame.raw[0] != ':';
  if (frame.verdict == FrameVerdict::kAccepted) {
    channel.state.present = true;
    channel.state.heard_us = now_->monotonic_us;
    channel.misses = 0;
    ++frames_;
    blocks_ += is_text;
  } else if (first_text_ || frame.verdict == FrameVerdict::kDiscarded) {
    first_text_ = first_text_ && !is_text;
    ++half_frames_;
    return;
  }
  first_text_ = first_text_ && !is_text;
  FrameEvent event = frame;
  event.stream_offset += channel_offset_;
  size_t count = 0;
  for (const Reading& reading : frame.readings) {
    if (channel.slots[reading.device] == kNoDevice) continue;
    readings_[count] = reading;
    readings_[count++].device = channel.slots[reading.device];
  }
  event.readings = {readings_.data(), count};
  events_->OnFrame(event);
}

uint64_t Multiplexer::unknown_objects() const {
  uint64_t count = 0;
  for (const auto& channel : channels_) count += channel->session.unknown_objects();
  return count;
}

void Multiplexer::ReportUnknown(UnknownSink& sink) const {
  for (const auto& channel : channels_) channel->session.ReportUnknown(sink);
}

void Multiplexer::ReportCounters(CounterSink& sink) const {
  // The sum over the channels, by the name that the session gives.
  struct Sum final : CounterSink {
    void Count(const char* name, uint64_t count) override {
      for (size_t i = 0; i < used; ++i) {
        if (std::strcmp(names[i], name) != 0) continue;
        counts[i] += count;
        return;
      }
      if (used == names.size()) return;
      names[used] = name;
      counts[used++] = count;
    }
    std::array<const char*, 32> names{};
    std::array<uint64_t, 32> counts{};
    size_t used = 0;
  } sum;
  uint64_t visits = 0;
  uint64_t missed = 0;
  for (const auto& channel : channels_) {
    channel->session.ReportCounters(sum);
    visits += channel->state.visits;
    missed += channel->state.visits_without_a_frame;
  }
  for (size_t i = 0; i < sum.used; ++i) sink.Count(sum.names[i], sum.counts[i]);
  sink.Count("channel_visits", visits);
  sink.Count("channel_visits_in_vain", missed);
  sink.Count("half_frames", half_frames_);
  sink.Count("settling_bytes", settling_bytes_);
  sink.Count("select_failures", select_failures_);
  sink.Count("channel_devices_dropped", devices_dropped_);
}

}  // namespace vesta::vedirect
