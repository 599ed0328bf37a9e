#include "model/calendar.h"

namespace vesta {
namespace {

constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kUsPerDay = kSecondsPerDay * kUsPerSecond;
constexpr int64_t kUsPerHour = 3600 * kUsPerSecond;

struct NamedZone {
  std::string_view name;
  Zone zone;
};

// Standard offsets in minutes; all of these follow the European summer-time rule but the last ones.
constexpr NamedZone kZones[] = {
    {"Europe/Amsterdam", {60, true}},
    {"Europe/Brussels", {60, true}},
    {"Europe/Luxembourg", {60, true}},
    {"Europe/Stockholm", {60, true}},
    {"Europe/Zurich", {60, true}},
    {"Europe/Vienna", {60, true}},
    {"Europe/Budapest", {60, true}},
    {"Europe/Ljubljana", {60, true}},
    {"Europe/Berlin", {60, true}},
    {"Europe/Paris", {60, true}},
    {"Europe/Madrid", {60, true}},
    {"Europe/Rome", {60, true}},
    {"Europe/Warsaw", {60, true}},
    {"Europe/Prague", {60, true}},
    {"Europe/Copenhagen", {60, true}},
    {"Europe/Oslo", {60, true}},
    {"Europe/Zagreb", {60, true}},
    {"Europe/Bratislava", {60, true}},
    {"Europe/Helsinki", {120, true}},
    {"Europe/Vilnius", {120, true}},
    {"Europe/Riga", {120, true}},
    {"Europe/Tallinn", {120, true}},
    {"Europe/Athens", {120, true}},
    {"Europe/Bucharest", {120, true}},
    {"Europe/Sofia", {120, true}},
    {"Europe/Dublin", {0, true}},
    {"Europe/Lisbon", {0, true}},
    {"Europe/London", {0, true}},
    {"UTC", {0, false}},
    {"Etc/UTC", {0, false}},
};

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0); }

// 01:00 UTC on the last Sunday of the month.
UtcUs SummerTimeChange(int32_t year, uint32_t month) {
  const int64_t last_day = DaysFromCivil(year, month, DaysInMonth(year, month));
  const int64_t weekday = ((last_day % 7) + 7 + 4) % 7;  // 1970-01-01 was a Thursday; 0 = Sunday
  return (last_day - weekday) * kUsPerDay + kUsPerHour;
}

