// What texts and identifications of a telegram say: printable text, the number of a tariff, whether a checksum is due.
#include "protocols/p1/decode.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {

size_t DecodeText(const TextValue& value, char* out, size_t capacity) {
  std::string_view raw = value.raw;
  if (value.octets && IsHex(raw) && IsPrintableHex(raw)) {
    const size_t n = raw.size() / 2 < capacity ? raw.size() / 2 : capacity;
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<char>(HexByte(raw.data() + 2 * i));
    return n;
  }
  const size_t n = raw.size() < capacity ? raw.size() : capacity;
  for (size_t i = 0; i < n; ++i) out[i] = IsPrintable(raw[i]) ? raw[i] : '?';
  return n;
}

int TariffNumber(std::string_view text) {
  size_t i = text.size();
  while (i > 0 && IsDigit(text[i - 1])) --i;
  if (i == text.size()) return -1;
  int number = 0;
  for (; i < text.size() && number < 100000; ++i) number = number * 10 + (text[i] - '0');
  return number;
}

bool PromisesCrc(const Content& content) {
  if (content.header.flag == "FLU") return true;
  // "P" stands for a version of 5.
  if (!content.version.empty()) return content.version >= "40";
  // Five digits that begin with the DSMR version are e-MUCS; others use the code for something else.
  return content.emucs_version.size() == 5 && content.emucs_version.front() == '5';
}

}  // namespace vesta::p1
