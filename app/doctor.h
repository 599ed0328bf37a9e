// vesta doctor: looks at this machine's serial ports and at Bluetooth and says what it sees and what to do about it.
#pragma once

#include <string>
#include <vector>

namespace vesta::app {

struct DoctorOptions {
  std::vector<std::string> ports;  // none: all that are found
  std::string protocol = "p1";     // that the devices on these ports speak
  std::string config;              // look at the sources of this file, too
  double seconds = 12;             // to listen with each setting; a 10 s meter needs 11
  bool bluetooth = false;          // look at Bluetooth, and at serial ports only when they are named
  bool json = false;
};

// kExitOk: a meter was heard, or (with a configuration) all its sources are well.
int RunDoctor(const DoctorOptions& options);

}  // namespace vesta::app
