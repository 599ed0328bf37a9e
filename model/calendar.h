// Calendar arithmetic and the few time zones that meters stand in, without any operating system.
//
// The proleptic Gregorian calendar; days are counted from 1970-01-01. Zones are the European ones: a standard offset
// and the common summer-time rule (from 01:00 UTC on the last Sunday of March to 01:00 UTC on the last Sunday of
// October).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/time.h"

namespace vesta {

struct CivilTime {
  int32_t year = 1970;
  uint8_t month = 1;  // 1..12
  uint8_t day = 1;    // 1..31
  uint8_t hour = 0;
  uint8_t minute = 0;
  uint8_t second = 0;
};

int64_t DaysFromCivil(int32_t year, uint32_t month, uint32_t day);
uint32_t DaysInMonth(int32_t year, uint32_t month);

// As if the civil time were UTC.
UtcUs CivilToUs(const CivilTime& civil);
CivilTime CivilFromUs(UtcUs us);

struct Zone {
  int16_t standard_offset_min = 0;
  bool summer_time = false;  // the European rule
};

// By IANA name ("Europe/Amsterdam", "UTC", ...). False for a name that the table lacks.
bool FindZone(std::string_view iana_name, Zone* out);

bool IsSummerTime(const Zone& zone, UtcUs utc_us);
inline int64_t OffsetUs(const Zone& zone, UtcUs utc_us) {
  return (zone.standard_offset_min + (IsSummerTime(zone, utc_us) ? 60 : 0)) * 60 * kUsPerSecond;
}

enum class LocalTimeCase : uint8_t { kUnique, kAmbiguous, kNonexistent };

struct LocalToUtcResult {
  UtcUs utc_us;              // ambiguous: the first pass; nonexistent: by the offset before the change
  UtcUs utc_alternative_us;  // ambiguous: the second pass; nonexistent: by the offset after the change; else == utc_us
  LocalTimeCase local_case;
};
LocalToUtcResult LocalToUtc(const Zone& zone, const CivilTime& local);

// "2026-08-11T06:21:25Z", with ".123" when there are milliseconds and ".123456" when there are microseconds.
inline constexpr size_t kIso8601Size = 32;
size_t FormatIso8601(UtcUs us, char* out);

// Reads the above and any numeric offset ("2026-08-11T08:21:25+02:00"). False when it is no such time.
bool ParseIso8601(std::string_view text, UtcUs* out);

}  // namespace vesta
