// Where the link takes its randomness from: the operating system or the chip's generator, or a seeded one in a test.
#pragma once

#include <cstdint>
#include <span>

namespace vesta::link {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<uint8_t> out) = 0;  // unpredictable bytes
};

}  // namespace vesta::link
