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
  Slice(Session& session, SlotTable& slots, const std::vector<std::string>& leave_out, SeriesId first_series)
      : session_(session), slots_(slots), leave_out_(leave_out), first_series_(first_series) {}

  void Try(const ArchivedFrame& frame, int64_t monotonic_us) {
    frame_ = frame.id;
    now_.monotonic_us = monotonic_us;
    now_.utc_us = frame.received_us;
    now_.clock = frame.clock;
    understood_ = false;
    was_accepted_ = frame.verdict == FrameVerdict::kAccepted;
    session_.Receive(frame.bytes, now_, *this);
    if (session_.next_deadline_us() <= now_.monotonic_us) session_.Tick(now_, *this);
    if (understood_ && !was_accepted_) marks.push_back({frame.id, FrameVerdict::kAccepted, ""});
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
      if (record.series == 0 || (was_accepted_ && record.series < first_series_)) continue;
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
  const SeriesId first_series_;
  FrameId frame_ = 0;
  Now now_;
  bool understood_ = false;
  bool was_accepted_ = false;
};

LateDecoder::LateDecoder(boost::asio::io_context& io, Journal& journal, Directory& directory, LiveView& live)
    : journal_(journal), directory_(directory), live_(live), timer_(io) {}

void LateDecoder::AddSource(std::string source, std::string protocol, LateDecodeRules rules,
                            std::function<std::unique_ptr<Session>()> make) {
  sources_.push_back({std::move(source), std::move(protocol), std::move(rules), std::move(make)});
}

void LateDecoder::RunAgain(const Redecode& progress) {
  const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const SourceEntry& one) {
    return one.source == progress.source && one.rules.again;
  });
  if (source == sources_.end() || alive_ == nullptr) return;
  const auto index = static_cast<size_t>(source - sources_.begin());
  jobs_.push_back({index, 0, {}, Why::kDecoder, progress});
  if (jobs_.size() == 1) Next();
}

bool LateDecoder::RunAsked(const std::string& source) {
  bool found = false;
  for (size_t i = 0; i < sources_.size() && alive_ != nullptr; ++i) {
    if (!source.empty() && sources_[i].source != source) continue;
    found = true;
    const bool waits = std::any_of(jobs_.begin(), jobs_.end(),
                                   [&](const Job& job) { return job.source == i && job.why == Why::kAsked; });
    if (waits) continue;
    jobs_.push_back({i, 0, {}, Why::kAsked, {}});
    if (jobs_.size() == 1) Next();
  }
  return found;
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
    std::deque<Job> kept;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (i == 0 || jobs_[i].why != Why::kKey) {
        kept.push_back(std::move(jobs_[i]));
      } else {
        std::move(jobs_[i].done.begin(), jobs_[i].done.end(), std::back_inserter(waiting));
      }
    }
    jobs_ = std::move(kept);
    done = [waiting = std::move(waiting), last = std::move(done)] {
      for (const auto& one : waiting) one();
      if (last != nullptr) last();
    };
  }
  for (size_t i = 0; i < sources_.size(); ++i) jobs_.push_back({i, sender, {}, Why::kKey, {}});
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
  const Job& job = jobs_.front();
  after_ = job.progress.after;
  monotonic_us_ = 0;
  health_.running = true;
  health_.source = source.source;
  health_.why = job.why == Why::kKey ? "key" : job.why == Why::kDecoder ? "decoder" : "asked";
  health_.run_frames = 0;
  health_.run_tried = 0;
  const bool has_rules = job.why == Why::kKey ? !source.rules.key_reasons.empty() : source.rules.again;
  if (session_ == nullptr || !has_rules) return Finish();
  auto answer = std::make_shared<tl::expected<uint64_t, StoreError>>(0);
  journal_.Query([answer, selection = Selection()](StoreReader& reader) { *answer = reader.CountSelected(selection); },
                 [this, answer, alive = std::weak_ptr(alive_)] {
                   if (alive.expired()) return;
                   health_.run_frames = answer->value_or(0);
                   ReadSlice();
                 });
}

FrameSelection LateDecoder::Selection() const {
  const Job& job = jobs_.front();
  const SourceEntry& source = sources_[job.source];
  FrameSelection selection;
  selection.source = source.source;
  selection.sender = job.sender;
  selection.after = after_;
  if (job.why == Why::kKey) selection.reasons = source.rules.key_reasons;
  if (job.why == Why::kDecoder) {
    selection.before = job.progress.frames_end;
    selection.accepted = true;
  }
  return selection;
}

// What waits in memory is made durable first: the archive then holds every frame that came before the key.
void LateDecoder::ReadSlice() {
  journal_.Flush([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    auto answer = std::make_shared<std::optional<tl::expected<std::vector<ArchivedFrame>, StoreError>>>();
    journal_.Query([answer, selection = Selection()](
                       StoreReader& reader) { *answer = reader.ReadSelected(selection, kLateSlice); },
                   [this, answer, alive] {
                     if (alive.expired()) return;
                     if (!**answer) {
                       if (health_.error != (**answer).error().text) spdlog::warn("{}", (**answer).error().text);
                       health_.error = (**answer).error().text;
                       return Later(kLateRetry_us, [this] { ReadSlice(); });
                     }
                     health_.error.clear();
                     if ((**answer)->empty()) return Finish();
                     DecodeSlice(***answer);
                   });
  });
}

void LateDecoder::DecodeSlice(const std::vector<ArchivedFrame>& frames) {
  const SourceEntry& source = sources_[jobs_.front().source];
  auto slice = std::make_shared<Slice>(*session_, *slots_, source.rules.leave_out, jobs_.front().progress.first_series);
  for (const ArchivedFrame& frame : frames) {
    // The session's timers run in the time of the frames, which a clock that was set may have moved backwards.
    monotonic_us_ = std::max(monotonic_us_, frame.received_us);
    slice->Try(frame, monotonic_us_);
    after_ = frame.id;
  }
  health_.tried += frames.size();
  health_.run_tried += frames.size();
  HandOver(std::move(slice));
}

void LateDecoder::HandOver(std::shared_ptr<Slice> slice) {
  Job& job = jobs_.front();
  const bool gave = !slice->batch.records.empty() || !slice->marks.empty();
  job.progress.after = after_;
  const Redecode* const progress = job.why == Why::kDecoder && gave ? &job.progress : nullptr;
  if (!journal_.Append(slice->batch.records, slice->marks, progress)) {
    return Later(kLateRetry_us, [this, slice] { HandOver(slice); });
  }
  health_.decoded += slice->marks.size();
  health_.readings += slice->batch.records.size();
  if (gave) {
    for (const DeviceId device : slice->devices) live_.AnnounceDevice(device);
  }
  Later(kLatePause_us, [this] { ReadSlice(); });
}

void LateDecoder::Later(int64_t wait_us, std::function<void()> work) {
  timer_.expires_after(std::chrono::microseconds(wait_us));
  timer_.async_wait([work = std::move(work), alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) work();
  });
}

void LateDecoder::Finish() {
  std::vector<Record> none;
  Job& ended = jobs_.front();
  ended.progress.done = true;
  if (ended.why == Why::kDecoder && !journal_.Append(none, {}, &ended.progress)) {
    return Later(kLateRetry_us, [this] { Finish(); });
  }
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
