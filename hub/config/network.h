// IP addresses and networks, as they stand in a configuration: which are loopback, which may connect.
//
// IPv4 is kept as IPv4-mapped IPv6, so 192.168.1.20 and ::ffff:192.168.1.20 are the same address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vesta::hub {

using AddressBytes = std::array<uint8_t, 16>;

// Of "192.168.1.20", "fe80::1", ... Names, ports, zones and brackets are no addresses.
std::optional<AddressBytes> ParseAddress(std::string_view text);

// 127.0.0.0/8 or ::1. Not the unspecified address: 0.0.0.0 is every address of the computer.
bool IsLoopback(const AddressBytes& address);

struct Network {
  AddressBytes address{};
  uint8_t prefix_bits = 128;

  bool Contains(const AddressBytes& other) const;
};

// "192.168.1.0/24", "2001:db8::/32", or a single address. Empty when it is neither, or when bits behind the prefix are
// set ("192.168.1.20/24" is a likely slip).
std::optional<Network> ParseNetwork(std::string_view text);

}  // namespace vesta::hub
