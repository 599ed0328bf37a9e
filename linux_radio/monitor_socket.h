// A packet socket on a Wi-Fi interface in monitor mode, behind a filter that the kernel runs: ESP-NOW frames of others
// and little else come out of it; radiotap and frame go in (protocols/espnow). The hub's source and the node program
// share it; each reads, sends and tunes for itself.
//
// Needs CAP_NET_RAW. The interface has to be there, in monitor mode and up. Facts: Linux
// Documentation/networking/packet_mmap.rst, mac80211-injection.rst.
#pragma once

#include <optional>
#include <string>

#include "protocols/espnow/frame.h"

namespace vesta::linux_radio {

struct MonitorSocket {
  int fd = -1;  // does not block; the caller closes it
  unsigned interface_index = 0;
  espnow::Address address = {};  // of the interface
};

struct MonitorFault {
  std::string what;
  std::string hint;
  bool is_missing = false;  // there is no such interface (yet)
};

// nullopt: it is open.
std::optional<MonitorFault> OpenMonitor(const std::string& interface_name, MonitorSocket* out);

}  // namespace vesta::linux_radio
