// What the topics of an earlier logger say of a series: which register or item it was there, and its value as that.
//
// Only what that logger published: registers of VE.Smart messages and of VE.Direct HEX, monitoring items of MasterBus.
// Its MasterBus topics name items by their numbers, which differ between firmwares; Vesta maps items by their labels,
// so the number that a label has now is asked of the bus.
#pragma once

#include "app/bus_desk.h"
#include "hub/outputs/mqtt_original.h"

namespace vesta::app {

hub::OriginalText OriginalTextOf(const hub::Device& device, const hub::Series& series, const Value& value,
                                 const BusDesk& buses);
bool IsPanelPower(const hub::Device& device, const hub::Series& series);

}  // namespace vesta::app
