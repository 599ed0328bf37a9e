// Time stamps as P1 meters print them, and what can be made of them.
//
// "YYMMDDhhmmss" with S (summer time), W (standard time) or no letter, and the COSEM date-time in hex of MCS business
// meters. Stamps that mean "never set" or that no clock can show give no time, never an error. Facts: reference of the
// P1 port, time section.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/calendar.h"
#include "model/time.h"

namespace vesta::p1 {

enum class StampStatus : uint8_t {
  kOk = 0,
  kPlaceholder = 1,  // all zero, month or day 00, 1 January 2000 or 1970: the clock was never set
  kInvalid = 2,      // a field that no calendar has
  kAmbiguous = 3,    // no letter, in the hour that summer time repeats
  kNonexistent = 4,  // no letter, in the hour that summer time skips
};

// Whether the letter or the calendar of the zone says if summer time holds. The letter resolves the repeated hour in
// either case. Sweden prints W all year.
enum class SummerTimeRule : uint8_t { kLetter = 0, kCalendar = 1 };

struct Stamp {
  StampStatus status = StampStatus::kInvalid;
  bool well_formed = false;  // twelve digits and at most a letter S or W
  char letter = 0;           // 'S', 'W' or 0
  bool lower_case = false;
  UtcUs utc_us = kNoTime;              // kNoTime for placeholders and impossible stamps
  UtcUs utc_alternative_us = kNoTime;  // the other reading of an ambiguous or nonexistent time

  bool has_time() const { return utc_us != kNoTime; }
};

// True when the text has the shape of a stamp with a letter at its end, whatever the letter.
bool LooksLikeStamp(std::string_view text);

// True for twelve digits and nothing else: a stamp only where one is due.
bool LooksLikeStampWithoutLetter(std::string_view text);

Stamp ParseStamp(std::string_view text, const Zone& zone, SummerTimeRule rule);

// 24 hex digits, COSEM date-time.
bool LooksLikeCosemTime(std::string_view text);
Stamp ParseCosemTime(std::string_view text, const Zone& zone);

}  // namespace vesta::p1
