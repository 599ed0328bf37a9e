#include "protocols/victron/fields.h"

#include "protocols/victron/enums.h"

namespace vesta::victron {
namespace {

constexpr std::span<const StateName> kNoStates = {};

constexpr Field kFields[] = {
#define VICTRON_FIELD(id, key, quantity, unit, decimals, kind, pace, diagnostic, states) \
  {key, Quantity::quantity, Unit::unit, decimals, FieldKind::kind, Pace::pace, diagnostic, states},
#include "protocols/victron/field_rows.inc"
#undef VICTRON_FIELD
};

}  // namespace

std::span<const Field> Fields() { return kFields; }

uint16_t FindField(std::string_view key) {
  for (uint16_t i = 0; i < kCountOfFields; ++i) {
    if (key == kFields[i].key) return i;
  }
  return kNoField;
}

}  // namespace vesta::victron
