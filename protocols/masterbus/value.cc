#include "protocols/masterbus/value.h"

#include <cmath>

#include "model/calendar.h"

namespace vesta::masterbus {
namespace {

constexpr uint32_t kPerYear = 416;  // 13 * 32
constexpr uint32_t kPerMonth = 32;
constexpr float kLargestWhole = 4294967040.0f;  // the largest single that 32 bits hold
constexpr uint32_t kSecondsPerDay = 86400;

// The nearest whole number; nullopt: not available, negative, or too big to be one.
std::optional<uint32_t> ReadWhole(float real) {
  if (!IsAvailable(real) || real < -0.5f || real > kLargestWhole) return std::nullopt;
  return static_cast<uint32_t>(std::llround(real));
}

}  // namespace

bool IsAvailable(float real) { return std::isfinite(real); }

std::optional<Date> ReadDate(float real) {
  const std::optional<uint32_t> whole = ReadWhole(real);
  if (!whole) return std::nullopt;
  const uint32_t day = *whole % kPerMonth;
  const uint32_t month = *whole / kPerMonth % (kPerYear / kPerMonth);
  const uint32_t year = *whole / kPerYear;
  if (month == 0 || day == 0 || year > 9999 || day > DaysInMonth(static_cast<int32_t>(year), month)) {
    return std::nullopt;
  }
  return Date{static_cast<uint16_t>(year), static_cast<uint8_t>(month), static_cast<uint8_t>(day)};
}

float WriteDate(const Date& date) {
  return static_cast<float>(date.year * kPerYear + date.month * kPerMonth + date.day);
}

std::optional<Duration> ReadDuration(float real) {
  const std::optional<uint32_t> whole = ReadWhole(real);
  if (!whole) return std::nullopt;
  Duration duration;
  duration.days = *whole / kSecondsPerDay;
  const uint32_t rest = *whole % kSecondsPerDay;
  duration.hour = static_cast<uint8_t>(rest / 3600);
  duration.minute = static_cast<uint8_t>(rest / 60 % 60);
  duration.second = static_cast<uint8_t>(rest % 60);
  return duration;
}

std::optional<uint16_t> ReadOption(float real) {
  const std::optional<uint32_t> whole = ReadWhole(real);
  if (!whole || *whole > 0xFFFF) return std::nullopt;
  return static_cast<uint16_t>(*whole);
}

size_t ToUtf8(std::string_view latin1, char* out) {
  const auto is_blank = [](char c) { return static_cast<uint8_t>(c) <= ' ' || c == 0x7F; };
  while (!latin1.empty() && is_blank(latin1.front())) latin1.remove_prefix(1);
  while (!latin1.empty() && is_blank(latin1.back())) latin1.remove_suffix(1);
  char* at = out;
  for (const char c : latin1) {
    const auto byte = static_cast<uint8_t>(c);
    if (is_blank(c) || (byte >= 0x80 && byte < 0xA0)) {
      *at++ = ' ';
    } else if (byte < 0x80) {
      *at++ = c;
    } else {
      *at++ = static_cast<char>(0xC0 | byte >> 6);
      *at++ = static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return static_cast<size_t>(at - out);
}

}  // namespace vesta::masterbus
