// Plays the device's side of an exchange against the session, in virtual time.
#pragma once

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

void RunMedibusExchange(const Json& vector, Report* report);

}  // namespace vesta::vectors
