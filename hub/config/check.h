// Holds a parsed text against the schema: every fault at once, each with its place, and defaults filled in.
//
// Understands the part of draft-07 that schema.json uses: type, properties, additionalProperties false, required, enum,
// const, minimum, maximum, minLength, maxLength, pattern, items, maxItems, $ref, and allOf of if/then on `type`. A test
// holds its verdicts against those of a full validator.
#pragma once

#include "hub/config/json_tree.h"
#include "hub/config/problem.h"

namespace vesta::hub {

void CheckAndComplete(JsonNode* root, ProblemList* problems);

}  // namespace vesta::hub
