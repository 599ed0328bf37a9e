// How each kind of meter lays its registers out in a telegram. Sources: the samples of each kind in the DSMR, e-MUCS
// and Smarty documents and of meters in the field.
#pragma once

#include <string>

#include "simulators/p1_meter.h"

namespace vesta::simulators {

struct P1Identity {
  std::string equipment_id;
  std::string gas_id;
  std::string water_id;
};

std::string WriteTelegram(P1Kind kind, const P1Identity& identity, const P1Registers& registers);

}  // namespace vesta::simulators
