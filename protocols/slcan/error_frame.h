// What an slcan adapter says of its bus, as the error frame that SocketCAN would give: one form for whoever counts.
#pragma once

#include <optional>

#include "protocols/slcan/slcan.h"

namespace vesta::slcan {

// Of a kBusError or kBusState event; nullopt for any other.
std::optional<can::Frame> ErrorFrame(const Event& event);

}  // namespace vesta::slcan
