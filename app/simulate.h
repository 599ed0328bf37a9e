// vesta simulate: a device that is not there, for trying things out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vesta::app {

struct SimulateOptions {
  std::string protocol = "p1";
  std::string kind;  // "" = the protocol's first
  std::string pty;   // path of the link to make
  std::string tcp;   // ADDRESS:PORT
  std::string udp;   // ADDRESS:PORT to send to (masterbus, victron)
  bool to_stdout = false;
  double speed = 1;  // on a port: simulated seconds a second, 0 = as fast as readers take it
  uint64_t seed = 1;
  uint64_t count = 0;  // telegrams; 0 = no end (to standard output: 1)
  std::string start;   // ISO 8601; "" = now
  std::vector<std::string> faults;
  bool list = false;
};

int RunSimulate(const SimulateOptions& options);

}  // namespace vesta::app
