// A simulated incubator, warmer or phototherapy lamp on a MEDIBUS line: the device's side of the rules, in virtual
// time.
//
// It begins with its own initialisation, asks who the host is, keeps the link alive, answers what its model answers,
// echoes the rest and says NAK to damaged commands. Faults come on demand and are random by seed: the same seed and the
// same bytes at the same moments give the same device. It never sleeps: who drives it passes the time. Facts: reference
// of MEDIBUS, simulator requirements.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/time.h"
#include "protocols/medibus/parser.h"

namespace vesta::simulators {

enum class IncubatorKind : uint8_t { kBabyleoTn500, kIsolette, kBabyrooTn300, kBiliLux, kCountOfKinds };

struct IncubatorInfo {
  IncubatorKind kind;
  const char* name;  // "tn500"
  const char* description;
  const char* identification;
  const char* answers;   // codes of the commands that it answers with content, as characters
  const char* measured;  // codes that it measures, two digits each
  const char* settings;
};
const IncubatorInfo& InfoOf(IncubatorKind kind);
const IncubatorInfo* FindIncubator(std::string_view name);

enum class IncubatorFaultKind : uint8_t {
  kNoise,          // bytes between frames, every n-th frame on the average
  kLostBytes,      // a run of bytes missing in every n-th frame
  kDoubledBytes,   // a byte twice in every n-th frame
  kWrongChecksum,  // every n-th frame
  kNak,            // every n-th command is taken for damaged
  kSlow,           // every n-th answer takes 1 to 12 s
  kNopInside,      // its own command inside every n-th response
  kCancel,         // every n-th response is given up half-way
  kSuspend,        // every n-th frame is followed by a request to be quiet that is never taken back
  kDeafness,       // every n-th message of the host arrives damaged
  kSilence,        // every n seconds, for 5 to 60 s
  kRestart,        // every n seconds
  kStop,           // ends the session every n seconds
  kAlarmStorm,     // another random set of alarms at every answer
  kClockDrift,     // seconds gained a day
  kClockStep,      // its clock is set every n seconds, and it says so
  kCountOfFaults,
};

struct IncubatorFault {
  IncubatorFaultKind kind = IncubatorFaultKind::kNoise;
  int64_t amount = 0;
};
struct IncubatorFaultInfo {
  IncubatorFaultKind kind;
  const char* name;
  const char* description;
  int64_t default_amount;
};
const std::vector<IncubatorFaultInfo>& AllIncubatorFaults();
// "noise" or "noise:25". False: `error` says what is wrong and what is allowed.
bool ParseIncubatorFault(std::string_view text, IncubatorFault* fault, std::string* error);

struct IncubatorOptions {
  IncubatorKind kind = IncubatorKind::kBabyleoTn500;
  uint64_t seed = 1;
  UtcUs start_us = 0;
  int32_t clock_offset_min = 120;  // of its clock from UTC
  int64_t answer_us = 40 * kUsPerMs;
  std::vector<IncubatorFault> faults;
  // Each frame as it goes on the line, and whether it does so unharmed.
  std::function<void(std::string_view frame, bool whole)> observer;
};

class Incubator final : private medibus::ParserSink {
 public:
  explicit Incubator(const IncubatorOptions& options);

  void Receive(std::string_view bytes, UtcUs now_us);
  void Tick(UtcUs now_us);
  UtcUs next_us() const;
  // What has left the device since the last call.
  std::string TakeOutput();

  // From here on these faults and no others; what they left behind (a silence) ends now.
  void SetFaults(std::vector<IncubatorFault> faults, UtcUs now_us);
  // A loss of power: the session is forgotten, nothing that was on its way leaves any more.
  void Restart(UtcUs now_us);
  bool in_session() const { return phase_ == Phase::kSession; }
  uint64_t frames_sent() const { return frames_; }

 private:
  enum class Phase : uint8_t { kCalling, kAsking, kSession };
  struct Outgoing {
    UtcUs at_us;
    std::string frame;
  };

  void OnParsed(const medibus::Frame& frame) override;
  void OnDropped(Bytes, uint64_t, const char*) override {}
  void OnRealtimeByte(uint8_t, const Now&) override {}
  void OnFlow(bool, const Now&) override {}

  bool Strikes(IncubatorFaultKind kind);
  int64_t AmountOf(IncubatorFaultKind kind) const;
  void ScheduleTimed(IncubatorFaultKind kind);
  void StrikeTimed(IncubatorFaultKind kind);
  uint64_t Random(uint64_t below);
  void Queue(std::string frame, int64_t delay_us);
  void Send(const std::string& frame);
  std::string Payload(uint8_t code);
  std::string Measured();
  std::string Settings();
  std::string Alarms(int page);
  std::string Texts() const;
  std::string ClockText() const;
  double ValueOf(int code) const;

  IncubatorOptions options_;
  const IncubatorInfo& info_;
  medibus::Parser parser_;
  UtcUs now_us_;
  Phase phase_ = Phase::kCalling;
  UtcUs call_at_us_;
  UtcUs host_heard_us_ = 0;
  UtcUs last_nop_us_ = 0;
  UtcUs silent_until_us_ = 0;
  std::deque<Outgoing> queue_;
  std::string output_;
  uint64_t draws_ = 0;
  uint64_t frames_ = 0;
  int64_t clock_step_us_ = 0;
  UtcUs timed_us_[static_cast<size_t>(IncubatorFaultKind::kCountOfFaults)] = {};
};

}  // namespace vesta::simulators
