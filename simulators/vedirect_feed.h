// A simulated VE.Direct device on a line: a text block each second, HEX answers between them, and what the line's
// faults make of it. What the reader writes is given to Receive().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulators/feed.h"
#include "simulators/p1_faults.h"
#include "simulators/vedirect_device.h"

namespace vesta::simulators {

struct VedirectFeedOptions {
  VedirectDeviceOptions device;  // its start is the feed's
  uint64_t count = 0;            // blocks, silence not counted; 0 = no end
  std::vector<Fault> faults;     // of those that VedirectFaultApplies
};

// Clock drift and parity bits have no meaning here.
bool VedirectFaultApplies(FaultKind kind);

class VedirectFeed final : public Feed {
 public:
  explicit VedirectFeed(const VedirectFeedOptions& options);

  std::optional<UtcUs> next_us() const override;
  std::string Next() override;
  // The answers to what a reader sent: they leave at once. Nothing during a silence: the device is unplugged then.
  std::string Receive(std::string_view bytes);

  const VedirectDevice& device() const { return device_; }
  FaultKind last_damage() const { return last_damage_; }  // of the last block
  uint64_t sent() const { return sent_; }

 private:
  VedirectFeedOptions options_;
  VedirectDevice device_;
  UtcUs next_us_;
  bool unplugged_ = false;
  uint64_t sent_ = 0;
  FaultKind last_damage_ = FaultKind::kNone;
};

}  // namespace vesta::simulators
