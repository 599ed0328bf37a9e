#include "linux_radio/monitor_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "protocols/espnow/filter.h"

namespace vesta::linux_radio {
namespace {

// About a thousand frames: a burst while the loop is held up.
constexpr int kSocketBuffer = 512 * 1024;

bool Attach(int fd, const espnow::Address& own) {
  espnow::FilterOptions options;
  options.drop_own = true;
  options.own = own;
  const espnow::Filter filter = espnow::MakeFilter(options);
  std::array<sock_filter, espnow::kMaxFilterSize> program;
  static_assert(sizeof(program) == sizeof(filter.program));
  std::memcpy(program.data(), filter.program.data(), sizeof(program));
  const sock_fprog code{filter.size, program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code) == 0;
}

MonitorFault Broken(const std::string& name, const char* what) {
  return {name + ": " + what + ": " + std::strerror(errno), "", false};
}

std::optional<MonitorFault> SetUp(const std::string& name, MonitorSocket* out) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  if (ioctl(out->fd, SIOCGIFHWADDR, &request) != 0) return Broken(name, "cannot ask for its address");
  if (request.ifr_hwaddr.sa_family != ARPHRD_IEEE80211_RADIOTAP) {
    return MonitorFault{name + " is not in monitor mode", "ip link set IF down; iw dev IF set type monitor", false};
  }
  std::memcpy(out->address.data(), request.ifr_hwaddr.sa_data, out->address.size());
  // The filter before the first packet.
  if (!Attach(out->fd, out->address)) return Broken(name, "cannot set the filter");
  const int on = 1;
  setsockopt(out->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(out->fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ALL);
  where.sll_ifindex = static_cast<int>(out->interface_index);
  if (bind(out->fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return Broken(name, "cannot listen");
  if (ioctl(out->fd, SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_UP) == 0) {
    return MonitorFault{name + " is down", "ip link set " + name + " up", false};
  }
  return std::nullopt;
}

}  // namespace

std::optional<MonitorFault> OpenMonitor(const std::string& interface_name, MonitorSocket* out) {
  *out = {};
  out->interface_index = if_nametoindex(interface_name.c_str());
  if (out->interface_index == 0) {
    return MonitorFault{"there is no interface " + interface_name, "docs/node-network.md: monitor mode", true};
  }
  // No protocol: nothing is captured before the filter is there.
  out->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out->fd < 0) {
    return MonitorFault{"cannot listen on " + interface_name + ": " + std::strerror(errno),
                        errno == EPERM ? "the service needs the capability CAP_NET_RAW" : "", false};
  }
  std::optional<MonitorFault> fault = SetUp(interface_name, out);
  if (fault) {
    close(out->fd);
    out->fd = -1;
  }
  return fault;
}

}  // namespace vesta::linux_radio
