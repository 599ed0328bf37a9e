// Bit fields as texts for people: "none", or the names of the set bits with ", " between, lowest bit first.
//
// The text holds every bit: one without a name is shown as "bit_15". So nothing is lost, a chart of history shows when
// it changed, and a rule can look for one name in it whatever stands beside.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"

namespace vesta::victron {

// Room for a text of reasons: home automation keeps states of at most 255 characters. What does not fit ends in "...".
inline constexpr size_t kReasonTextSize = 250;

// Writes to `out` and returns the part that was written. names: by number of the bit.
std::string_view ReasonText(uint32_t bits, std::span<const StateName> names, std::span<char, kReasonTextSize> out);

}  // namespace vesta::victron
