// vesta nodes: what a node network is made of, from the command line, and the files of the original server.
#pragma once

#include <string>
#include <vector>

#include "app/hub_client.h"

namespace vesta::app {

struct NodesOptions {
  std::string action;              // "list", "export", "put", "open", "import", "import-log", "new-key", ...
  std::vector<std::string> files;  // put: ours; import: Struct.json, peersList.js; import-log: day files
  std::string into;                // import: our description, made or added to; sign: the package
  std::string key;                 // sign: file of the private key
  std::string version;             // sign
  std::string hardware = "linux";  // sign
  std::string node;                // update: which, "" = all
  std::string network;             // import-log: the description that says what the devices are
  std::string directory;           // import-log: data folder of a stopped hub
  std::string source;              // which, when there are several
  int seconds = 120;               // open
  bool json = false;
  std::string url = HubAddress().url;
};

int RunNodes(const NodesOptions& options);

}  // namespace vesta::app
