// The times that a stream source keeps, in one place so that a test can have shorter ones.
#pragma once

#include <cstdint>

#include "hub/sources/source.h"

namespace vesta::hub {

struct StreamTiming {
  int64_t back_off_first_us = kBackOffFirst_us;
  int64_t back_off_last_us = kBackOffLast_us;

  // A port that is not there costs one look at a directory: soon enough to lose little after a cable is back.
  int64_t missing_port_us = 1 * kUsPerSecond;

  // Looking up the name and connecting together.
  int64_t connect_us = 10 * kUsPerSecond;

  // Silence that ends a connection when none is configured: so many learned intervals, at least this long. Before an
  // interval is learned it may be a device that speaks every few minutes.
  int64_t silent_intervals = 3;
  int64_t silence_least_us = 60 * kUsPerSecond;
  int64_t silence_unknown_us = 300 * kUsPerSecond;

  // A try that failed for a reason outside the sender: too many files are open.
  int64_t accept_again_us = 1 * kUsPerSecond;

  // A listener's sender that was silent for so long, and for two learned intervals, gives way to a new one.
  int64_t give_way_us = 10 * kUsPerSecond;
};

}  // namespace vesta::hub
