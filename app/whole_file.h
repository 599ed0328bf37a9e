// Small files that are read and replaced as a whole.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace vesta::app {

// Longest file that is taken; what the hub writes this way is far smaller.
inline constexpr size_t kMaxWholeFile = 4u << 20;

// Empty when the file is not there, can't be read or is longer than kMaxWholeFile.
std::optional<std::string> ReadWholeFile(const std::string& path);

// After it returned, and after a power cut at any moment, the path holds either the old content or the new one, whole.
// Readable by the owner only.
tl::expected<void, std::string> ReplaceFile(const std::string& path, const std::string& content);

}  // namespace vesta::app
