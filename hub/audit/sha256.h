// SHA-256 as 64 lower-case hex digits: how tokens, configurations and entries of the audit log are named.
#pragma once

#include <string>
#include <string_view>

namespace vesta::hub {

inline constexpr size_t kSha256HexSize = 64;

std::string Sha256Hex(std::string_view text);
bool IsSha256Hex(std::string_view text);  // lower case only

}  // namespace vesta::hub
