// Little-endian numbers in byte arrays, at fixed offsets: radio messages are read by offset, never through a struct of
// the host, whose layout is the compiler's. The caller has checked that the bytes are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vesta::wire {

inline uint16_t Get16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t Get32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 | static_cast<uint32_t>(p[2]) << 16 |
         static_cast<uint32_t>(p[3]) << 24;
}
inline uint64_t Get48(const uint8_t* p) { return Get32(p) | static_cast<uint64_t>(Get16(p + 4)) << 32; }
inline uint64_t Get64(const uint8_t* p) { return Get32(p) | static_cast<uint64_t>(Get32(p + 4)) << 32; }

inline void Put16(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v);
  p[1] = static_cast<uint8_t>(v >> 8);
}
inline void Put32(uint8_t* p, uint32_t v) {
  Put16(p, v & 0xFFFF);
  Put16(p + 2, v >> 16);
}
inline void Put48(uint8_t* p, uint64_t v) {
  Put32(p, static_cast<uint32_t>(v));
  Put16(p + 4, static_cast<uint32_t>(v >> 32) & 0xFFFF);
}
inline void Put64(uint8_t* p, uint64_t v) {
  Put32(p, static_cast<uint32_t>(v));
  Put32(p + 4, static_cast<uint32_t>(v >> 32));
}

inline float GetFloat(const uint8_t* p) {
  const uint32_t bits = Get32(p);
  float value;
  static_assert(sizeof(value) == sizeof(bits));
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline void PutFloat(uint8_t* p, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  Put32(p, bits);
}

}  // namespace vesta::wire
