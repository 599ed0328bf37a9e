// What an item's number means: dates, durations, options, and the texts of the bus in UTF-8.
//
// On the wire a value is an IEEE-754 single, whatever the item is; not-a-number and the infinities mean that there is
// none. Facts: the reference of MasterBus, section 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vesta::masterbus {

enum class Presentation : uint8_t {
  kUnknown = 0,
  kNumber = 1,
  kDropDown = 3,
  kEventable = 4,
  kCheckBox = 5,
  kText = 6,
  kDuration = 7,
  kDate = 8,
  kDeviceList = 9,
  kEventCommand = 10,
};

bool IsAvailable(float real);

struct Date {
  uint16_t year = 0;
  uint8_t month = 0;
  uint8_t day = 0;
};
// T = year * 416 + month * 32 + day. nullopt: not available, or no day of the calendar.
std::optional<Date> ReadDate(float real);
float WriteDate(const Date& date);

struct Duration {
  uint32_t days = 0;
  uint8_t hour = 0;
  uint8_t minute = 0;
  uint8_t second = 0;
};
// Seconds; a clock is the same within one day. nullopt: not available or negative.
std::optional<Duration> ReadDuration(float real);

// The nearest whole number from 0 to 65535; nullopt for anything else.
std::optional<uint16_t> ReadOption(float real);

// Latin-1 to UTF-8; control characters become blanks, blanks at both ends go. `out` holds 2 * text.size() bytes.
size_t ToUtf8(std::string_view latin1, char* out);

}  // namespace vesta::masterbus
