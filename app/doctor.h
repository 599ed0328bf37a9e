// vesta doctor: looks at this machine's serial ports and says what it sees and what to do about it.
#pragma once

#include <string>
#include <vector>

namespace vesta::app {

struct DoctorOptions {
  std::vector<std::string> ports;  // none: all that are found
  std::string config;              // look at the sources of this file, too
  double seconds = 12;             // to listen with each setting; a 10 s meter needs 11
  bool json = false;
};

// kExitOk: a meter was heard, or (with a configuration) all its sources are well.
int RunDoctor(const DoctorOptions& options);

}  // namespace vesta::app