char* PutDigits(char* p, uint32_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    p[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return p + width;
}

// Reads exactly `width` digits at *p; -1 when they are not there.
int32_t TakeDigits(std::string_view* text, size_t width) {
  if (text->size() < width) return -1;
  int32_t v = 0;
  for (size_t i = 0; i < width; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return -1;
    v = v * 10 + (c - '0');
  }
  text->remove_prefix(width);
  return v;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

int64_t DaysFromCivil(int32_t year, uint32_t month, uint32_t day) {
  // Counts from 1 March so that the leap day ends the year.
  const int64_t y = month <= 2 ? static_cast<int64_t>(year) - 1 : year;
  const int64_t m = month <= 2 ? month + 9 : month - 3;
  const int64_t era = FloorDiv(y, 400);
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

uint32_t DaysInMonth(int32_t year, uint32_t month) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

UtcUs CivilToUs(const CivilTime& c) {
  const int64_t seconds =
      DaysFromCivil(c.year, c.month, c.day) * kSecondsPerDay + c.hour * 3600 + c.minute * 60 + c.second;
  return seconds * kUsPerSecond;
}

CivilTime CivilFromUs(UtcUs us) {
  const int64_t days = FloorDiv(us, kUsPerDay);
  const int64_t second_of_day = (us - days * kUsPerDay) / kUsPerSecond;
  const int64_t shifted = days + 719468;
  const int64_t era = FloorDiv(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t m = (5 * day_of_year + 2) / 153;
  CivilTime c;
  c.day = static_cast<uint8_t>(day_of_year - (153 * m + 2) / 5 + 1);
  c.month = static_cast<uint8_t>(m < 10 ? m + 3 : m - 9);
  c.year = static_cast<int32_t>(year_of_era + era * 400 + (c.month <= 2 ? 1 : 0));
  c.hour = static_cast<uint8_t>(second_of_day / 3600);
  c.minute = static_cast<uint8_t>(second_of_day / 60 % 60);
  c.second = static_cast<uint8_t>(second_of_day % 60);
  return c;
}

bool FindZone(std::string_view iana_name, Zone* out) {
  for (const NamedZone& z : kZones) {
    if (z.name == iana_name) {
      *out = z.zone;
      return true;
    }
  }
  return false;
}

bool IsSummerTime(const Zone& zone, UtcUs utc_us) {
  if (!zone.summer_time) return false;
  const int32_t year = CivilFromUs(utc_us).year;
  return utc_us >= SummerTimeChange(year, 3) && utc_us < SummerTimeChange(year, 10);
}

LocalToUtcResult LocalToUtc(const Zone& zone, const CivilTime& local) {
  const int64_t local_us = CivilToUs(local);
  const int64_t standard_us = zone.standard_offset_min * 60 * kUsPerSecond;
  const UtcUs as_standard = local_us - standard_us;
  const UtcUs as_summer = as_standard - kUsPerHour;
  if (!zone.summer_time) return {as_standard, as_standard, LocalTimeCase::kUnique};
  const bool standard_fits = !IsSummerTime(zone, as_standard);
  const bool summer_fits = IsSummerTime(zone, as_summer);
  if (standard_fits && summer_fits) return {as_summer, as_standard, LocalTimeCase::kAmbiguous};
  if (!standard_fits && !summer_fits) return {as_standard, as_summer, LocalTimeCase::kNonexistent};
  const UtcUs utc = standard_fits ? as_standard : as_summer;
  return {utc, utc, LocalTimeCase::kUnique};
}

size_t FormatIso8601(UtcUs us, char* out) {
  const CivilTime c = CivilFromUs(us);
  const auto fraction = static_cast<uint32_t>(us - FloorDiv(us, kUsPerSecond) * kUsPerSecond);
  char* p = PutDigits(out, static_cast<uint32_t>(c.year < 0 ? 0 : c.year), c.year > 9999 ? 6 : 4);
  *p++ = '-';
  p = PutDigits(p, c.month, 2);
  *p++ = '-';
  p = PutDigits(p, c.day, 2);
  *p++ = 'T';
  p = PutDigits(p, c.hour, 2);
  *p++ = ':';
  p = PutDigits(p, c.minute, 2);
  *p++ = ':';
  p = PutDigits(p, c.second, 2);
  if (fraction != 0) {
    *p++ = '.';
    p = fraction % 1000 == 0 ? PutDigits(p, fraction / 1000, 3) : PutDigits(p, fraction, 6);
  }
  *p++ = 'Z';
  return static_cast<size_t>(p - out);
}

bool ParseIso8601(std::string_view text, UtcUs* out) {
  const int32_t year = TakeDigits(&text, 4);
  if (year < 0 || !TakeChar(&text, '-')) return false;
  const int32_t month = TakeDigits(&text, 2);
  if (month < 1 || month > 12 || !TakeChar(&text, '-')) return false;
  const int32_t day = TakeDigits(&text, 2);
  if (day < 1 || static_cast<uint32_t>(day) > DaysInMonth(year, static_cast<uint32_t>(month))) return false;
  if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return false;
  const int32_t hour = TakeDigits(&text, 2);
  if (hour < 0 || hour > 23 || !TakeChar(&text, ':')) return false;
  const int32_t minute = TakeDigits(&text, 2);
  if (minute < 0 || minute > 59 || !TakeChar(&text, ':')) return false;
  const int32_t second = TakeDigits(&text, 2);
  if (second < 0 || second > 59) return false;
  int64_t fraction_us = 0;
  if (TakeChar(&text, '.')) {
    int64_t weight = 100000;
    size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction_us += (text.front() - '0') * weight;
      weight /= 10;
      text.remove_prefix(1);
      ++digits;
    }
    if (digits == 0) return false;
  }
  int64_t offset_us = 0;
  if (!TakeChar(&text, 'Z')) {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
    const int64_t sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const int32_t offset_hours = TakeDigits(&text, 2);
    if (offset_hours < 0 || offset_hours > 23) return false;
    TakeChar(&text, ':');
    const int32_t offset_minutes = TakeDigits(&text, 2);
    if (offset_minutes < 0 || offset_minutes > 59) return false;
    offset_us = sign * (offset_hours * 60 + offset_minutes) * 60 * kUsPerSecond;
  }
  if (!text.empty()) return false;
  CivilTime c;
  c.year = year;
  c.month = static_cast<uint8_t>(month);
  c.day = static_cast<uint8_t>(day);
  c.hour = static_cast<uint8_t>(hour);
  c.minute = static_cast<uint8_t>(minute);
  c.second = static_cast<uint8_t>(second);
  *out = CivilToUs(c) + fraction_us - offset_us;
  return true;
}

}  // namespace vesta
