// A serial line. The driver keeps what came (1 KB at least) and counts what it had to drop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vesta::node {

struct SerialMode {
  uint32_t baud = 115200;
  bool even_parity = false;  // 7 data bits as well when is_7_bit
  bool is_7_bit = false;
  bool is_inverted = false;
};

class Serial {
 public:
  virtual ~Serial() = default;
  virtual bool Open(const SerialMode& mode) = 0;
  virtual size_t Read(std::span<uint8_t> out) = 0;
  virtual size_t Write(std::span<const uint8_t> bytes) = 0;  // returns how many were taken
  virtual uint32_t dropped() const = 0;
};

}  // namespace vesta::node
