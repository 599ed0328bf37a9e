// Something that hands readings on, with a stated delivery class and figures that prove it. Main thread only.
#pragma once

#include <functional>
#include <vector>

#include "hub/journal/output_health.h"

namespace vesta::hub {

class Output {
 public:
  virtual ~Output() = default;
  virtual void Start() = 0;
  // Says goodbye (offline, flush of what is in flight) and then calls done; at most 5 s.
  virtual void Stop(std::function<void()> done) = 0;
  // One entry a delivery class: an MQTT output has a history and a state part.
  virtual std::vector<OutputHealth> health() const = 0;
};

}  // namespace vesta::hub
