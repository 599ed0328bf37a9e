// Reads the bodies that the API takes: small flat objects of texts.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vesta::hub {

using BodyTexts = std::map<std::string, std::string>;

// Empty, and *problem in words for people, when the body is no JSON object, has a key that is not among `keys`, a key
// twice, or a value that is not a text. Never holds more than the body; no nesting is followed.
std::optional<BodyTexts> ParseStrings(const std::string& body, std::initializer_list<std::string_view> keys,
                                      std::string* problem);
// "" when the body does not say.
std::string ValueOf(const BodyTexts& body, const char* key);

}  // namespace vesta::hub
