// The fields of all nodes together, registered as the nodes describe themselves: two items that mean the same share
// one.
//
// Fields are never taken back, so references into the table hold for the life of the hub; the table is bounded, and who
// comes beyond gets none (counted by the caller).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/nodes/description.h"
#include "model/field.h"

namespace vesta::hub {

inline constexpr size_t kMaxNodeFields = 2048;
inline constexpr uint16_t kNoField = 0xFFFF;

class FieldRegistry {
 public:
  FieldRegistry() { fields_.reserve(kMaxNodeFields); }

  // The place of the field; kNoField when the table is full.
  uint16_t Register(const Field& field, std::span<const std::string> states = {});
  uint16_t Register(const ItemSpec& spec);

  std::span<const Field> fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
  std::unordered_map<std::string, uint16_t> places_;
  std::deque<std::string> texts_;
  std::deque<std::vector<StateName>> states_;
};

}  // namespace vesta::hub
