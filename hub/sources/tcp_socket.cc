#include "hub/sources/tcp_socket.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace vesta::hub {
namespace {

void SetOption(int fd, int level, int option, int value) {
  // A kernel that lacks one of these leaves the silence timeout to notice a dead peer.
  setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void SetKeepAlive(boost::asio::ip::tcp::socket& socket) {
  const int fd = socket.native_handle();
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle_s);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveInterval_s);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged_ms);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

AddressBytes ToAddressBytes(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  const ip::address_v6 v6 = address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6();
  AddressBytes bytes{};
  const ip::address_v6::bytes_type from = v6.to_bytes();
  std::copy(from.begin(), from.end(), bytes.begin());
  return bytes;
}

std::string EndpointText(const boost::asio::ip::tcp::endpoint& endpoint) {
  namespace ip = boost::asio::ip;
  const ip::address address = endpoint.address();
  if (address.is_v4()) return fmt::format("{}:{}", address.to_string(), endpoint.port());
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return fmt::format("{}:{}", ip::make_address_v4(ip::v4_mapped, v6).to_string(), endpoint.port());
  }
  return fmt::format("[{}]:{}", v6.to_string(), endpoint.port());
}

}  // namespace vesta::hub
