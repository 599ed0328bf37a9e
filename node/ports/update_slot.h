// A place for something big that is replaced as a whole: the firmware, the configuration. What is written stays beside
// what is active until Activate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::node {

class UpdateSlot {
 public:
  virtual ~UpdateSlot() = default;
  // Of what comes next; for a board whose images do not say it themselves.
  virtual void SetVersion(uint32_t /*version*/) {}
  virtual bool Begin(uint32_t size) = 0;  // false: no room
  virtual bool Write(uint32_t offset, std::span<const uint8_t> bytes) = 0;
  virtual bool Read(uint32_t offset, std::span<uint8_t> out) = 0;  // of what was written
  // The new one holds from now on (configuration) or from the next start on (firmware, on trial until Confirm).
  virtual bool Activate() = 0;
  virtual void Confirm() = 0;

  // The active one; configuration only. Returns how many bytes were read, fewer at the end.
  virtual size_t ReadActive(uint32_t offset, std::span<uint8_t> out) = 0;
};

}  // namespace vesta::node
