// vesta redecode: has the running hub decode again what it archived and did not understand, and shows how far it is.
#pragma once

#include <string>

#include "app/hub_client.h"

namespace vesta::app {

struct RedecodeOptions {
  std::string source;  // "" = every source
  bool wait = true;
  std::string url = HubAddress().url;
};

int RunRedecode(const RedecodeOptions& options);

}  // namespace vesta::app
