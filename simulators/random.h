// Random numbers that depend on nothing but their arguments: the same seed and place give the same number on every
// machine and in any order of asking, so that a simulated day can be entered at any second.
#pragma once

#include <cstdint>

namespace vesta::simulators {

// The finalizer of SplitMix64: every bit of the argument reaches every bit of the result.
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

constexpr uint64_t Mix(uint64_t seed, uint64_t what, uint64_t index) { return Mix(Mix(seed ^ Mix(what)) ^ index); }

// 0 <= x < 1.
constexpr double Unit(uint64_t seed, uint64_t what, uint64_t index) {
  return static_cast<double>(Mix(seed, what, index) >> 11) * 0x1.0p-53;
}

constexpr double Between(double low, double high, double unit) { return low + (high - low) * unit; }

// A smooth curve through random points that stand `step` apart: 0 <= y < 1.
constexpr double SmoothNoise(uint64_t seed, uint64_t what, int64_t at, int64_t step) {
  const int64_t left = at >= 0 ? at / step : -((-at + step - 1) / step);
  const double part = static_cast<double>(at - left * step) / static_cast<double>(step);
  const double eased = part * part * (3 - 2 * part);
  return Between(Unit(seed, what, static_cast<uint64_t>(left)), Unit(seed, what, static_cast<uint64_t>(left + 1)),
                 eased);
}

}  // namespace vesta::simulators
