// What the hub itself knows of each node, and what nodes of the original networks can say: those describe nothing of
// themselves. The fields of a link node come from its own description (docs/formats/node-items.md).
//
// Temperatures in degrees Celsius as the sensor sent them; electrical values of relayed Victron readings as that
// project scaled them.
#pragma once

#include <cstdint>
#include <span>

#include "model/field.h"

namespace vesta::link {

enum NodeFieldId : uint16_t {
  kFieldSignal,
  kFieldReportNumber,
  kFieldOutbox,
  kFieldTemperature,
  kFieldHumidity,
  kFieldSetPoint,
  kFieldHeating,
  kFieldSwitch,
  kFieldMessageCounter,
  kFieldVoltage,
  kFieldCurrent,
  kFieldPower,
  kFieldStateOfCharge,
  kNodeFieldCount,
};

std::span<const Field> NodeFields();

}  // namespace vesta::link
