// A host session and a simulated incubator on one bad line, for hours of virtual time, watched byte by byte.
//
// Faults come in bouts with calm between them. What must hold: the session is back within kRecovery_us of each calm's
// beginning; no byte is sent that is not on the read-only list; each frame that arrived whole is told exactly once and
// in order. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>

namespace vesta::simulators {

struct FaultRunResult {
  std::string failure;  // "" when everything held
  double hours = 0;
  uint64_t frames = 0;             // sent by the device
  uint64_t frames_whole = 0;       // of those, unharmed
  uint64_t damage_undetected = 0;  // harmed, but the eight-bit sum fits: nobody can tell
  uint64_t messages_sent = 0;      // by the host
  uint64_t sessions = 0;
  uint64_t bouts = 0;
  double longest_recovery_s = 0;
};

FaultRunResult RunIncubatorFaults(uint64_t seed, double hours);

}  // namespace vesta::simulators
