// The select lines of a VE.Direct multiplexer on a GPIO chip of this machine, by libgpiod.
//
// The lines are held as outputs while the selector lives. A chip that is not there, or lines that somebody else holds,
// are tried again with each call: the box may be plugged in later. Without libgpiod at build time every call fails and
// the log says so once.
#pragma once

#include <memory>

#include "hub/config/config.h"
#include "protocols/vedirect/multiplexer.h"

namespace vesta::hub {

std::unique_ptr<vedirect::Selector> MakeGpioSelector(const VedirectSelectConfig& config);

}  // namespace vesta::hub
