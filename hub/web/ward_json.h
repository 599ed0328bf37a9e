// Objects of the API that a ward adds: STAY, BED, TRACE, GAP in docs/api.md.
#pragma once

#include "formats/json_writer.h"
#include "hub/devices/directory.h"
#include "hub/places/places.h"

namespace vesta::hub {

void WriteStay(JsonWriter& json, const Directory& directory, const BedStay& stay);
// The bed alone; null when there is none.
void WriteBed(JsonWriter& json, const BedStay* stay);

}  // namespace vesta::hub
