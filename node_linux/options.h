// The program's own settings: where the hub is, where things are connected, where the state lies. What the node does is
// its node configuration, a file of its own. Every key stands in docs/nodes.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "node/ports/ports.h"
#include "protocols/espnow/udp_air.h"

namespace vesta::node_linux {

struct Options {
  std::string gateway = "127.0.0.1";
  uint16_t port = espnow::kUdpAirPort;
  bool exposed = false;
  std::string radio_interface;  // in monitor mode; "" = over UDP
  std::string state;
  std::optional<link::Address> address;
  std::optional<link::Secret> secret;
  uint16_t network = 0;
  std::string name = "vesta-node";
  std::string configuration;  // a file that is taken over at the start when its version is higher
  std::array<std::string, node::kMaxSerialPorts> serial;
  std::string one_wire;  // folder of the kernel's 1-Wire devices
  std::string gpio;      // folder of the kernel's pins
  std::string i2c;       // device
  std::string can;       // interface
  std::string display;   // file that the screens are written to
  // The node's own page; 0: none.
  uint16_t page_port = 0;
  bool page_exposed = false;
  std::string page_password;
  // Whose firmware is taken; without it none is.
  std::optional<crypto::P256Key> signer;
  uint16_t trial_s = 600;
};

// nullopt: `problem` says what is wrong.
std::optional<Options> ReadOptions(const std::string& path, std::string* problem);

}  // namespace vesta::node_linux
