#include "protocols/medibus/legacy_mqtt.h"

#include "model/hex_digit.h"

namespace vesta::medibus {
namespace {

// Reads digits up to `separator` (0: the end).
bool TakeNumber(std::string_view* text, char separator, uint32_t max, uint32_t* out) {
  uint32_t number = 0;
  size_t n = 0;
  while (n < text->size() && n < 4 && (*text)[n] >= '0' && (*text)[n] <= '9') {
    number = number * 10 + static_cast<uint32_t>((*text)[n++] - '0');
  }
  if (n == 0 || number > max) return false;
  text->remove_prefix(n);
  *out = number;
  if (separator == 0) return text->empty();
  if (text->empty() || text->front() != separator) return false;
  text->remove_prefix(1);
  return true;
}

bool ReadTime(std::string_view text, CivilTime* out) {
  uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!TakeNumber(&text, '/', 9999, &year) || !TakeNumber(&text, '/', 12, &month) ||
      !TakeNumber(&text, ' ', 31, &day) || !TakeNumber(&text, ':', 23, &hour) || !TakeNumber(&text, ':', 59, &minute) ||
      !TakeNumber(&text, 0, 59, &second)) {
    return false;
  }
  if (month == 0 || day == 0 || day > DaysInMonth(static_cast<int32_t>(year), month)) return false;
  *out = {static_cast<int32_t>(year), static_cast<uint8_t>(month),  static_cast<uint8_t>(day),
          static_cast<uint8_t>(hour), static_cast<uint8_t>(minute), static_cast<uint8_t>(second)};
  return true;
}

// b'...' or b"...": the text form of a bytes object.
bool StripBytesForm(std::string_view* text) {
  if (text->size() < 3 || (*text)[0] != 'b') return false;
  const char quote = (*text)[1];
  if ((quote != '\'' && quote != '"') || text->back() != quote) return false;
  *text = text->substr(2, text->size() - 3);
  return true;
}

class FrameWriter {
 public:
  explicit FrameWriter(LegacyMessage* out) : out_(out) { out_->frame_size = 0; }
  bool Add(uint8_t byte) {
    if (out_->frame_size == out_->frame.size()) return false;
    out_->frame[out_->frame_size++] = byte;
    return true;
  }

 private:
  LegacyMessage* out_;
};

// One byte of the text form; advances `at`. -1: no such escape.
int Unescape(std::string_view text, size_t* at) {
  const char c = text[(*at)++];
  if (c != '\\') return static_cast<uint8_t>(c);
  if (*at == text.size()) return -1;
  switch (text[(*at)++]) {
    case 'x': {
      if (*at + 2 > text.size()) return -1;
      const int high = HexDigitValue(text[*at]);
      const int low = HexDigitValue(text[*at + 1]);
      *at += 2;
      return high < 0 || low < 0 ? -1 : high << 4 | low;
    }
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '\\':
      return '\\';
    case '\'':
      return '\'';
    case '"':
      return '"';
    default:
      return -1;
  }
}

}  // namespace

bool ReadLegacyMessage(std::string_view payload, LegacyMessage* out) {
  const bool escaped = StripBytesForm(&payload);
  const size_t first = payload.find('|');
  const size_t second = first == std::string_view::npos ? first : payload.find('|', first + 1);
  if (second == std::string_view::npos || first == 0 || first > kMaxNodeId) return false;
  out->node_id = payload.substr(0, first);
  for (const char c : out->node_id) {
    if (HexDigitValue(c) < 0) return false;
  }
  out->time_text = payload.substr(first + 1, second - first - 1);
  out->has_time = ReadTime(out->time_text, &out->local);

  const std::string_view frame = payload.substr(second + 1);
  FrameWriter writer(out);
  writer.Add(kSoh);
  for (size_t at = 0; at < frame.size();) {
    const int byte = escaped ? Unescape(frame, &at) : static_cast<uint8_t>(frame[at++]);
    if (byte < 0 || !writer.Add(static_cast<uint8_t>(byte))) return false;
  }
  return writer.Add(kCr);
}

UtcUs LegacyTime(const LegacyMessage& message, int32_t utc_offset_min) {
  if (!message.has_time) return kNoTime;
  return CivilToUs(message.local) - utc_offset_min * int64_t{60} * kUsPerSecond;
}

}  // namespace vesta::medibus
