#include "simulators/vedirect_feed.h"

#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr uint64_t kWhereFaultsStrike = 88;

}  // namespace

bool VedirectFaultApplies(FaultKind kind) {
  return kind != FaultKind::kNone && kind != FaultKind::kClockDrift && kind != FaultKind::kParityBits &&
         kind != FaultKind::kCountOfFaults;
}

VedirectFeed::VedirectFeed(const VedirectFeedOptions& options)
    : options_(options),
      device_(options.device),
      next_us_((options.device.start_us + kUsPerSecond - 1) / kUsPerSecond * kUsPerSecond) {}

std::optional<UtcUs> VedirectFeed::next_us() const {
  if (options_.count != 0 && sent_ >= options_.count) return std::nullopt;
  return next_us_;
}

std::string VedirectFeed::Receive(std::string_view bytes) { return unplugged_ ? std::string() : device_.Answer(bytes); }

std::string VedirectFeed::Next() {
  device_.Advance(next_us_);
  next_us_ += kUsPerSecond;
  ++sent_;
  last_damage_ = FaultKind::kNone;
  unplugged_ = false;
  for (const Fault& fault : options_.faults) {
    const bool struck = fault.amount > 0 && sent_ % static_cast<uint64_t>(fault.amount) == 0;
    if (fault.kind == FaultKind::kMeterSwap && struck) device_.Swap();
    if (fault.kind == FaultKind::kSilence && struck) {
      next_us_ += kSilence_s * kUsPerSecond;
      unplugged_ = true;
    }
  }
  const std::string unasked = device_.NextUnasked();
  std::string bytes = device_.NextBlock();
  for (const Fault& fault : options_.faults) {
    if (!VedirectFaultApplies(fault.kind)) continue;
    if (fault.kind != FaultKind::kInverted && sent_ % static_cast<uint64_t>(fault.amount) != 0) continue;
    std::string damaged = Damage(
        fault.kind, bytes, Mix(options_.device.seed, kWhereFaultsStrike + static_cast<uint64_t>(fault.kind), sent_));
    if (damaged != bytes) last_damage_ = fault.kind;
    bytes = std::move(damaged);
  }
  return unasked + bytes;
}

}  // namespace vesta::simulators
