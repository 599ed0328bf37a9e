// What every protocol offers: a session without I/O.
//
// Bytes in, frames with readings out, time passed in. A session opens nothing, sleeps nowhere, reads no clock, does not
// throw and allocates only when it is made. The hub, a node, a test with a virtual clock and a fuzzer drive it alike.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"
#include "model/reading.h"
#include "model/time.h"

namespace vesta {

using Bytes = std::span<const uint8_t>;

enum class FrameVerdict : uint8_t {
  kAccepted = 0,   // understood; readings may still be empty
  kRejected = 1,   // whole, but not believed or not understood (checksum, key, length, unknown type)
  kDiscarded = 2,  // never whole: cut, overrun, or bytes that belong to nothing
};

// What the link says of a frame beside its bytes. Which of it is known depends on the link; the rest keeps its default.
struct LinkFacts {
  uint64_t sender = 0;     // the sender's address on a shared medium (48-bit radio address, node number); 0 = none
  int16_t rssi_dbm = 0;    // 0 = not known
  uint8_t channel = 0;     // radio channel; 0 = not known
  bool is_repeat = false;  // a copy of what was already taken: only the link facts are news
};

// A frame as the session saw it. All views are valid during the call only.
struct FrameEvent {
  FrameVerdict verdict = FrameVerdict::kAccepted;
  const char* reason = "";     // stable word for counters and logs, "" when accepted: "crc", "overlong", "no_key", ...
  Bytes raw;                   // the frame's bytes as received
  uint64_t stream_offset = 0;  // of raw[0], counted from the first byte the session was given
  bool link_encrypted = false;
  LinkFacts link;
  std::span<const Reading> readings;
};

class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  // Before the first reading of a slot, and again when something of it changed.
  virtual void OnDevice(uint16_t slot, const DeviceInfo& device) = 0;
  virtual void OnFrame(const FrameEvent& frame) = 0;
};

// Takes a session's own counters for health pages and metrics.
class CounterSink {
 public:
  virtual ~CounterSink() = default;
  // name: stable, [a-z0-9_]+, a string literal. Counts only grow for the life of the session.
  virtual void Count(const char* name, uint64_t count) = 0;
};

// Takes the objects that accepted frames held and no table knows, for people who want to know what is missing.
class UnknownSink {
 public:
  virtual ~UnknownSink() = default;
  // code: how the protocol names the object; example: the latest content, cut. Both come from the wire: hostile.
  virtual void Unknown(std::string_view code, std::string_view example, uint64_t count) = 0;
};

inline constexpr int64_t kNoDeadline = INT64_MAX;

class Session {
 public:
  virtual ~Session() = default;

  // The table that Reading::field points into. It may grow while the session lives (registered fields), never change.
  virtual std::span<const Field> fields() const = 0;

  // A stream protocol (serial, TCP) takes bytes in chunks of any size. A datagram protocol (radio adverts, CAN frames)
  // takes exactly one datagram a call, in the form that its source's header states.
  virtual void Receive(Bytes bytes, const Now& now, SessionEvents& events) = 0;

  // To be called when monotonic time has reached next_deadline_us().
  virtual void Tick(const Now& now, SessionEvents& events) = 0;
  virtual int64_t next_deadline_us() const { return kNoDeadline; }

  // Bytes that want to go out, oldest first; empty when there are none. The caller reports how many it sent.
  virtual Bytes Transmit() { return {}; }
  virtual void Transmitted(size_t /*count*/) {}

  // Objects inside accepted frames that no table knows; they are skipped, never fatal.
  virtual uint64_t unknown_objects() const { return 0; }

  // What this protocol counts beside frames: repairs, duplicates, anomalies, repeats, ...
  virtual void ReportCounters(CounterSink& /*sink*/) const {}

  // Which objects unknown_objects() counts; bounded by the session.
  virtual void ReportUnknown(UnknownSink& /*sink*/) const {}

  // The line will be closed by choice, and the other side may want to be told: keep the session running until
  // farewell_said(), which is soon whatever the other side does.
  virtual void BeginFarewell(const Now& /*now*/, SessionEvents& /*events*/) {}
  virtual bool farewell_said() const { return true; }

  // The code tables in use with their versions and hashes ("builtin-1/0123456789abcdef"); "" when there are none but
  // the field table. Does not change while the session lives.
  virtual std::string_view tables() const { return {}; }

  // The transport was opened again: what was half received is void.
  virtual void LinkReset(const Now& now, SessionEvents& events) = 0;
};

}  // namespace vesta
