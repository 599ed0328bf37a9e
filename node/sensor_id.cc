// Addresses of sensors as text: hex digits, with the checksum that is part of the address.
#include "node/config.h"
#include "node/functions/ds18b20.h"

namespace vesta::node {

namespace {

constexpr char kDigits[] = "0123456789ABCDEF";

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool ParseSensorId(std::string_view text, SensorId* out) {
  if (text.size() != kSensorIdText) return false;
  for (size_t i = 0; i < out->size(); ++i) {
    const int high = DigitOf(text[2 * i]);
    const int low = DigitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*out)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return OneWireChecksum(*out) == 0 && (*out)[0] != 0;
}

std::string_view PrintSensorId(const SensorId& id, std::span<char, kSensorIdText> out) {
  for (size_t i = 0; i < id.size(); ++i) {
    out[2 * i] = kDigits[id[i] >> 4];
    out[2 * i + 1] = kDigits[id[i] & 0x0F];
  }
  return {out.data(), out.size()};
}

}  // namespace vesta::node
