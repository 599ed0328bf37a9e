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
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/intake/heard_senders.h"
#include "hub/intake/line.h"
#include "hub/intake/slot_table.h"
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
  bool datagrams = false;   // the protocol takes datagrams, not a stream of bytes
  std::string sender = {};  // one of several on the source: tells apart devices whose identity is not on the wire
  // Told when the port was opened and when it was closed or failed, with the reason.
  std::function<void(SourceState, std::string_view why)> on_port = {};
};

// Frames of a source with commit_each_frame that may wait for the disk. Beyond this, or when the journal takes no more,
// a frame is refused as a whole: it is neither archived nor stored nor counted as received.
inline constexpr size_t kMaxPendingFrames = 65536;

// Accepted frames kept by the sampled policy: one in this time, on a shared medium one of each sender. Rejected ones
// are always kept, within the store's quota, but for those of foreign devices.
inline constexpr int64_t kArchiveSample_us = 60 * kUsPerSecond;
// A reason is logged at most this often.
inline constexpr int64_t kLogEvery_us = 60 * kUsPerSecond;
// Different reasons counted per source; a protocol has a fixed list, so this is never reached by honest code.
inline constexpr size_t kMaxReasons = 64;
// Bytes without one accepted frame after which the hint says that this is not what was expected.
inline constexpr uint64_t kBytesWithoutFrame = 8192;
// Reason of frames that belong to devices of other makes: they are counted, and neither kept nor logged.
inline constexpr std::string_view kForeignReason = "foreign";
// Senders whose last kept sample is remembered; beyond this all are forgotten, and one more of each is kept.
inline constexpr size_t kMaxSampledSenders = 1024;

class SessionLine final : public Line, private SessionEvents {
 public:
  SessionLine(boost::asio::io_context& io, const Clock& clock, LineOptions options, std::unique_ptr<Session> session,
              Directory& directory, Journal& journal, LiveView& live);

  void Opening() override;
  void Opened() override;
  void Received(Bytes bytes) override;
  void ReceivedAt(Bytes bytes, const Now& when) override;
  void ReceivedFromRelay(Bytes bytes, const StampedTime& said, bool held_back) override;
  void Closed(std::string_view why, bool failed) override;
  void Finished(std::string_view what) override;
  void Poke() override;
  Bytes ToSend() override { return session_->Transmit(); }
  void Sent(size_t count) override {
    session_->Transmitted(count);
    ArmTimer();
  }
  bool Crowded() const override { return journal_.health().waiting_records > kMaxWaitingRecords / 4; }
  SourceHealth& health() override { return health_; }
  // The source will be stopped: what the device should hear before it goes out now.
  void BeginFarewell();
  bool farewell_said() const { return health_.state != SourceState::kOpen || session_->farewell_said(); }
  // The health with the session's own counters as they are now.
  const SourceHealth& ReportedHealth();
  std::vector<UnknownObject> UnknownObjects() const;

  // Who is heard, where the medium is shared.
  const HeardSenders& heard() const { return heard_; }

  // Each frame as the session saw it, for `vesta capture` and the like.
  void Tap(std::function<void(const FrameEvent&, const Now&)> tap) { tap_ = std::move(tap); }

 private:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override;
  void OnFrame(const FrameEvent& frame) override;
  // Returns how many the journal took.
  uint64_t TakeReadings(const FrameEvent& frame, FrameId archived);
  FrameId Archive(const FrameEvent& frame);
  bool IsSampleDue(uint64_t sender);
  void SetHint();
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
  bool awaiting_ = false;  // a commit is awaited for the first of them
  bool urgent_ = false;    // one of those behind them has readings
  uint64_t decoded_ = 0;   // frames understood, durable or not
  int64_t bytes_us_ = 0;   // steady clock, of the bytes at hand
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SlotTable slots_;
  HeardSenders heard_;
  std::vector<DeviceId> heard_devices_;  // in the frame at hand
  std::vector<Record> records_;
  std::map<std::string, int64_t, std::less<>> logged_us_;
  Now now_;               // of the bytes at hand
  UtcUs arrived_us_ = 0;  // when they came here
  std::optional<StampedTime> relay_;
  bool held_back_ = false;
  bool replay_ = false;
  std::unordered_map<uint64_t, int64_t> sampled_us_;  // by sender
  std::function<void(const FrameEvent&, const Now&)> tap_;
};

}  // namespace vesta::hub
