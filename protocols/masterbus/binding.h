// Which field an item is, as far as its label, unit and presentation are known by now.
#pragma once

#include "protocols/masterbus/fields.h"
#include "protocols/masterbus/model.h"

namespace vesta::masterbus {

// Values that may come while an item's label is known and its unit is still open, before it is taken to have none.
inline constexpr uint8_t kValuesToWaitForUnit = 8;
// New fields that one item may cause: each new option label is one. Beyond it the item stays what it is.
inline constexpr uint8_t kMaxBindings = 96;

// How the item's number is to be read.
Form FormOf(const Model& model, const Item& item);

// The item's field, registered when new; item.field and item.bound_revision are set. FieldTable::kFull: no room.
uint16_t Bind(Model* model, uint16_t item, FieldTable* table);

}  // namespace vesta::masterbus
