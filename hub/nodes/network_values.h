// The small values of network descriptions: numbers that may stand there as texts, addresses, names. For the readers of
// our form and of the original server's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/value.h"

namespace vesta::hub {

// The original writes numbers as texts, too.
std::optional<int64_t> WholeNumber(const nlohmann::json& value);
// A JSON number is taken as its shortest text: 20.5 is exactly that. At most four decimals.
std::optional<Decimal> DecimalOf(const nlohmann::json& value);
// The nearest number that JSON has; a set-point has few digits.
nlohmann::ordered_json NumberJson(const Decimal& value);
// UTF-8 without control characters.
bool IsNameText(std::string_view text, size_t most);
// An address as people write it: hex digits, with or without : and - between them. False: not of this size.
bool ParseHexBytes(std::string_view text, std::span<uint8_t> out);

}  // namespace vesta::hub
