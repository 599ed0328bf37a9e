// A small file of secrets: read whole, replaced whole, for the owner's eyes only.
//
// A file that other users may read is refused: the keys in it would be everybody's. Writing is atomic and durable:
// after a power cut at any moment the path holds the old content or the new one, and the new one once the call
// returned. No error text holds any of the content.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace vesta::hub {

// The error is for people.
tl::expected<std::string, std::string> ReadPrivateFile(const std::string& path, size_t max_bytes);
tl::expected<void, std::string> WritePrivateFile(const std::string& path, std::string_view text);

}  // namespace vesta::hub
