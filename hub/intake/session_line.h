// The Line of a source that speaks one protocol: drives the session, turns its frames into journal records.
//
// For each frame: devices and series are resolved (cached by slot and field, so the hot path looks up nothing), the
// frame is archived when the policy says so, counters pass the guard, the readings get their numbers, and only then the
// live view sees them. Frames that were not accepted are counted by reason, archived, and logged at most once a minute
// per reason.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/intake/line.h"
#include "hub/journal/journal.h"
#include "hub/live/live_view.h"
#include "model/session.h"

namespace vesta::hub {

enum class ArchivePolicy : uint8_t { kNone, kSampled, kAll };

struct LineOptions {
  std::string source;    // name in the configuration
  std::string type;      // "serial", ...
  std::string protocol;  // "p1", ...
  std::string where;     // for people
  ArchivePolicy archive = ArchivePolicy::kSampled;
  bool commit_each_frame = false;
  // Told when the port was opened and when it was closed or failed, with the reason.
  std::function<void(SourceState, std::string_view why)> on_port = {};
};

// Frames of a source with commit_each_frame that may wait for the disk. Beyond this, or when the journal takes no more,
// a frame is refused as a whole: it is neither archived nor stored nor counted as received.
inline constexpr size_t kMaxPendingFrames = 65536;

// Accepted frames kept by the sampled policy: one in this time. Rejected ones are always kept, within the store's
// quota.
inline constexpr int64_t kArchiveSample_us = 60 * kUsPerSecond;
// A reason is logged at most this often.
inline constexpr int64_t kLogEvery_us = 60 * kUsPerSecond;
// Different reasons counted per source; a protocol has a fixed list, so this is never reached by honest code.
inline constexpr size_t kMaxReasons = 64;
// Bytes without one accepted frame after which the hint says that this is not what was expected.
inline constexpr uint64_t kBytesWithoutFrame = 8192;

class SessionLine final : public Line, private SessionEvents {
 public:
  SessionLine(boost::asio::io_context& io, const Clock& clock, LineOptions options, std::unique_ptr<Session> session,
              Directory& directory, Journal& journal, LiveView& live);

  void Opening() override;
  void Opened() override;
  void Received(Bytes bytes) override;
  void ReceivedAt(Bytes bytes, const Now& when) override;
  void Closed(std::string_view why, bool failed) override;
  void Finished(std::string_view what) override;
  Bytes ToSend() override { return session_->Transmit(); }
  void Sent(size_t count) override { session_->Transmitted(count); }
  bool Crowded() const override { return journal_.health().waiting_records > kMaxWaitingRecords / 4; }
  SourceHealth& health() override { return health_; }
  // The health with the session's own counters as they are now.
  const SourceHealth& ReportedHealth();
  std::vector<UnknownObject> UnknownObjects() const;

  // Each frame as the session saw it, for `vesta capture` and the like.
  void Tap(std::function<void(const FrameEvent&, const Now&)> tap) { tap_ = std::move(tap); }

 private:
  struct Slot {
    DeviceId device = 0;
    std::vector<SeriesId> series;  // by place in the field table, 0 = not resolved yet
    bool heard = false;            // in the frame at hand
  };

  void OnDevice(uint16_t slot, const DeviceInfo& device) override;
  void OnFrame(const FrameEvent& frame) override;
  // Returns how many the journal took.
  uint64_t TakeReadings(const FrameEvent& frame, FrameId archived);
  FrameId Archive(const FrameEvent& frame);
  void CountAccepted(uint64_t readings, const Now& arrived);
  bool MayCommit(const FrameEvent& frame);
  void Commit(uint64_t readings, const Now& arrived);
  void AwaitDurable();
  void CountProblem(const FrameEvent& frame);
  void SetState(SourceState state);
  void Decode(Bytes bytes);
  void ArmTimer();

  const Clock& clock_;
  LineOptions options_;
  std::unique_ptr<Session> session_;
  Directory& directory_;
  Journal& journal_;
  LiveView& live_;
  boost::asio::steady_timer timer_;
  int64_t timer_due_us_ = kNoDeadline;  // monotonic; kNoDeadline: not armed

  SourceHealth health_;
  IntervalLearner interval_;
  // A frame that waits to be durable.
  struct Pending {
    uint64_t readings;
    Now arrived;
    int64_t bytes_us;  // steady clock, of the bytes that ended it
  };
  std::deque<Pending> pending_;
  bool awaiting_ = false;  // a flush is under way for the first of them
  uint64_t decoded_ = 0;   // frames understood, durable or not
  int64_t bytes_us_ = 0;   // steady clock, of the bytes at hand
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<Slot> slots_;
  std::vector<uint16_t> heard_;  // slots of the frame at hand
  std::vector<Record> records_;
  std::map<std::string, int64_t, std::less<>> logged_us_;
  Now now_;  // of the bytes at hand
  bool replay_ = false;
  int64_t sampled_us_ = INT64_MIN;
  std::function<void(const FrameEvent&, const Now&)> tap_;
};

}  // namespace vesta::hub
