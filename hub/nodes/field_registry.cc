#include "hub/nodes/field_registry.h"

#include <fmt/format.h>

namespace vesta::hub {

uint16_t FieldRegistry::Register(const Field& field, std::span<const std::string> states) {
  const std::string signature =
      fmt::format("{}/{}/{}/{}/{}/{}/{}", field.key, static_cast<int>(field.quantity), static_cast<int>(field.unit),
                  field.decimals, static_cast<int>(field.kind), field.diagnostic, fmt::join(states, ","));
  const auto known = places_.find(signature);
  if (known != places_.end()) return known->second;
  if (fields_.size() >= kMaxNodeFields) return kNoField;
  Field made = field;
  made.key = texts_.emplace_back(field.key).c_str();
  if (!states.empty()) {
    std::vector<StateName>& names = states_.emplace_back();
    for (uint32_t code = 0; code < states.size(); ++code) {
      names.push_back({code, texts_.emplace_back(states[code]).c_str()});
    }
    made.states = names;
  }
  const auto place = static_cast<uint16_t>(fields_.size());
  fields_.push_back(made);
  places_.emplace(signature, place);
  return place;
}

uint16_t FieldRegistry::Register(const ItemSpec& spec) {
  Field field;
  field.key = spec.key.c_str();
  field.quantity = spec.quantity;
  field.unit = spec.unit;
  field.decimals = spec.decimals;
  field.kind = spec.kind;
  field.pace = spec.period_s == 0 ? Pace::kSlow : Pace::kFast;
  field.diagnostic = spec.function == "node";
  return Register(field, spec.states);
}

}  // namespace vesta::hub
