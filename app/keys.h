// vesta keys: gives the hub keys of devices, tries them, and takes them over from VictronConnect.
#pragma once

#include <string>

#include "app/hub_client.h"

namespace vesta::app {

struct KeysOptions {
  std::string action;     // "list", "add", "remove", "check", "import"
  std::string what;       // add, remove: id; check: the key; import: the file
  std::string key;        // add: the key; "" = asked for, so that it stands on no command line
  std::string name;       // add
  std::string device;     // check: the device that it is meant for
  std::string capture;    // check: on the adverts of this capture
  std::string directory;  // work on this data folder, without a running hub
  bool dry_run = false;   // import: say what would be done
  bool json = false;
  std::string url = HubAddress().url;
};

// kExitOk: done; for check: the key opens what it should.
int RunKeys(const KeysOptions& options);

}  // namespace vesta::app
