// A simulated meter on a line: when it sends, and what the line's faults make of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/feed.h"
#include "simulators/p1_faults.h"
#include "simulators/p1_meter.h"

namespace vesta::simulators {

struct P1FeedOptions {
  P1MeterOptions meter;  // installed_us 0: installed at the start
  UtcUs start_us = 0;    // the first telegram leaves at the first full interval from here
  uint64_t count = 0;    // telegrams, silence not counted; 0 = no end
  std::vector<Fault> faults;
};

class P1Feed final : public Feed {
 public:
  explicit P1Feed(const P1FeedOptions& options);

  std::optional<UtcUs> next_us() const override;
  std::string Next() override;

  // As it stands after the last telegram.
  const P1Meter& meter() const { return meter_; }
  // The fault that changed the bytes of the last telegram, or kNone.
  FaultKind last_damage() const { return last_damage_; }
  uint64_t sent() const { return sent_; }

 private:
  UtcUs MeterTime(UtcUs us) const;

  P1FeedOptions options_;
  P1Meter meter_;
  int64_t interval_us_;
  UtcUs next_us_;
  uint64_t sent_ = 0;
  FaultKind last_damage_ = FaultKind::kNone;
};

}  // namespace vesta::simulators
