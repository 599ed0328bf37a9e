#include "protocols/can_text.h"

#include <algorithm>

#include "model/hex_digit.h"

namespace vesta::can {
namespace {

constexpr size_t kMaxInterfaceName = 32;
constexpr UtcUs kLastTime_us = 253402300799 * kUsPerSecond;  // the end of the year 9999

bool ReadHex(std::string_view digits, uint32_t* out) {
  uint32_t value = 0;
  for (const char c : digits) {
    const int digit = HexDigitValue(c);
    if (digit < 0) return false;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  *out = value;
  return true;
}

bool ReadId(std::string_view digits, TextFrame* frame) {
  if ((digits.size() != 3 && digits.size() != 8) || !ReadHex(digits, &frame->id)) return false;
  if (digits.size() == 3) return frame->id <= kStandardIdMask;
  if (frame->id > (kExtendedIdMask | kErrorFlag)) return false;
  frame->is_error = (frame->id & kErrorFlag) != 0;
  frame->is_extended = !frame->is_error;
  frame->id &= kExtendedIdMask;
  return true;
}

// Byte pairs up to the end or to '_', one '.' allowed before each pair. False for anything else.
bool ReadData(std::string_view* text, size_t most, TextFrame* frame) {
  size_t size = 0;
  while (!text->empty() && text->front() != '_') {
    if (text->front() == '.') text->remove_prefix(1);
    uint32_t byte = 0;
    if (text->size() < 2 || size == most || !ReadHex(text->substr(0, 2), &byte)) return false;
    frame->data[size++] = static_cast<uint8_t>(byte);
    text->remove_prefix(2);
  }
  frame->size = static_cast<uint8_t>(size);
  return true;
}

// "_9" to "_F" behind eight bytes.
bool ReadRawLength(std::string_view text, TextFrame* frame) {
  if (text.empty()) return true;
  const int digit = text.size() == 2 && text[0] == '_' ? HexDigitValue(text[1]) : -1;
  if (digit <= static_cast<int>(kMaxFrameData) || frame->size != kMaxFrameData) return false;
  frame->len8_dlc = static_cast<uint8_t>(digit);
  return true;
}

bool ReadRemote(std::string_view text, TextFrame* frame) {
  if (frame->is_error) return false;
  frame->is_remote = true;
  if (text.empty()) return true;
  if (text.front() < '0' || text.front() > '8') return false;
  frame->size = static_cast<uint8_t>(text.front() - '0');
  return ReadRawLength(text.substr(1), frame);
}

bool IsFdLength(size_t size) {
  return size <= 8 || size == 12 || size == 16 || size == 20 || size == 24 || size == 32 || size == 48 || size == 64;
}

bool ReadFd(std::string_view text, TextFrame* frame) {
  const int flags = text.empty() ? -1 : HexDigitValue(text.front());
  if (flags < 0 || frame->is_error) return false;
  frame->is_fd = true;
  frame->fd_flags = static_cast<uint8_t>(flags);
  text.remove_prefix(1);
  return ReadData(&text, kMaxFdData, frame) && text.empty() && IsFdLength(frame->size);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "1641765623.744161" or with nine decimals.
bool ReadStamp(std::string_view text, UtcUs* out) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos || point == 0 || point > 12) return false;
  const std::string_view fraction = text.substr(point + 1);
  if (fraction.size() != 6 && fraction.size() != 9) return false;
  int64_t seconds = 0;
  for (const char c : text.substr(0, point)) {
    if (!IsDigit(c)) return false;
    seconds = seconds * 10 + (c - '0');
  }
  int64_t micros = 0;
  for (size_t i = 0; i < fraction.size(); ++i) {
    if (!IsDigit(fraction[i])) return false;
    if (i < 6) micros = micros * 10 + (fraction[i] - '0');
  }
  *out = seconds * kUsPerSecond + micros;
  return *out <= kLastTime_us;
}

size_t PutDecimal(uint64_t value, size_t least_digits, char* out) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0 || count < least_digits);
  std::reverse_copy(digits, digits + count, out);
  return count;
}

