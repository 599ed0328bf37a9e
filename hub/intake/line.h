// One source's road from bytes to journal, as a transport sees it.
//
// A transport (serial port, TCP, capture file, ...) opens, reads and reconnects; it hands bytes to its Line and writes
// what the Line wants to send. The Line owns the protocol session, its timers, the devices, the frame archive and the
// counters. Main thread only; bytes are consumed before Received returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hub/clock/duration_histogram.h"
#include "hub/live/interval.h"
#include "model/session.h"

namespace vesta::hub {

enum class SourceState : uint8_t { kStopped = 0, kOpening = 1, kOpen = 2, kWaiting = 3, kFailed = 4 };
std::string_view SourceStateName(SourceState state);  // "stopped", "opening", "open", "waiting", "failed"

// An object inside understood frames that no table knows.
struct UnknownObject {
  std::string code;
  std::string example;
  uint64_t count = 0;
};

// What the page, the API and the metrics show of a source.
struct SourceHealth {
  std::string name;
  std::string type;      // "serial", "tcp", ...
  std::string protocol;  // "p1", ...
  std::string where;     // "/dev/serial/by-id/…", "host:port"; no secrets
  SourceState state = SourceState::kStopped;
  std::string error;  // why it waits or failed, in words for people
  std::string hint;   // what the user can do, when the hub knows ("bytes but no telegram: is the line inverted?")
  UtcUs state_since_us = 0;
  uint64_t opens = 0;  // reconnects = opens - 1
  uint64_t bytes = 0;
  uint64_t frames_accepted = 0;
  uint64_t frames_repeated = 0;  // copies of accepted or rejected ones, by another receiver or sent again
  uint64_t readings = 0;
  uint64_t unknown_objects = 0;
  std::map<std::string, uint64_t> frames_rejected;   // by reason
  std::map<std::string, uint64_t> frames_discarded;  // by reason
  std::map<std::string, uint64_t> counters;          // the protocol's own: repairs, duplicates, anomalies, ...
  uint64_t refused_readings = 0;                     // by the journal
  uint64_t refused_connections = 0;                  // by a listening source: not allowed, or one sender is enough
  UtcUs last_frame_us = 0;                           // 0 = none yet
  int64_t last_frame_monotonic_us = INT64_MIN;
  std::optional<int64_t> interval_us;  // learned, between accepted frames
  // With commit_each_frame: a frame counts as accepted, and its readings as taken, once it is durable.
  bool commit_each_frame = false;
  uint64_t frames_pending = 0;  // understood, not durable yet
  uint64_t frames_refused = 0;  // understood, but the disk took nothing for too long: nothing of them was taken
  DurationHistogram commit;     // from bytes in hand to durable
  DurationHistogram decode;     // from bytes in hand to readings taken, for bytes that ended a frame
};

class Line {
 public:
  virtual ~Line() = default;

  virtual void Opening() = 0;
  virtual void Opened() = 0;
  virtual void Received(Bytes bytes) = 0;
  // With the bytes' own time and clock quality: for a capture that is replayed with its original times.
  virtual void ReceivedAt(Bytes bytes, const Now& when) = 0;
  // Bytes that something between device and hub took and stamped: readings that would bear the time of arrival bear
  // `said` instead; the arrival is kept beside it. held_back: they waited on the way, so stamps of the device are
  // believed however old, and readings of long ago are flagged late.
  virtual void ReceivedFromRelay(Bytes bytes, const StampedTime& /*said*/, bool /*held_back*/) { Received(bytes); }
  // The transport is gone and will be tried again, or (failed) can't work until the configuration changes.
  virtual void Closed(std::string_view why, bool failed) = 0;
  // Everything there was has been read (the end of a capture file): not a fault, and nothing more will come.
  virtual void Finished(std::string_view what) = 0;

  // Something was asked of the session from outside: it looks at its timers now, and what it wants to send goes out.
  virtual void Poke() {}

  // What the session wants to send; report what went out.
  virtual Bytes ToSend() = 0;
  virtual void Sent(size_t count) = 0;
  // A transport that can send asks to be woken when something is to be sent at another time than after bytes received:
  // a protocol that asks of its own accord, on a line that is silent until asked.
  void WhenToSend(std::function<void()> wake) { wake_ = std::move(wake); }

  // The journal's memory is filling faster than the disk empties it: a source that can wait (a capture) should.
  virtual bool Crowded() const { return false; }

  virtual SourceHealth& health() = 0;

 protected:
  void WakeSender() {
    if (wake_) wake_();
  }

 private:
  std::function<void()> wake_;
};

}  // namespace vesta::hub
