// Reads the bodies that the API takes: small flat objects of texts.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vesta::hub {

// Empty, and *problem in words for people, when the body is no JSON object, has a key that is not among `keys`, a key
// twice, or a value that is not a text. Never holds more than the body; no nesting is followed.
std::optional<std::map<std::string, std::string>> ParseStrings(const std::string& body,
                                                               std::initializer_list<std::string_view> keys,
                                                               std::string* problem);

}  // namespace vesta::hub
