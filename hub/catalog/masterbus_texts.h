// English names and meanings of MasterBus fields, in the order of the field table. Fields registered from a device's
// own labels are shown by their keys.
#pragma once

#include <span>

#include "hub/catalog/catalog.h"

namespace vesta::hub {

std::span<const FieldText> MasterBusTexts();

}  // namespace vesta::hub
