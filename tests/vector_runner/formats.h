// What each protocol's vector files look like (claims) and how they are run.
#pragma once

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

bool ClaimsP1(const VectorFile& file);
void RunP1(const VectorFile& file, Results* results);

bool ClaimsMedibus(const VectorFile& file);
void RunMedibus(const VectorFile& file, Results* results);

}  // namespace vesta::vectors
