// The doctor's look at CAN: an slcan adapter or a SocketCAN interface, and whether a bus is heard through it.
//
// An slcan adapter can't be asked for its bit rate, so it is set, as the hub would, and frames are listened for. When
// none come, the other bit rates are tried, listening only: an adapter that takes part at a wrong rate would disturb
// the bus.
#pragma once

#include <functional>

#include "app/doctor_report.h"
#include "hub/config/config.h"
#include "hub/sources/can_interface.h"

namespace vesta::app {

// Waits so many seconds at the most at each bit rate. The source of the configuration, or one made for a port.
PatientReport ExamineSlcan(const hub::SourceConfig& config, double seconds);

// interface: what Linux knows of it.
using CanLook = std::function<std::optional<hub::CanInterface>(const std::string& name)>;
PatientReport ExamineCan(const hub::SourceConfig& config, double seconds, const CanLook& look = hub::ReadCanInterface);

}  // namespace vesta::app
