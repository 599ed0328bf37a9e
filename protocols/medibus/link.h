// The host's side of a MEDIBUS link: who speaks when. It decides; it neither parses nor decodes.
//
// Listening -> (either side's initialisation) -> identifying -> polling, with keep-alive, one request at a time, repeat
// after NAK, time-outs, suspend and resume, and STOP before the end. Silence or a restart of the device leads back to
// listening. All times are monotonic microseconds. Facts: reference of MEDIBUS, link rules and session.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocols/medibus/wire.h"

namespace vesta::medibus {

// What the link is for those who look at the data: what was not heard while it was not ok is a gap.
enum class LinkState : uint8_t {
  kOk = 1,
  kStarting = 2,    // a side has initialised the link; values are void until the next answers
  kSilent = 3,      // nothing valid for 3 s though asked: device off or unplugged
  kLineClosed = 4,  // the port or connection is not open
  kStopped = 5,     // the device ended the session
  kRejected = 6,    // the device takes our requests for damaged
  kReplaced = 7,    // another device answers here now
};

struct LinkOptions {
  std::string_view host_name;  // "" answers without a name, as the TN500 accepts
  int64_t cycle_us = 5 * kUsPerSecond;
  int64_t alarm_period_us = 2 * kUsPerSecond;
  int64_t limits_period_us = 60 * kUsPerSecond;
  int64_t clock_period_us = 60 * kUsPerSecond;
  int64_t response_timeout_us = 10 * kUsPerSecond;  // 3 s at least
  uint8_t realtime_streams = 0;                     // at most kMaxRealtimeStreams
};

inline constexpr int64_t kSessionPause_us = 3 * kUsPerSecond;  // a pause of this length ends a session
inline constexpr int64_t kNopAfter_us = 1500 * kUsPerMs;       // the rule says 2 s at the latest
inline constexpr int64_t kInitialiseEvery_us = 3 * kUsPerSecond;
inline constexpr int64_t kFirstInitialise_us = kUsPerSecond;  // the device may begin
inline constexpr int64_t kAfterStop_us = 10 * kUsPerSecond;   // the device wants quiet
inline constexpr int64_t kSettle_us = 200 * kUsPerMs;         // lets the device ask first
inline constexpr int64_t kIdentifyLatest_us = kUsPerSecond;   // however much it asks
inline constexpr int64_t kIdentifyTimeout_us = 3 * kUsPerSecond;
inline constexpr int kIdentifyTries = 3;
inline constexpr int64_t kNakPause_us = 100 * kUsPerMs;
inline constexpr int kMaxNaks = 3;      // in a row
inline constexpr int kMaxTimeouts = 3;  // in a row
inline constexpr int64_t kMaxSuspend_us = 3 * kUsPerSecond;
inline constexpr int64_t kStopPatience_us = kUsPerSecond;
// From the end of all disturbance (line whole, device on) to answers again: the longest of an answer that never came
// and the quiet that a STOP asks for, then initialisation, identification and the first poll.
inline constexpr int64_t kRecovery_us = 20 * kUsPerSecond;

struct LinkCounters {
  uint64_t requests = 0;
  uint64_t answers = 0;  // to commands of the device
  uint64_t naks_sent = 0;
  uint64_t naks_received = 0;
  uint64_t timeouts = 0;           // a response that did not come in time
  uint64_t unasked_responses = 0;  // late, or to nobody's request
  uint64_t sessions = 0;           // polling began
  uint64_t losses = 0;             // polling ended without our will
  uint64_t suspends = 0;
  uint64_t suspends_overrun = 0;  // resumed by us after 3 s
  uint64_t unsent = 0;            // no room: nobody takes the bytes
};

class HostLink {
 public:
  explicit HostLink(const LinkOptions& options);

  void LineReset(int64_t now_us);
  void OnCommand(uint8_t code, int64_t now_us);
  void OnDamagedCommand(int64_t now_us);
  void OnResponse(uint8_t code, int64_t now_us);
  void OnFlow(bool suspend, int64_t now_us);
  // The identification has been read; 0: none. Decides what is polled. Comes before OnResponse.
  void SetDevice(uint16_t number);
  // The answer to the realtime configuration has been read: streams to ask for, if any. Comes before OnResponse.
  void SelectStreams(const RealtimeSelection& selection);

  // The timers, and what is to be asked next. open_frame_byte_us: when the last byte of a frame came that is still
  // open; INT64_MIN: none is.
  void Advance(int64_t now_us, int64_t open_frame_byte_us);
  int64_t next_deadline_us(int64_t open_frame_byte_us) const;

  Bytes pending() const { return suspended_ ? Bytes() : outbox_.pending(); }
  void Sent(size_t count) { outbox_.Sent(count); }

  // Ends the session: STOP goes out when the open response is there, or after 1 s.
  void BeginStop(int64_t now_us);
  bool stopped() const { return phase_ == Phase::kEnded; }

  LinkState state() const { return state_; }
  const LinkCounters& counters() const { return counters_; }

 private:
  enum class Phase : uint8_t { kListening, kIdentifying, kPolling, kStopping, kAwaitingStop, kEnded };

  void Listen(LinkState why, int64_t initialise_at_us);
  void Identify(int64_t now_us);
  void Poll(int64_t now_us);
  void Lose(LinkState why, int64_t now_us);
  void End();
  bool Ask(Request request, int64_t now_us);
  void Answer(uint8_t code);
  void OnNak(int64_t now_us);
  void AdvanceListening(int64_t now_us);
  void AdvanceIdentifying(int64_t now_us);
  void AdvancePolling(int64_t now_us);
  void AdvanceStopping(int64_t now_us);
  bool AdvanceRealtime(int64_t now_us);
  int64_t LostAt(int64_t open_frame_byte_us) const;
  int64_t PeriodOf(size_t plan_row) const;

  const LinkOptions options_;
  char host_name_[kMaxHostName] = {};
  size_t host_name_size_ = 0;
  Outbox outbox_;
  LinkCounters counters_;

  Phase phase_ = Phase::kListening;
  LinkState state_ = LinkState::kLineClosed;
  int64_t initialise_at_us_ = 0;
  bool device_initialised_ = false;  // its initialisation was answered in this listening

  std::optional<Request> open_;  // the request whose answer is awaited
  int64_t open_since_us_ = 0;
  int64_t last_valid_us_ = 0;  // frame of the device
  int64_t last_asked_us_ = 0;

  int64_t identify_at_us_ = 0;
  int64_t identify_since_us_ = 0;
  int identify_tries_ = 0;

  static constexpr size_t kPlanRows = 11;
  uint16_t plan_ = 0;  // rows of the plan that the device has
  std::array<int64_t, kPlanRows> due_us_{};

  bool repeated_ = false;
  std::optional<Request> repeat_;
  int64_t repeat_at_us_ = 0;
  int naks_ = 0;
  int timeouts_ = 0;

  bool suspended_ = false;
  int64_t suspended_since_us_ = 0;

  enum class Realtime : uint8_t { kOff, kConfigure, kSelect, kEnable, kOn };
  Realtime realtime_ = Realtime::kOff;
  RealtimeSelection selection_;

  int64_t stop_at_us_ = 0;
};

}  // namespace vesta::medibus
