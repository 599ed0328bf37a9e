// LOINC and UCUM codes, only where there is no doubt.
//
// UCUM: the units that it defines (https://ucum.org); a unit that it lacks (var) or where it would have to be guessed
// (dBm) has none and is written as text. LOINC: measured values of a patient whose meaning in the code table is the
// same as the code's name; set-points, alarms and values of the device itself have none.
#pragma once

#include <string_view>

#include "model/field.h"

namespace vesta::hub {

std::string_view UcumCode(Unit unit);  // "" = none

struct LoincCode {
  std::string_view code;
  std::string_view display;
};
// code "" = none.
LoincCode FindLoinc(std::string_view protocol, std::string_view field);

}  // namespace vesta::hub
