// English names and meanings of the smart meter's fields, in the order of the field table.
#pragma once

#include <span>

#include "hub/catalog/catalog.h"

namespace vesta::hub {

std::span<const FieldText> P1Texts();

}  // namespace vesta::hub
