#include "hub/audit/sha256.h"

#include <openssl/sha.h>

#include <array>
#include <cstdint>

namespace vesta::hub {

std::string Sha256Hex(std::string_view text) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool IsSha256Hex(std::string_view text) {
  return text.size() == kSha256HexSize && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace vesta::hub
