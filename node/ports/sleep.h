// Deep sleep, restart, and the memory that outlives both (RTC memory; a board without enough of it keeps it in a file
// that is written when it goes to sleep).
#pragma once

#include <cstdint>
#include <span>

namespace vesta::node {

class Sleep {
 public:
  virtual ~Sleep() = default;
  // The same bytes each time. At least kMinSleepMemory (node/retained.h).
  virtual std::span<uint8_t> memory() = 0;
  // Whether memory() and the clock are those of before: true after deep sleep and after a restart without loss of
  // power.
  virtual bool is_kept() const = 0;
  // Whether the processor can sleep deeply and wake by its timer.
  virtual bool can_sleep() const = 0;
  // Both may return: the program then ends its loop and the node begins again from its constructor.
  virtual void SleepUntil(int64_t at_us) = 0;
  virtual void Restart() = 0;
};

}  // namespace vesta::node
