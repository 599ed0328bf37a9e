// An I2C bus with this node as its only master. Addresses have 7 bits. False: not acknowledged.
#pragma once

#include <cstdint>
#include <span>

namespace vesta::node {

class I2c {
 public:
  virtual ~I2c() = default;
  virtual bool Write(uint8_t address, std::span<const uint8_t> bytes) = 0;
  virtual bool Read(uint8_t address, std::span<uint8_t> out) = 0;
};

}  // namespace vesta::node
