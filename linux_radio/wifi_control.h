// What the kernel says of Wi-Fi radios, and the setting of a monitor interface's channel, over generic netlink
// (nl80211).
//
// Each call opens a socket, asks and closes: it is done when an interface is opened, and by the doctor. Facts:
// linux/nl80211.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vesta::hub {

// "" when it was done, else why not.
std::string SetWifiChannel(unsigned interface_index, uint8_t channel);

struct WifiRadio {
  std::string name;  // "phy0"
  bool can_monitor = false;
  bool can_acknowledge = false;  // active monitor: answers to its own address
};

// Empty and *problem when the kernel has no Wi-Fi, or does not answer.
std::vector<WifiRadio> ListWifiRadios(std::string* problem);

}  // namespace vesta::hub
