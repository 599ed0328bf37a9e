// vesta simulate masterbus: a whole bus on an slcan adapter that is not there, over UDP, or as a candump log.
#pragma once

#include "app/simulate.h"

namespace vesta::app {

int RunSimulateMasterBus(const SimulateOptions& options);

// The faults of the bus, for --list.
void PrintBusFaults();

}  // namespace vesta::app
