#include "simulators/p1_feed.h"

#include "simulators/random.h"

namespace vesta::simulators {
namespace {

constexpr uint64_t kWhereFaultsStrike = 77;
constexpr int64_t kUsPerDay = 86400 * kUsPerSecond;

P1MeterOptions Installed(P1FeedOptions options) {
  if (options.meter.installed_us == 0) options.meter.installed_us = options.start_us;
  return options.meter;
}

}  // namespace

P1Feed::P1Feed(const P1FeedOptions& options)
    : options_(options),
      meter_(Installed(options)),
      interval_us_(InfoOf(options.meter.kind).interval_s * kUsPerSecond),
      next_us_((options.start_us + interval_us_ - 1) / interval_us_ * interval_us_) {}

std::optional<UtcUs> P1Feed::next_us() const {
  if (options_.count != 0 && sent_ >= options_.count) return std::nullopt;
  return next_us_;
}

UtcUs P1Feed::MeterTime(UtcUs us) const {
  for (const Fault& fault : options_.faults) {
    // By whole seconds: that is what a meter's clock shows.
    if (fault.kind == FaultKind::kClockDrift) {
      us += (us - options_.start_us) / kUsPerSecond * fault.amount * kUsPerSecond / kUsPerDay * kUsPerSecond;
    }
  }
  return us;
}

std::string P1Feed::Next() {
  meter_.Advance(MeterTime(next_us_));
  next_us_ += interval_us_;
  ++sent_;
  last_damage_ = FaultKind::kNone;

  for (const Fault& fault : options_.faults) {
    const bool struck = fault.amount > 0 && sent_ % static_cast<uint64_t>(fault.amount) == 0;
    if (fault.kind == FaultKind::kMeterSwap && struck) meter_.Swap();
    if (fault.kind == FaultKind::kSilence && struck) next_us_ += kSilence_s * kUsPerSecond;
  }
  std::string bytes = meter_.Emit();
  for (const Fault& fault : options_.faults) {
    const bool always = fault.kind == FaultKind::kParityBits || fault.kind == FaultKind::kInverted;
    if (fault.kind == FaultKind::kClockDrift) continue;
    if (!always && sent_ % static_cast<uint64_t>(fault.amount) != 0) continue;
    std::string damaged = Damage(
        fault.kind, bytes, Mix(options_.meter.seed, kWhereFaultsStrike + static_cast<uint64_t>(fault.kind), sent_));
    if (damaged != bytes) last_damage_ = fault.kind;
    bytes = std::move(damaged);
  }
  return bytes;
}

}  // namespace vesta::simulators
