// The devices and faults that can be had, by name.
#include <charconv>

#include "simulators/incubator.h"

namespace vesta::simulators {
namespace {

constexpr IncubatorInfo kKinds[] = {
    {IncubatorKind::kBabyleoTn500, "tn500", "Babyleo TN500, incubator and warmer", "5700'Babyleo TN500'01.06:06.00",
     "$'().*+", "65666C6D6EC0C2E4ECF1F2F3", "1A1C24"},
    {IncubatorKind::kIsolette, "isolette", "Isolette 8000 plus, incubator", "5701'Isolette 8000 plus'05.00:06.00",
     "$').*", "65666C6DC0C2F1F2", "1A1B1C24"},
    {IncubatorKind::kBabyrooTn300, "babyroo", "Babyroo TN300, warmer with pulse oximetry (no waveform)",
     "5702'Babyroo TN300'01.00:06.00", "$'().*", "65666A6EC2E1EBF2", "1B3F"},
    {IncubatorKind::kBiliLux, "bililux", "BiliLux, phototherapy lamp", "6300'BiliLux'01.00:06.00", "$*", "A2A3", ""},
};
static_assert(std::size(kKinds) == static_cast<size_t>(IncubatorKind::kCountOfKinds));

}  // namespace

const IncubatorInfo& InfoOf(IncubatorKind kind) { return kKinds[static_cast<size_t>(kind)]; }

const IncubatorInfo* FindIncubator(std::string_view name) {
  for (const IncubatorInfo& info : kKinds) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

const std::vector<IncubatorFaultInfo>& AllIncubatorFaults() {
  using Kind = IncubatorFaultKind;
  static const std::vector<IncubatorFaultInfo> kFaults = {
      {Kind::kNoise, "noise", "random bytes before every n-th frame", 20},
      {Kind::kLostBytes, "lost-bytes", "a run of bytes missing in every n-th frame", 20},
      {Kind::kDoubledBytes, "doubled-bytes", "a byte twice in every n-th frame", 20},
      {Kind::kWrongChecksum, "wrong-checksum", "every n-th frame", 20},
      {Kind::kNak, "nak", "every n-th command is taken for damaged", 20},
      {Kind::kSlow, "slow", "every n-th answer takes 1 to 12 s", 50},
      {Kind::kNopInside, "nop-inside", "a command of its own inside every n-th response", 20},
      {Kind::kCancel, "cancel", "every n-th response is given up half-way", 20},
      {Kind::kSuspend, "suspend", "a request to be quiet that is never taken back, every n-th frame", 100},
      {Kind::kDeafness, "deafness", "every n-th message of the host arrives damaged", 20},
      {Kind::kSilence, "silence", "every n seconds, for 5 to 60 s", 300},
      {Kind::kRestart, "restart", "every n seconds", 600},
      {Kind::kStop, "stop", "ends the session every n seconds", 600},
      {Kind::kAlarmStorm, "alarm-storm", "another set of alarms with every answer", 1},
      {Kind::kClockDrift, "clock-drift", "seconds gained a day, may be negative", 20},
      {Kind::kClockStep, "clock-step", "its clock is set every n seconds, and it says so", 600},
  };
  return kFaults;
}

bool ParseIncubatorFault(std::string_view text, IncubatorFault* fault, std::string* error) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string names;
  for (const IncubatorFaultInfo& info : AllIncubatorFaults()) {
    names += names.empty() ? info.name : std::string(", ") + info.name;
    if (name != info.name) continue;
    *fault = {info.kind, info.default_amount};
    if (colon == std::string_view::npos) return true;
    const std::string_view number = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), fault->amount);
    const bool whole = failed == std::errc() && end == number.data() + number.size();
    const bool fits = info.kind == IncubatorFaultKind::kClockDrift ? fault->amount >= -86400 && fault->amount <= 86400
                                                                   : fault->amount >= 1 && fault->amount <= 1000000;
    if (whole && fits) return true;
    *error = "\"" + std::string(number) + "\" is no number that \"" + info.name + "\" can have";
    return false;
  }
  *error = "there is no fault \"" + std::string(name) + "\"; there are " + names;
  return false;
}

}  // namespace vesta::simulators
