// Texts for people of the fields that nodes have beside those of their own description.
#pragma once

#include <span>

#include "hub/catalog/catalog.h"

namespace vesta::hub {

std::span<const FieldText> NodeTexts();

}  // namespace vesta::hub
