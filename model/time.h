// Time as Vesta keeps it.
//
// Instants are int64 microseconds since 1970-01-01T00:00:00Z without leap seconds ("UTC us"). Portable code never
// reads a clock: the caller passes a Now. Timers use its monotonic part only, stamps its UTC part only.
#pragma once

#include <cstdint>

namespace vesta {

using UtcUs = int64_t;

inline constexpr int64_t kUsPerMs = 1000;
inline constexpr int64_t kUsPerSecond = 1000000;

// No instant known: a stamp that was missing, a placeholder or impossible.
inline constexpr UtcUs kNoTime = INT64_MIN;

// Whether the hub's UTC clock can be trusted (set by NTP or by a battery clock) or may still be at its boot value.
enum class ClockQuality : uint8_t { kNotSynchronised = 0, kSynchronised = 1 };

// The moment at which bytes arrived or a timer ran.
struct Now {
  int64_t monotonic_us = 0;  // never steps; its zero means nothing
  UtcUs utc_us = 0;
  ClockQuality clock = ClockQuality::kNotSynchronised;
};

// Where the time of a reading comes from.
enum class TimeQuality : uint8_t {
  kDeviceClock = 0,         // the device's own stamp
  kHubSynchronised = 1,     // time of arrival, hub clock synchronised
  kHubNotSynchronised = 2,  // time of arrival, hub clock not synchronised
  kBackDated = 3,           // worked out afterwards, for instance from an uptime
};

struct StampedTime {
  UtcUs time_us;
  TimeQuality quality;
};

// A device stamp further than this from a synchronised hub clock is not believed for live values.
inline constexpr int64_t kMaxDeviceClockError_us = 60 * kUsPerSecond;

// The time that a live reading bears: the device's own stamp when it lies within 60 s of a synchronised hub clock or
// when the hub clock is not synchronised; else the time of arrival, and the quality says so. Readings that a device
// kept for a while (M-Bus sub-meters, logs) do not pass here: they keep their own stamp.
constexpr StampedTime ChooseTime(UtcUs device_us, const Now& now) {
  const bool synchronised = now.clock == ClockQuality::kSynchronised;
  if (device_us != kNoTime) {
    const int64_t error_us = device_us > now.utc_us ? device_us - now.utc_us : now.utc_us - device_us;
    if (!synchronised || error_us <= kMaxDeviceClockError_us) return {device_us, TimeQuality::kDeviceClock};
  }
  return {now.utc_us, synchronised ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised};
}

}  // namespace vesta
