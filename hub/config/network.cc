#include "hub/config/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vesta::hub {
namespace {

constexpr AddressBytes kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr AddressBytes kLoopbackV6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr uint8_t kMappedBits = 96;

bool IsMapped(const AddressBytes& address) {
  return std::equal(address.begin(), address.begin() + 12, kMappedPrefix.begin());
}

}  // namespace

std::optional<AddressBytes> ParseAddress(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  AddressBytes bytes = kMappedPrefix;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data() + 12) == 1) return bytes;
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

bool IsLoopback(const AddressBytes& address) {
  return address == kLoopbackV6 || (IsMapped(address) && address[12] == 127);
}

bool Network::Contains(const AddressBytes& other) const {
  for (size_t bit = 0; bit < prefix_bits; bit += 8) {
    const size_t bits = std::min<size_t>(8, prefix_bits - bit);
    const auto mask = static_cast<uint8_t>(0xFF00 >> bits);
    if ((address[bit / 8] & mask) != (other[bit / 8] & mask)) return false;
  }
  return true;
}

std::optional<Network> ParseNetwork(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<AddressBytes> address = ParseAddress(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network;
  network.address = *address;
  if (slash == std::string_view::npos) return network;
  const bool v4 = text.find(':') == std::string_view::npos;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > (v4 ? 32U : 128U)) return std::nullopt;
  network.prefix_bits = static_cast<uint8_t>(bits + (v4 ? kMappedBits : 0));
  for (size_t bit = network.prefix_bits; bit < 128; ++bit) {
    if ((network.address[bit / 8] & (0x80 >> (bit % 8))) != 0) return std::nullopt;
  }
  return network;
}

}  // namespace vesta::hub
