// What the topics of an earlier logger say of a series: which register it was there, and its value as that register.
//
// Only what that logger published: registers of VE.Smart messages and of VE.Direct HEX. Its MasterBus topics named
// items by numbers that differ between firmwares; Vesta maps items by their labels, so these topics are not made.
#pragma once

#include "hub/outputs/mqtt_original.h"

namespace vesta::app {

hub::OriginalText OriginalTextOf(const hub::Device& device, const hub::Series& series, const Value& value);
bool IsPanelPower(const hub::Device& device, const hub::Series& series);

}  // namespace vesta::app
