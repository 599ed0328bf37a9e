// Tells whole UTF-8 sequences from broken ones, for writers whose readers refuse a document with a single bad byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace vesta {

// Length of the UTF-8 sequence at the start of a text that is not empty; 0 when it is not one (overlong forms and
// surrogates included).
size_t Utf8Length(std::string_view text);

// What a writer puts in place of a byte that is not UTF-8: U+FFFD.
inline constexpr std::string_view kUtf8Replacement = "\xEF\xBF\xBD";

}  // namespace vesta
