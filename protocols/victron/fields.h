// What Victron devices can say: one field table for Instant Readout and VE.Smart (radio) and for VE.Direct text and HEX
// (cable), so that a charger heard over two links says the same things by the same names.
//
// The rows stand in field_rows.inc; FieldId is the place in the table and so what Reading::field holds. Rules for who
// fills it:
// - DC channel 1 (V and I, registers 0xED8D to 0xED8F) is battery_*, except on a DC converter, where it is output_*,
//   and on a battery protect, where it is input_voltage. Registers 0xEDBB to 0xEDBD are pv_* on a solar charger and
//   input_* on a DC converter.
// - Bit fields become a text (reasons.h) that says "none" or names every set bit, with a flag beside where there is one
//   (alarm, warning). An enumeration becomes a state with the wire's code, also when no name is known for it.
// - Charges that the wire gives negative for "drawn" (H1, H2, H3, H6) are stored positive; consumed_ah is the one that
//   stays zero or negative.
// - A device mode of 0 (off, of a solar charger) is stored as 4.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"

namespace vesta::victron {

enum FieldId : uint16_t {
#define VICTRON_FIELD(id, key, quantity, unit, decimals, kind, pace, diagnostic, states) id,
#include "protocols/victron/field_rows.inc"
#undef VICTRON_FIELD
  kCountOfFields,
};

inline constexpr uint16_t kNoField = 0xFFFF;

std::span<const Field> Fields();

// By key; kNoField when there is no such field.
uint16_t FindField(std::string_view key);

}  // namespace vesta::victron
