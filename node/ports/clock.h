// Microseconds that never step and run on through deep sleep and restarts without loss of power (the RTC timer of the
// chip). After a loss of power it begins anew: Sleep::is_kept() says so. The zero means nothing.
#pragma once

#include <cstdint>

namespace vesta::node {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_us() const = 0;
};

}  // namespace vesta::node
