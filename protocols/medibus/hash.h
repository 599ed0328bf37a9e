// FNV-1a, 64 bits: to tell contents apart, never to prove anything.
#pragma once

#include <cstdint>
#include <string_view>

namespace vesta::medibus {

class Fnv {
 public:
  Fnv& Add(uint8_t byte) {
    hash_ = (hash_ ^ byte) * 0x100000001B3u;
    return *this;
  }
  Fnv& Add(std::string_view text) {
    for (const char c : text) Add(static_cast<uint8_t>(c));
    return *this;
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xCBF29CE484222325u;
};

// Never 0, so that 0 can stand for "nothing yet".
inline uint64_t HashOfText(std::string_view text) { return Fnv().Add(text).value() | 1; }

}  // namespace vesta::medibus
