// English names and meanings of the fields that Victron devices share over all their links, in the order of the table.
#pragma once

#include <span>

#include "hub/catalog/catalog.h"

namespace vesta::hub {

std::span<const FieldText> VictronTexts();

}  // namespace vesta::hub
