// vesta simulate victron: the adverts of a simulated boat, sent by UDP as a relay would.
#pragma once

#include <string>

#include "app/simulate.h"

namespace vesta::app {

int RunSimulateVictron(const SimulateOptions& options);

// The keys of the simulated devices and network in the form of a keys file (docs/keys.md). Not secret.
std::string SimulatedVictronKeys();

}  // namespace vesta::app
