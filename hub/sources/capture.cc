#include "hub/sources/capture.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "hub/clock/clock.h"
#include "hub/sources/capture_file.h"
#include "hub/sources/reconnecting.h"

namespace vesta::hub {
namespace {

// A replay faster than the disk waits this long before it looks again.
constexpr auto kCrowdedWait = std::chrono::milliseconds(20);

constexpr char kBadLineReason[] = "capture_line";
// Bad lines are logged at most so often; the counter has them all.
constexpr auto kLogEvery = std::chrono::minutes(1);
// The gap between two rounds of a file with a single frame.
constexpr int64_t kLoneFrameGap_us = kUsPerSecond;
// A wait is never longer (30 years), and rounds that reach further begin anew: the sums stay far from overflow.
constexpr int64_t kLongestSpan_us = 946080000 * kUsPerSecond;

class CaptureCore final : public Reconnecting {
 public:
  CaptureCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), due_(io) {}

 private:
  using Clock = std::chrono::steady_clock;

  void Open() override {
    if (const auto opened = reader_.Open(config().file); !opened) return Lost(opened.error(), "", false);
    ++generation_;
    has_frame_ = false;
    frames_in_round_ = 0;
    offset_us_ = elapsed_us_ = 0;
    started_ = Clock::now();
    started_monotonic_us_ = SystemClock().Read().monotonic_us;
    Established();
    if (!stopped()) Step();
  }

  void Release() override {
    ++generation_;
    due_.cancel();
  }

  // Handlers of a replay that is over find another number and do nothing.
  auto Guarded() {
    return [self = std::static_pointer_cast<CaptureCore>(shared_from_this()),
            generation = generation_](const boost::system::error_code& error = {}) {
      if (!error && generation == self->generation_) self->Step();
    };
  }

  void Step() {
    const uint64_t generation = generation_;
    if (line().Crowded()) {
      due_.expires_after(kCrowdedWait);
      due_.async_wait(Guarded());
      return;
    }
    for (int i = 0; i < kReplayBatchLines; ++i) {
      if (!has_frame_ && !TakeLine()) continue;
      if (generation != generation_ || !has_frame_) return;  // the end
      const Clock::time_point due = started_ + Wait();
      if (due > Clock::now()) {
        due_.expires_at(due);
        due_.async_wait(Guarded());
        return;
      }
      has_frame_ = false;
      Deliver();
      if (generation != generation_) return;
    }
    boost::asio::post(io(), Guarded());
  }

  // False: nothing yet, look again. True: there is a frame, or the replay is over.
  bool TakeLine() {
    switch (reader_.Next(&frame_)) {
      case CaptureReader::Result::kFrame:
        OnFrame();
        return true;
      case CaptureReader::Result::kBadLine:
        CountBadLine();
        return false;
      case CaptureReader::Result::kEnd:
        return OnEnd();
    }
    return true;
  }

  void OnFrame() {
    if (frames_in_round_++ == 0) {
      round_first_us_ = frame_.time_us;
      if (offset_us_ == 0) first_us_ = frame_.time_us;
    }
    round_last_us_ = frame_.time_us;
    frame_.time_us += offset_us_;
    // A clock that stepped back while it was recorded does not make time run backwards here.
    elapsed_us_ = std::max(elapsed_us_, frame_.time_us - first_us_);
    has_frame_ = true;
  }

  std::chrono::microseconds Wait() const {
    if (config().speed <= 0) return std::chrono::microseconds(0);
    const double wait_us = static_cast<double>(elapsed_us_) / config().speed;
    return std::chrono::microseconds(static_cast<int64_t>(std::min(wait_us, static_cast<double>(kLongestSpan_us))));
  }

  void Deliver() {
    if (!config().original_time) return line().Received(frame_.bytes);
    Now now;
    now.monotonic_us = started_monotonic_us_ + elapsed_us_;
    now.utc_us = frame_.time_us;
    now.clock = ClockQuality::kSynchronised;
    line().ReceivedAt(frame_.bytes, now);
  }

  // True: the replay is over.
  bool OnEnd() {
    if (frames_in_round_ == 0) {
      Lost(fmt::format("{} holds no frame", config().file), "", false);
      return true;
    }
    if (!config().repeat) {
      Release();
      line().Finished(fmt::format("{} was replayed to its end", config().file));
      return true;
    }
    if (const auto opened = reader_.Open(config().file); !opened) {
      Lost(opened.error(), "", true);
      return true;
    }
    const int64_t span_us = std::max<int64_t>(0, round_last_us_ - round_first_us_);
    const int64_t gap_us =
        frames_in_round_ > 1 ? span_us / static_cast<int64_t>(frames_in_round_ - 1) : kLoneFrameGap_us;
    offset_us_ += span_us + gap_us;
    if (offset_us_ > kLongestSpan_us) offset_us_ = 0;
    frames_in_round_ = 0;
    return false;
  }

  void CountBadLine() {
    ++line().health().frames_rejected[kBadLineReason];
    const Clock::time_point now = Clock::now();
    if (logged_ && now - *logged_ < kLogEvery) return;
    logged_ = now;
    spdlog::warn("source {}: {} line {}: {}", config().name, config().file, reader_.line_number(), reader_.error());
  }

  boost::asio::steady_timer due_;
  CaptureReader reader_;
  CaptureFrame frame_;  // valid when has_frame_
  bool has_frame_ = false;
  uint64_t frames_in_round_ = 0;
  UtcUs round_first_us_ = 0;
  UtcUs round_last_us_ = 0;
  UtcUs first_us_ = 0;      // of the very first frame
  int64_t offset_us_ = 0;   // added to the file's times in this round
  int64_t elapsed_us_ = 0;  // in the capture's time
  Clock::time_point started_;
  int64_t started_monotonic_us_ = 0;
  uint64_t generation_ = 0;
  std::optional<Clock::time_point> logged_;
};

}  // namespace

std::unique_ptr<Source> MakeCaptureSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                          const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<CaptureCore>(io, config, line, timing));
}

}  // namespace vesta::hub
