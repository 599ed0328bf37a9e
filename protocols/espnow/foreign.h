// Names the other products that speak ESP-NOW, by how their messages look, so that a list of foreign traffic can say
// what it is. They are counted, never parsed. A guess: their messages have no common mark.
#pragma once

#include "protocols/espnow/frame.h"

namespace vesta::espnow {

// A stable word ("wiz_remote", "wled_sync", ...), "" when nothing fits. `sender` is the transmitter's address.
const char* ForeignName(Bytes body, const Address& sender);

}  // namespace vesta::espnow
