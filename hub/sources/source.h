// A transport that brings bytes to its Line, recovers alone and never gives up.
//
// Start() returns at once; failures are states with a reason, not errors. Back-off between tries runs from
// kBackOffFirst_us to kBackOffLast_us with jitter and starts anew once data flowed; only a serial port that is not
// there is looked for every second. Main thread only; names are looked up on a thread of the event loop's own.
#pragma once

#include <memory>
#include <string>

#include "hub/config/config.h"
#include "hub/intake/line.h"

namespace boost::asio {
class io_context;
}

namespace vesta::hub {

inline constexpr int64_t kBackOffFirst_us = 1 * kUsPerSecond;
inline constexpr int64_t kBackOffLast_us = 60 * kUsPerSecond;

class Source {
 public:
  virtual ~Source() = default;
  virtual void Start() = 0;
  virtual void Stop() = 0;  // idempotent; afterwards the Line is not called any more
};

// The transport that the configuration names. The Line must outlive the source.
std::unique_ptr<Source> MakeSource(boost::asio::io_context& io, const SourceConfig& config, Line& line);

}  // namespace vesta::hub
