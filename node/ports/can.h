// A CAN controller. The driver keeps what came (32 frames at least) and counts what it had to drop.
#pragma once

#include <cstdint>

#include "protocols/can_frame.h"

namespace vesta::node {

class Can {
 public:
  virtual ~Can() = default;
  // listen_only: no acknowledgement, no frame of ours on the bus.
  virtual bool Open(uint32_t bit_rate, bool listen_only) = 0;
  virtual bool Next(can::Frame* out) = 0;
  virtual uint32_t dropped() const = 0;
};

}  // namespace vesta::node
