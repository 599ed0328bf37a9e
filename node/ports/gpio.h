// Pins: levels out, levels in, and edges with their time, kept by an interrupt until they are taken.
#pragma once

#include <cstdint>

namespace vesta::node {

struct Edge {
  int64_t at_us = 0;
  bool level = false;  // behind the edge
};

class Gpio {
 public:
  enum class Mode : uint8_t { kInput, kInputPullUp, kOutput };

  virtual ~Gpio() = default;
  virtual bool Configure(int pin, Mode mode) = 0;  // false: no such pin
  virtual void Write(int pin, bool level) = 0;
  virtual bool Read(int pin) = 0;

  // From now on edges of this pin are kept, at least 64 of them.
  virtual bool Watch(int pin) = 0;
  virtual bool NextEdge(int pin, Edge* out) = 0;
  virtual uint32_t LostEdges(int pin) = 0;
  // Falling edges that a low-power counter of the chip saw since the last sleep began; 0 where there is none.
  virtual uint32_t EdgesDuringSleep(int pin) = 0;
};

}  // namespace vesta::node
