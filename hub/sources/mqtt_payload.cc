#include "hub/sources/mqtt_payload.h"

#include <algorithm>
#include <cctype>

#include "model/calendar.h"

namespace vesta::hub {
namespace {

constexpr char kSoh = 0x01;
constexpr char kCr = 0x0D;
constexpr size_t kMaxIdSize = 64;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// 1 to `digits` digits at the front, then `end` (0: the end of the text).
bool TakeNumber(std::string_view* text, size_t digits, char end, uint32_t* out) {
  uint32_t value = 0;
  size_t count = 0;
  while (count < text->size() && count < digits && std::isdigit(static_cast<unsigned char>((*text)[count])) != 0) {
    value = value * 10 + static_cast<uint32_t>((*text)[count++] - '0');
  }
  if (count == 0) return false;
  text->remove_prefix(count);
  if (end == 0) {
    if (!text->empty()) return false;
  } else {
    if (text->empty() || text->front() != end) return false;
    text->remove_prefix(1);
  }
  *out = value;
  return true;
}

UtcUs ReadStamp(std::string_view text, int offset_min) {
  uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!TakeNumber(&text, 4, '/', &year) || !TakeNumber(&text, 2, '/', &month) || !TakeNumber(&text, 2, ' ', &day)) {
    return kNoTime;
  }
  text = Trim(text);
  if (!TakeNumber(&text, 2, ':', &hour) || !TakeNumber(&text, 2, ':', &minute) || !TakeNumber(&text, 2, 0, &second)) {
    return kNoTime;
  }
  const bool real = year >= 2000 && month >= 1 && month <= 12 && day >= 1 &&
                    day <= DaysInMonth(static_cast<int32_t>(year), month) && hour < 24 && minute < 60 && second < 60;
  if (!real) return kNoTime;
  const CivilTime civil{static_cast<int32_t>(year),  static_cast<uint8_t>(month),  static_cast<uint8_t>(day),
                        static_cast<uint8_t>(hour),  static_cast<uint8_t>(minute), static_cast<uint8_t>(second)};
  return CivilToUs(civil) - offset_min * 60 * kUsPerSecond;
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdSize && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == ':';
  });
}

}  // namespace

std::optional<LegacyMessage> ReadLegacyMessage(std::string_view payload, int offset_min) {
  if (payload.size() > kMaxLegacyPayload) return std::nullopt;
  const bool quoted = payload.size() >= 3 && payload[0] == 'b' && (payload[1] == '\'' || payload[1] == '"') &&
                      payload.back() == payload[1];
  if (quoted) payload = payload.substr(2, payload.size() - 3);
  const size_t first = payload.find('|');
  const size_t second = first == std::string_view::npos ? first : payload.find('|', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view id = Trim(payload.substr(0, first));
  std::string_view frame = payload.substr(second + 1);
  if (!IsId(id)) return std::nullopt;
  // Blanks belong to a frame's fields, but a frame never begins with one: its code comes first, its checksum last.
  frame = Trim(frame);
  if (frame.empty()) return std::nullopt;
  LegacyMessage message;
  message.sender = id;
  message.stamp_us = ReadStamp(Trim(payload.substr(first + 1, second - first - 1)), offset_min);
  if (frame.front() != kSoh) message.frame += kSoh;
  message.frame += frame;
  if (message.frame.back() != kCr) message.frame += kCr;
  return message;
}

}  // namespace vesta::hub
