// `vesta demo`: the hub on simulated meters, without root, network or configuration.
//
// The meters speak on pseudo terminals and a TCP port of loopback, and the hub hears them through its ordinary sources.
// On the first start in a data directory the last day is replayed from a capture, so that the charts have something to
// show.
#pragma once

#include "app/command_line.h"

namespace vesta::app {

// Exit codes as in exit_code.h.
int RunDemo(const DemoOptions& options);

}  // namespace vesta::app
