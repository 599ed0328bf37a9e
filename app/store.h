// vesta store: look at, check, copy, compact and mend the history of a hub.
#pragma once

#include <string>

namespace vesta::app {

struct StoreOptions {
  std::string action;  // "check", "stats", "backup", "compact", "repair"
  std::string directory = "/var/lib/vesta";
  std::string to;  // backup: a folder that has no store
  bool json = false;
};

int RunStore(const StoreOptions& options);

}  // namespace vesta::app
