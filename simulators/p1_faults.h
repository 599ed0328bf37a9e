// What goes wrong between a meter and its reader, on demand and repeatable: the damage that real lines show (reference
// of the P1 port, damage catalogue).
//
// A fault strikes every n-th telegram, so that a test knows what to expect; where it strikes inside the telegram is
// random by seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::simulators {

enum class FaultKind : uint8_t {
  kNone = 0,
  kNoise,       // up to three bits turned over
  kLostBytes,   // a run of 1 to 20 bytes missing, as after a UART overrun
  kCut,         // the end missing; the next telegram follows at once
  kWrongCrc,    // all bytes right but the checksum (encrypted: the tag)
  kDuplicate,   // sent twice, as relays do
  kSilence,     // after n telegrams nothing for 90 s
  kMeterSwap,   // another meter: new number, counters from zero
  kClockDrift,  // the amount is seconds gained a day, may be negative
  kParityBits,  // a 7E1 line read as 8N1: bit 7 carries the parity, always
  kInverted,    // the inverter was forgotten: every bit wrong, always
  kCountOfFaults,
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  int64_t amount = 0;
};

struct FaultInfo {
  FaultKind kind;
  const char* name;  // "wrong-crc"
  const char* description;
  int64_t default_amount;
  bool has_amount;
};
const std::vector<FaultInfo>& AllFaults();

// "noise" or "noise:25". False: `error` says what is wrong and what is allowed.
bool ParseFault(std::string_view text, Fault* fault, std::string* error);

inline constexpr int64_t kSilence_s = 90;

// What the line makes of the bytes. `random` decides where; kinds that do not touch bytes leave them alone.
std::string Damage(FaultKind kind, std::string_view bytes, uint64_t random);

}  // namespace vesta::simulators
