// The serial ports that this machine really has, with the name that stays the same tomorrow.
//
// USB adapters by /dev/serial/by-id where udev made such a name, else ttyUSB*, ttyACM*; built-in ports ttyAMA* and
// those ttyS* behind which the kernel found hardware.
#pragma once

#include <string>
#include <vector>

namespace vesta::app {

struct SerialPort {
  std::string path;     // what belongs in a configuration
  std::string device;   // "/dev/ttyUSB0"
  std::string product;  // "FT232R USB UART", "" when the system does not say
};

// `root` stands before /dev and /sys, for tests. Sorted by path.
std::vector<SerialPort> FindSerialPorts(const std::string& root = "");

}  // namespace vesta::app
