// Texts of the fields of MEDIBUS devices.
#pragma once

#include <span>

#include "hub/catalog/catalog.h"

namespace vesta::hub {

std::span<const FieldText> MedibusTexts();

}  // namespace vesta::hub
