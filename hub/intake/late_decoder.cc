#include "hub/intake/late_decoder.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace vesta::hub {

// What came out of some frames, until the journal has taken it.
class LateDecoder::Slice final : public SessionEvents {
 public:
  Slice(Session& session, SlotTable& slots, const std::vector<std::string>& leave_out)
      : session_(session), slots_(slots), leave_out_(leave_out) {}

  void Try(const ArchivedFrame& frame, int64_t monotonic_us) {
    frame_ = frame.id;
    now_.monotonic_us = monotonic_us;
    now_.utc_us = frame.received_us;
    now_.clock = frame.clock;
    understood_ = false;
    session_.Receive(frame.bytes, now_, *this);
    if (session_.next_deadline_us() <= now_.monotonic_us) session_.Tick(now_, *this);
    if (understood_) marks.push_back({frame.id, FrameVerdict::kAccepted, ""});
  }

  RecordBatch batch;
  std::vector<FrameMark> marks;
  std::vector<DeviceId> devices;  // that are new or changed

 private:
  void OnDevice(uint16_t slot, const DeviceInfo& info) override {
    // A slot without a device: its readings go nowhere.
    if (std::find(leave_out_.begin(), leave_out_.end(), info.identity) != leave_out_.end()) return;
    const DeviceId device = slots_.SetDevice(slot, info);
    if (device != 0 && std::find(devices.begin(), devices.end(), device) == devices.end()) devices.push_back(device);
  }

  void OnFrame(const FrameEvent& frame) override {
    if (frame.verdict != FrameVerdict::kAccepted) return;
    understood_ = true;
    bool is_new = false;
    for (const Reading& reading : frame.readings) {
      Record record;
      record.series = slots_.SeriesOf(reading.device, reading.field, session_.fields(), &is_new);
      if (record.series == 0) continue;
      record.index = reading.index;
      record.quality = reading.quality;
      record.time_quality = reading.time_quality;
      record.flags = static_cast<uint8_t>(reading.flags | kReadingLate);
      record.time_us = reading.time_us;
      record.received_us = now_.utc_us;
      record.frame = frame_;
      record.value = reading.value;
      batch.Add(record);
    }
  }

  Session& session_;
  SlotTable& slots_;
  const std::vector<std::string>& leave_out_;
  FrameId frame_ = 0;
  Now now_;
  bool understood_ = false;
};

LateDecoder::LateDecoder(boost::asio::io_context& io, Journal& journal, Directory& directory, LiveView& live)
    : journal_(journal), directory_(directory), live_(live), timer_(io) {}

void LateDecoder::AddSource(std::string source, std::string protocol, LateDecodeRules rules,
                            std::function<std::unique_ptr<Session>()> make) {
  sources_.push_back({std::move(source), std::move(protocol), std::move(rules), std::move(make)});
}

void LateDecoder::Run(uint64_t sender, std::function<void()> done) {
  if (sources_.empty() || alive_ == nullptr) {
    if (done != nullptr) done();
    return;
  }
  const bool idle = jobs_.empty();
  if (jobs_.size() + sources_.size() > kMaxLateRuns) {
    sender = 0;
    // The one that runs goes on; what waits is part of the run over all.
    std::vector<std::function<void()>> waiting;
    for (size_t i = 1; i < jobs_.size(); ++i) {
      std::move(jobs_[i].done.begin(), jobs_[i].done.end(), std::back_inserter(waiting));
    }
    jobs_.resize(1);
    done = [waiting = std::move(waiting), last = std::move(done)] {
      for (const auto& one : waiting) one();
      if (last != nullptr) last();
    };
  }
  for (size_t i = 0; i < sources_.size(); ++i) jobs_.push_back({i, sender, {}});
  if (done != nullptr) jobs_.back().done.push_back(std::move(done));
  if (idle) Next();
}

void LateDecoder::Stop() {
  alive_.reset();
  timer_.cancel();
  jobs_.clear();
  health_.running = false;
}

void LateDecoder::Next() {
  if (jobs_.empty()) return;
  const SourceEntry& source = sources_[jobs_.front().source];
  session_ = source.make();
  slots_ = std::make_unique<SlotTable>(directory_, source.protocol, source.source);
  after_ = 0;
  monotonic_us_ = 0;
  health_.running = true;
  if (session_ == nullptr) return Finish();
  ReadSlice();
}

// What waits in memory is made durable first: the archive then holds every frame that came before the key.
void LateDecoder::ReadSlice() {
  journal_.Flush([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    const SourceEntry& source = sources_[jobs_.front().source];
    FrameSelection selection{source.source, jobs_.front().sender, source.rules.reasons, after_};
    auto answer = std::make_shared<std::optional<tl::expected<std::vector<ArchivedFrame>, StoreError>>>();
    journal_.Query([answer, selection](StoreReader& reader) { *answer = reader.ReadSelected(selection, kLateSlice); },
                   [this, answer, alive] {
                     if (alive.expired()) return;
                     if (!**answer) {
                       if (health_.error != (**answer).error().text) spdlog::warn("{}", (**answer).error().text);
                       health_.error = (**answer).error().text;
                       return Later([this] { ReadSlice(); });
                     }
                     health_.error.clear();
                     if ((**answer)->empty()) return Finish();
                     DecodeSlice(***answer);
                   });
  });
}

void LateDecoder::DecodeSlice(const std::vector<ArchivedFrame>& frames) {
  const SourceEntry& source = sources_[jobs_.front().source];
  auto slice = std::make_shared<Slice>(*session_, *slots_, source.rules.leave_out);
  for (const ArchivedFrame& frame : frames) {
    // The session's timers run in the time of the frames, which a clock that was set may have moved backwards.
    monotonic_us_ = std::max(monotonic_us_, frame.received_us);
    slice->Try(frame, monotonic_us_);
    after_ = frame.id;
  }
  health_.tried += frames.size();
  HandOver(std::move(slice));
}

void LateDecoder::HandOver(std::shared_ptr<Slice> slice) {
  if (!journal_.Append(slice->batch.records, slice->marks)) {
    return Later([this, slice] { HandOver(slice); });
  }
  health_.decoded += slice->marks.size();
  health_.readings += slice->batch.records.size();
  for (const DeviceId device : slice->devices) live_.AnnounceDevice(device);
  ReadSlice();
}

void LateDecoder::Later(std::function<void()> work) {
  timer_.expires_after(std::chrono::microseconds(kLateRetry_us));
  timer_.async_wait([work = std::move(work), alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) work();
  });
}

void LateDecoder::Finish() {
  ++health_.runs;
  health_.running = false;
  session_.reset();
  slots_.reset();
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  for (const auto& done : job.done) done();
  if (!health_.running) Next();
}

}  // namespace vesta::hub
