// vesta store: look at, check, copy, compact and mend the history of a hub.
#pragma once

#include <string>

namespace vesta::app {

struct StoreOptions {
  std::string action;  // "check", "stats", "backup", "compact", "repair", "copy"
  std::string directory = "/var/lib/vesta";
  std::string to;  // backup: a folder that has no store
  bool json = false;
  // copy
  std::string from;
  std::string copy_to;
  std::string hub_id = "vesta";
  std::string zone = "Europe/Amsterdam";
  std::string password_file;  // "": what PGPASSWORD or ~/.pgpass has
};

int RunStore(const StoreOptions& options);

}  // namespace vesta::app
