// `vesta run`: the hub as a service. Reads the configuration, starts what is right, says what is off, and runs until it
// is told to stop (SIGTERM, SIGINT). Told to reload (SIGHUP) it checks the file and says what a restart would do.
#pragma once

#include <functional>
#include <string>

#include "hub/config/load.h"

namespace vesta::app {

struct RunOptions {
  std::string config = "/etc/vesta/vesta.json";
  bool strict = false;  // refuse to start when any part of the configuration is wrong
  std::string data;     // "" = as configured
  std::string http;     // "ADDRESS:PORT", "" = as configured
};

// Exit codes: 0 stopped as told, 3 could not start.
int RunHub(const RunOptions& options);

// Runs a hub made from a configuration that is already loaded; `ready` is called once it runs (the demo prints its
// welcome there), `stopped` when it was told to stop and before it does.
int RunLoaded(hub::LoadedConfig loaded, const std::function<void(const std::string& page_address)>& ready);

// Splits "127.0.0.1:8600" or "[::1]:8600"; false when it is not of that form.
bool ParseAddress(const std::string& text, std::string* address, uint16_t* port);

}  // namespace vesta::app
