// Who may reach a source that listens on the network: where it may listen, and whose bytes it takes.
//
// The protocols of these sources have no password. Beyond loopback they listen only when the configuration says
// `exposed` and names the senders in `allow`; without an allow-list only this computer may send.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "hub/config/config.h"
#include "hub/config/network.h"

namespace vesta::hub {

class SenderGuard {
 public:
  explicit SenderGuard(const SourceConfig& config);

  // The address to listen on. The error says, for people, why the source may not listen there.
  tl::expected<boost::asio::ip::address, std::string> ListenAddress() const;
  bool Allows(const boost::asio::ip::address& sender) const;

 private:
  std::string listen_;
  bool exposed_;
  std::vector<Network> allow_;
};

}  // namespace vesta::hub
