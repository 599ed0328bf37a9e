// vesta import: history of elsewhere into the data folder of a hub that is stopped.
#pragma once

#include <string>

namespace vesta::app {

struct ImportOptions {
  std::string format;  // "neonat"
  std::string file;
  std::string directory = "/var/lib/vesta";
  std::string source = "neonat";  // part of the devices' keys
  int stamp_offset_min = 120;
  bool json = false;
};

int RunImport(const ImportOptions& options);

}  // namespace vesta::app
