// A 1-Wire bus, bit by bit: the driver keeps the time slots, everything above (search, checksums, commands) is
// portable.
#pragma once

#include <cstdint>

namespace vesta::node {

class OneWire {
 public:
  virtual ~OneWire() = default;
  // Each call names the pin of its bus. False: nobody answered the reset pulse.
  virtual bool Reset(int pin) = 0;
  virtual void WriteBit(int pin, bool bit) = 0;
  virtual bool ReadBit(int pin) = 0;
};

}  // namespace vesta::node
