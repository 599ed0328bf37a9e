// A display of 128 x 64 dots, one bit a dot, as the common controllers want it: eight rows of 128 bytes, each byte
// eight dots of a column, the lowest bit on top.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vesta::node {

inline constexpr int kDisplayWidth = 128;
inline constexpr int kDisplayHeight = 64;
using DisplayDots = std::array<uint8_t, kDisplayWidth * kDisplayHeight / 8>;

class Display {
 public:
  virtual ~Display() = default;
  virtual bool Show(const DisplayDots& dots) = 0;  // false: it does not answer
};

}  // namespace vesta::node
