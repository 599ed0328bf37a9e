#include "simulators/p1_faults.h"

#include <charconv>

#include "simulators/random.h"

namespace vesta::simulators {
namespace {

std::string FlipBits(std::string_view bytes, uint64_t random) {
  std::string damaged(bytes);
  const uint64_t count = 1 + random % 3;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t place = Mix(random, 1, i) % (damaged.size() * 8);
    damaged[place / 8] = static_cast<char>(damaged[place / 8] ^ (1 << (place % 8)));
  }
  // Two flips of one bit would leave the telegram whole.
  if (damaged == bytes) damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  return damaged;
}

// The checksum's first digit becomes another digit; an encrypted frame's tag loses a bit.
std::string SpoilChecksum(std::string_view bytes) {
  std::string damaged(bytes);
  const size_t mark = damaged.rfind("\r\n!");
  if (damaged[0] == '/' && mark != std::string::npos) {
    char& digit = damaged[mark + 3];
    digit = digit == '0' ? '1' : '0';
  } else {
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
  }
  return damaged;
}

char WithEvenParity(char c) {
  auto bits = static_cast<uint8_t>(c & 0x7F);
  bits = static_cast<uint8_t>(bits ^ (bits >> 4));
  bits = static_cast<uint8_t>(bits ^ (bits >> 2));
  bits = static_cast<uint8_t>(bits ^ (bits >> 1));
  return static_cast<char>((c & 0x7F) | ((bits & 1) << 7));
}

}  // namespace

const std::vector<FaultInfo>& AllFaults() {
  static const std::vector<FaultInfo> faults = {
      {FaultKind::kNoise, "noise", "up to three bits turned over in every n-th telegram", 10, true},
      {FaultKind::kLostBytes, "lost-bytes", "1 to 20 bytes missing in every n-th telegram", 10, true},
      {FaultKind::kCut, "cut", "every n-th telegram breaks off", 10, true},
      {FaultKind::kWrongCrc, "wrong-crc", "every n-th telegram has a wrong checksum", 10, true},
      {FaultKind::kDuplicate, "duplicate", "every n-th telegram comes twice", 10, true},
      {FaultKind::kSilence, "silence", "90 s of nothing after every n telegrams", 60, true},
      {FaultKind::kMeterSwap, "meter-swap", "another meter after every n telegrams", 60, true},
      {FaultKind::kClockDrift, "clock-drift", "the meter's clock gains n seconds a day (may be negative)", 60, true},
      {FaultKind::kParityBits, "parity-bits", "a 7E1 line read as 8N1: bit 7 carries the parity", 0, false},
      {FaultKind::kInverted, "inverted", "a line without its inverter: bytes, but noise", 0, false},
  };
  return faults;
}

bool ParseFault(std::string_view text, Fault* fault, std::string* error) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  for (const FaultInfo& info : AllFaults()) {
    if (name != info.name) continue;
    *fault = {info.kind, info.default_amount};
    if (colon == std::string_view::npos) return true;
    const std::string_view amount = text.substr(colon + 1);
    const auto [end, code] = std::from_chars(amount.data(), amount.data() + amount.size(), fault->amount);
    const bool allowed = info.kind == FaultKind::kClockDrift || fault->amount >= 1;
    constexpr int64_t kAmountMax = 1000000;
    const bool bounded = fault->amount <= kAmountMax && fault->amount >= -kAmountMax;
    if (info.has_amount && code == std::errc() && end == amount.data() + amount.size() && allowed && bounded) {
      return true;
    }
    *error = std::string("fault ") + info.name + ": \"" + std::string(amount) + "\" is not allowed; " +
             (info.has_amount ? "a whole number up to 1000000" : "it takes no number");
    return false;
  }
  *error = "no fault is called \"" + std::string(name) + "\"; there are:";
  for (const FaultInfo& info : AllFaults()) *error += std::string(" ") + info.name;
  return false;
}

std::string Damage(FaultKind kind, std::string_view bytes, uint64_t random) {
  if (bytes.empty()) return {};
  std::string damaged(bytes);
  switch (kind) {
    case FaultKind::kNoise:
      return FlipBits(bytes, random);
    case FaultKind::kLostBytes:
      return damaged.erase(random % bytes.size(), 1 + (random >> 32) % 20);
    case FaultKind::kCut:
      return damaged.substr(0, 1 + random % (bytes.size() * 9 / 10));
    case FaultKind::kWrongCrc:
      return SpoilChecksum(bytes);
    case FaultKind::kDuplicate:
      return damaged + damaged;
    case FaultKind::kParityBits:
      for (char& c : damaged) c = WithEvenParity(c);
      return damaged;
    case FaultKind::kInverted:
      for (char& c : damaged) c = static_cast<char>(~c);
      return damaged;
    case FaultKind::kNone:
    case FaultKind::kSilence:
    case FaultKind::kMeterSwap:
    case FaultKind::kClockDrift:
    case FaultKind::kCountOfFaults:
      break;
  }
  return damaged;
}

}  // namespace vesta::simulators
