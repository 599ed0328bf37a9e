// `vesta run`: the hub as a service. Reads the configuration, starts what is right, says what is off, and runs until it
// is told to stop (SIGTERM, SIGINT). Told to reload (SIGHUP) it checks the file and says what a restart would do.
#pragma once

#include <functional>
#include <string>

#include "app/command_line.h"
#include "hub/config/load.h"

namespace boost::asio {
class io_context;
}

namespace vesta::app {

class Hub;

// Exit codes: 0 stopped as told, 3 could not start.
int RunHub(const RunOptions& options);

// Runs a hub made from a configuration that is already loaded, until it is told to stop; `ready` is called once it
// runs.
int RunLoaded(boost::asio::io_context& io, hub::LoadedConfig loaded, const std::function<void(Hub&)>& ready);

// Splits "127.0.0.1:8600" or "[::1]:8600"; false when it is not of that form.
bool ParseAddress(const std::string& text, std::string* address, uint16_t* port);

}  // namespace vesta::app