uint32_t ReadLittle32(const uint8_t* bytes) {
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8 | static_cast<uint32_t>(bytes[2]) << 16 |
         static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

std::optional<Frame> ClassicFrame(const TextFrame& text) {
  if (text.is_fd || text.size > kMaxFrameData) return std::nullopt;
  Frame frame;
  frame.id = text.id;
  frame.is_extended = text.is_extended;
  frame.is_remote = text.is_remote;
  frame.is_error = text.is_error;
  frame.size = text.size;
  std::copy_n(text.data.begin(), kMaxFrameData, frame.data.begin());
  return frame;
}

std::optional<TextFrame> ParseFrameText(std::string_view text) {
  TextFrame frame;
  const size_t mark = text.find('#');
  if (mark == std::string_view::npos || !ReadId(text.substr(0, mark), &frame)) return std::nullopt;
  text.remove_prefix(mark + 1);
  bool good = false;
  if (!text.empty() && text.front() == '#') {
    good = ReadFd(text.substr(1), &frame);
  } else if (!text.empty() && (text.front() == 'R' || text.front() == 'r')) {
    good = ReadRemote(text.substr(1), &frame);
  } else {
    good = ReadData(&text, kMaxFrameData, &frame) && ReadRawLength(text, &frame);
  }
  if (!good) return std::nullopt;
  return frame;
}

size_t FormatFrameText(const Frame& frame, char* out) {
  char* at = out;
  const bool wide = frame.is_extended || frame.is_error;
  const uint32_t id = frame.id | (frame.is_error ? kErrorFlag : 0);
  for (int shift = wide ? 28 : 8; shift >= 0; shift -= 4) *at++ = kUpperHexDigits[id >> shift & 15];
  *at++ = '#';
  if (frame.is_remote) {
    *at++ = 'R';
    if (frame.size > 0) *at++ = static_cast<char>('0' + frame.size);
    return static_cast<size_t>(at - out);
  }
  for (size_t i = 0; i < frame.size; ++i) {
    *at++ = kUpperHexDigits[frame.data[i] >> 4];
    *at++ = kUpperHexDigits[frame.data[i] & 15];
  }
  return static_cast<size_t>(at - out);
}

CandumpStatus ParseCandumpLine(std::string_view line, CandumpLine* out) {
  *out = {};
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty() || line.front() != '(') return CandumpStatus::kSkip;
  const size_t close = line.find(')');
  if (close == std::string_view::npos || !ReadStamp(line.substr(1, close - 1), &out->time_us)) {
    return CandumpStatus::kReject;
  }
  line.remove_prefix(close + 1);
  const size_t name_at = line.find_first_not_of(' ');
  if (name_at == 0 || name_at == std::string_view::npos) return CandumpStatus::kReject;
  line.remove_prefix(name_at);
  const size_t name_size = line.find(' ');
  if (name_size == std::string_view::npos) return CandumpStatus::kReject;
  out->interface_name = line.substr(0, name_size);
  line.remove_prefix(name_size + 1);
  if (line.size() > 2 && line[line.size() - 2] == ' ') {
    if (line.back() != 'R' && line.back() != 'T') return CandumpStatus::kReject;
    out->direction = line.back() == 'R' ? Direction::kReceived : Direction::kSent;
    line.remove_suffix(2);
  }
  const std::optional<TextFrame> frame = ParseFrameText(line);
  if (!frame) return CandumpStatus::kReject;
  out->frame = *frame;
  return CandumpStatus::kFrame;
}

size_t FormatCandumpLine(UtcUs time_us, std::string_view interface_name, const Frame& frame, char* out) {
  const auto time = static_cast<uint64_t>(std::clamp<UtcUs>(time_us, 0, kLastTime_us));
  constexpr size_t kSecondsDigits = 10;
  char* at = out;
  *at++ = '(';
  at += PutDecimal(time / kUsPerSecond, kSecondsDigits, at);
  *at++ = '.';
  at += PutDecimal(time % kUsPerSecond, 6, at);
  *at++ = ')';
  *at++ = ' ';
  // A blank inside would end the name, and an empty one is no name.
  if (interface_name.empty()) *at++ = '-';
  for (const char c : interface_name.substr(0, kMaxInterfaceName)) *at++ = c > ' ' && c < 0x7F ? c : '_';
  *at++ = ' ';
  at += FormatFrameText(frame, at);
  *at++ = '\n';
  return static_cast<size_t>(at - out);
}

std::optional<Frame> ReadKernelFrame(std::span<const uint8_t, kKernelFrameSize> bytes) {
  const uint32_t word = ReadLittle32(bytes.data());
  Frame frame;
  frame.is_extended = (word & kExtendedFlag) != 0;
  frame.is_remote = (word & kRemoteFlag) != 0;
  frame.is_error = (word & kErrorFlag) != 0;
  frame.id = word & kExtendedIdMask;
  frame.size = bytes[4];
  if (frame.size > kMaxFrameData) return std::nullopt;
  if (!frame.is_extended && !frame.is_error && frame.id > kStandardIdMask) return std::nullopt;
  if (!frame.is_remote) std::copy_n(bytes.begin() + 8, frame.size, frame.data.begin());
  return frame;
}

void WriteKernelFrame(const Frame& frame, uint8_t len8_dlc, std::span<uint8_t, kKernelFrameSize> out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  const uint32_t word = (frame.id & kExtendedIdMask) | (frame.is_extended ? kExtendedFlag : 0) |
                        (frame.is_remote ? kRemoteFlag : 0) | (frame.is_error ? kErrorFlag : 0);
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<uint8_t>(word >> (8 * i));
  out[4] = frame.size;
  out[7] = len8_dlc;
  if (!frame.is_remote) std::copy_n(frame.data.begin(), frame.size, out.begin() + 8);
}

}  // namespace vesta::can
