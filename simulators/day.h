// What a day is for everything that swings with it.
#pragma once

#include <cstdint>

namespace vesta::simulators {

inline constexpr int64_t kSecondsPerDay = 86400;
inline constexpr double kPi = 3.14159265358979323846;

}  // namespace vesta::simulators
