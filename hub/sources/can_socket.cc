#include "hub/sources/can_socket.h"

#include <fmt/format.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "hub/sources/can_interface.h"

namespace vesta::hub {
namespace {

// A full bus of 250 kbit/s has some 1,900 frames a second, and the kernel counts 768 bytes for each: more than two
// seconds that the loop may be held up. Without CAP_NET_ADMIN the kernel gives no more than net.core.rmem_max: 0.3 s
// with its usual value. What did not fit is counted (SO_RXQ_OVFL).
constexpr int kSocketBuffer = 2 * 1024 * 1024;

tl::unexpected<CanSocketError> SocketFault(std::string what, std::string hint = {}, bool missing = false) {
  return tl::unexpected<CanSocketError>(CanSocketError{std::move(what), std::move(hint), missing});
}

bool ReadHex(std::string_view text, uint32_t* out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *out, 16);
  return code == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<CanFilter> ParseCanFilter(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || 2 * colon + 1 != text.size() || (colon != 3 && colon != 8)) return std::nullopt;
  CanFilter filter;
  const std::string_view view(text);
  if (!ReadHex(view.substr(0, colon), &filter.id) || !ReadHex(view.substr(colon + 1), &filter.mask)) {
    return std::nullopt;
  }
  const bool extended = colon == 8;
  const uint32_t most = extended ? CAN_EFF_MASK : CAN_SFF_MASK;
  if (filter.id > most || filter.mask > most) return std::nullopt;
  if (extended) filter.id |= CAN_EFF_FLAG;
  filter.mask |= CAN_EFF_FLAG | CAN_RTR_FLAG;
  return filter;
}

tl::expected<int, CanSocketError> OpenCanSocket(const SourceConfig& config) {
  const std::string& name = config.can_interface;
  const int fd = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
  if (fd < 0) {
    return SocketFault(fmt::format("no CAN socket: {}", std::strerror(errno)),
                       "does this kernel have CAN? on Debian: modprobe can_raw");
  }
  const auto fail = [fd](auto fault) {
    close(fd);
    return fault;
  };
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) {
    return fail(SocketFault(fmt::format("there is no interface {} (yet)", name),
                            "is the adapter plugged in? `ip link` lists them", true));
  }
  if (const auto facts = ReadCanInterface(name)) {
    if (!facts->is_can) return fail(SocketFault(fmt::format("{} is no CAN interface", name)));
    if (!facts->is_up) {
      return fail(SocketFault(fmt::format("{} is down", name),
                              fmt::format("ip link set {} up type can bitrate 250000 restart-ms 100{}", name,
                                          config.listen_only ? " listen-only on" : ""),
                              true));
    }
  }
  const can_err_mask_t all_errors = CAN_ERR_MASK;
  const int on = 1;
  bool good = setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &all_errors, sizeof all_errors) == 0;
  if (!config.can_filters.empty()) {
    std::vector<can_filter> filters;
    for (const std::string& text : config.can_filters) {
      if (const auto filter = ParseCanFilter(text)) filters.push_back({filter->id, filter->mask});
    }
    good = good && setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, filters.data(),
                              static_cast<socklen_t>(filters.size() * sizeof(can_filter))) == 0;
  }
  setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  }
  sockaddr_can address{};
  address.can_family = AF_CAN;
  address.can_ifindex = static_cast<int>(index);
  good = good && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!good) return fail(SocketFault(fmt::format("cannot listen on {}: {}", name, std::strerror(errno))));
  return fd;
}

}  // namespace vesta::hub
