#include "hub/sources/sender_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "hub/sources/tcp_socket.h"

namespace vesta::hub {

SenderGuard::SenderGuard(const SourceConfig& config) : listen_(config.listen), exposed_(config.exposed) {
  for (const std::string& text : config.allow) {
    if (const std::optional<Network> network = ParseNetwork(text)) allow_.push_back(*network);
  }
}

tl::expected<boost::asio::ip::address, std::string> SenderGuard::ListenAddress() const {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(listen_, error);
  if (error) return tl::unexpected(fmt::format("{} is no IP address", listen_));
  if (!IsLoopback(ToAddressBytes(address)) && (!exposed_ || allow_.empty())) {
    return tl::unexpected(fmt::format("{} can be reached from other computers: that needs exposed and allow", listen_));
  }
  return address;
}

bool SenderGuard::Allows(const boost::asio::ip::address& sender) const {
  const AddressBytes address = ToAddressBytes(sender);
  if (allow_.empty()) return IsLoopback(address);
  return std::any_of(allow_.begin(), allow_.end(), [&](const Network& one) { return one.Contains(address); });
}

}  // namespace vesta::hub
