#include "protocols/vedirect/firmware.h"

#include <algorithm>

namespace vesta::vedirect {
namespace {

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
char HexDigit(uint32_t nibble) { return "0123456789ABCDEF"[nibble & 15]; }

// Collects a text in the caller's buffer; what does not fit is left out.
class Text {
 public:
  explicit Text(std::span<char> out) : out_(out) {}
  Text& operator<<(char c) {
    if (size_ < out_.size()) out_[size_++] = c;
    return *this;
  }
  Text& operator<<(std::string_view text) {
    for (const char c : text) *this << c;
    return *this;
  }
  std::string_view view() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  size_t size_ = 0;
};

std::string_view Whole(std::string_view text, std::span<char> out) { return (Text(out) << text).view(); }

// "0208" is 2.08: no zero in front, but one digit before the point.
void PutVersion(std::string_view digits, Text* text) {
  std::string_view major = digits.substr(0, digits.size() - 2);
  while (major.size() > 1 && major.front() == '0') major.remove_prefix(1);
  *text << major << '.' << digits.substr(digits.size() - 2);
}

}  // namespace

std::string_view FirmwareOfLabel(std::string_view text, std::span<char> out) {
  const bool candidate = !text.empty() && text.front() >= 'A' && text.front() <= 'Z';
  const std::string_view digits = candidate ? text.substr(1) : text;
  if (digits.size() < 3 || digits.size() > 4 || !std::all_of(digits.begin(), digits.end(), IsHex)) {
    return Whole(text, out);
  }
  Text version(out);
  PutVersion(digits, &version);
  if (candidate) version << "-rc" << text.front();
  return version.view();
}

std::string_view FirmwareOfExtendedLabel(std::string_view text, std::span<char> out) {
  if (text.size() < 5 || text.size() > 6 || !std::all_of(text.begin(), text.end(), IsHex)) return Whole(text, out);
  const std::string_view release = text.substr(text.size() - 2);
  Text version(out);
  PutVersion(text.substr(0, text.size() - 2), &version);
  if (release != "FF" && release != "ff") version << "-beta-" << release;
  return version.view();
}

std::string_view FirmwareOfPing(uint16_t raw, std::span<char> out) {
  const char digits[] = {HexDigit(raw >> 8 & 0xF), HexDigit(raw >> 4), HexDigit(raw)};
  const uint32_t letter = raw >> 12;
  // Release candidates: the top nibble is the letter, from C on, since its two highest bits are set.
  Text version(out);
  PutVersion({digits, sizeof digits}, &version);
  if (raw >> 14 == 3) version << "-rc" << HexDigit(letter);
  return version.view();
}

std::string_view FirmwareOfAppVersion(uint32_t raw, std::span<char> out) {
  if (raw == 0xFFFFFF) return {};
  Text version(out);
  if (raw >> 16 == 0) {
    const char digits[] = {HexDigit(raw >> 12), HexDigit(raw >> 8), HexDigit(raw >> 4), HexDigit(raw)};
    PutVersion({digits, sizeof digits}, &version);
    return version.view();
  }
  const char digits[] = {HexDigit(raw >> 20), HexDigit(raw >> 16), HexDigit(raw >> 12), HexDigit(raw >> 8)};
  PutVersion({digits, sizeof digits}, &version);
  if ((raw & 0xFF) != 0xFF) version << "-beta-" << HexDigit(raw >> 4) << HexDigit(raw);
  return version.view();
}

}  // namespace vesta::vedirect
