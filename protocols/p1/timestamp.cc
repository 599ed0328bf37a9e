#include "protocols/p1/timestamp.h"

#include <cstdlib>

#include "protocols/p1/text.h"

namespace vesta::p1 {
namespace {

constexpr size_t kStampDigits = 12;
constexpr size_t kMinDigitsWithLetter = 10;  // mangled stamps keep their shape: 17 digits and a letter were seen
constexpr size_t kCosemDigits = 24;
constexpr int64_t kUsPerMinute = 60 * kUsPerSecond;
constexpr uint32_t kDeviationUnknown = 0x8000;

constexpr uint32_t TwoDigits(const char* p) {
  return static_cast<uint32_t>(p[0] - '0') * 10 + static_cast<uint32_t>(p[1] - '0');
}

size_t LeadingDigits(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  return n;
}

bool IsPossible(uint32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute, uint32_t second) {
  return month >= 1 && month <= 12 && day >= 1 && day <= DaysInMonth(static_cast<int32_t>(year), month) && hour <= 23 &&
         minute <= 59 && second <= 59;
}

CivilTime MakeCivil(uint32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute, uint32_t second) {
  CivilTime c;
  c.year = static_cast<int32_t>(year);
  c.month = static_cast<uint8_t>(month);
  c.day = static_cast<uint8_t>(day);
  c.hour = static_cast<uint8_t>(hour);
  c.minute = static_cast<uint8_t>(minute);
  c.second = static_cast<uint8_t>(second);
  return c;
}

void FromCalendar(const Zone& zone, const CivilTime& local, Stamp* stamp) {
  const LocalToUtcResult r = LocalToUtc(zone, local);
  stamp->utc_us = r.utc_us;
  stamp->utc_alternative_us = r.utc_alternative_us;
  if (r.local_case == LocalTimeCase::kUnique) {
    stamp->status = StampStatus::kOk;
  } else if (r.local_case == LocalTimeCase::kNonexistent) {
    stamp->status = StampStatus::kNonexistent;
  } else if (stamp->letter == 0) {
    stamp->status = StampStatus::kAmbiguous;
  } else {
    stamp->status = StampStatus::kOk;
    if (stamp->letter == 'W') stamp->utc_us = r.utc_alternative_us;
  }
}

}  // namespace

bool LooksLikeStamp(std::string_view text) {
  const size_t digits = LeadingDigits(text);
  return digits >= kMinDigitsWithLetter && digits + 1 == text.size() && IsLetter(text[digits]);
}

bool LooksLikeStampWithoutLetter(std::string_view text) {
  return text.size() == kStampDigits && LeadingDigits(text) == kStampDigits;
}

Stamp ParseStamp(std::string_view text, const Zone& zone, SummerTimeRule rule) {
  Stamp stamp;
  if (text.size() < kStampDigits || text.size() > kStampDigits + 1) return stamp;
  if (LeadingDigits(text.substr(0, kStampDigits)) != kStampDigits) return stamp;
  if (text.size() > kStampDigits) {
    const char c = text[kStampDigits];
    stamp.lower_case = c == 's' || c == 'w';
    stamp.letter = c == 'S' || c == 's' ? 'S' : c == 'W' || c == 'w' ? 'W' : '\0';
    if (stamp.letter == 0) return stamp;
  }
  stamp.well_formed = true;
  const char* p = text.data();
  const uint32_t year = 2000 + TwoDigits(p);
  const uint32_t month = TwoDigits(p + 2);
  const uint32_t day = TwoDigits(p + 4);
  const uint32_t hour = TwoDigits(p + 6);
  const uint32_t minute = TwoDigits(p + 8);
  const uint32_t second = TwoDigits(p + 10);
  const bool first_of_january = month == 1 && day == 1;
  if (month == 0 || day == 0 || (first_of_january && (year == 2000 || year == 2070))) {
    stamp.status = StampStatus::kPlaceholder;
    return stamp;
  }
  if (!IsPossible(year, month, day, hour, minute, second)) return stamp;
  const CivilTime local = MakeCivil(year, month, day, hour, minute, second);
  if (stamp.letter == 0 || rule == SummerTimeRule::kCalendar) {
    FromCalendar(zone, local, &stamp);
    return stamp;
  }
  const int64_t offset_min = zone.standard_offset_min + (stamp.letter == 'S' ? 60 : 0);
  stamp.status = StampStatus::kOk;
  stamp.utc_us = CivilToUs(local) - offset_min * kUsPerMinute;
  stamp.utc_alternative_us = stamp.utc_us;
  return stamp;
}

bool LooksLikeCosemTime(std::string_view text) { return text.size() == kCosemDigits && IsHex(text); }

Stamp ParseCosemTime(std::string_view text, const Zone& zone) {
  Stamp stamp;
  if (!LooksLikeCosemTime(text)) return stamp;
  uint8_t b[kCosemDigits / 2];
  for (size_t i = 0; i < sizeof(b); ++i) b[i] = HexByte(text.data() + 2 * i);
  stamp.well_formed = true;
  const uint32_t year = static_cast<uint32_t>(b[0] << 8 | b[1]);
  const uint32_t deviation = static_cast<uint32_t>(b[9] << 8 | b[10]);
  if (year < 2000 || year > 2099 || !IsPossible(year, b[2], b[3], b[5], b[6], b[7])) return stamp;
  if (year == 2000 && b[2] == 1 && b[3] == 1) {
    stamp.status = StampStatus::kPlaceholder;
    return stamp;
  }
  const CivilTime local = MakeCivil(year, b[2], b[3], b[5], b[6], b[7]);
  if (deviation == kDeviationUnknown) {
    FromCalendar(zone, local, &stamp);
    return stamp;
  }
  stamp.letter = (b[11] & 0x80) != 0 ? 'S' : 'W';
  stamp.status = StampStatus::kOk;
  // COSEM counts UTC minus local time, the meters seen print local minus UTC; no zone here lies west of UTC.
  stamp.utc_us = CivilToUs(local) - std::abs(static_cast<int16_t>(deviation)) * kUsPerMinute;
  stamp.utc_alternative_us = stamp.utc_us;
  return stamp;
}

}  // namespace vesta::p1
