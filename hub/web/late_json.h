// The late decode as the API tells it.
#pragma once

#include "formats/json_writer.h"
#include "hub/intake/late_health.h"

namespace vesta::hub {

void WriteLateHealth(JsonWriter& json, const LateHealth& late);

}  // namespace vesta::hub
