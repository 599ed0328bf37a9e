// What both TCP sources do with a connection: options, names of peers, words for errors.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <string>

#include "hub/config/network.h"

namespace vesta::hub {

// A peer that is gone without a word is noticed after 60 + 3 x 10 s, even when nothing is to be said.
inline constexpr int kKeepAliveIdle_s = 60;
inline constexpr int kKeepAliveInterval_s = 10;
inline constexpr int kKeepAliveProbes = 3;
// What was sent and not acknowledged for so long ends the connection.
inline constexpr int kUnacknowledged_ms = 30000;

void SetKeepAlive(boost::asio::ip::tcp::socket& socket);

AddressBytes ToAddressBytes(const boost::asio::ip::address& address);

// "192.168.1.20:2000", "[fe80::1]:2000"; IPv4 that came over an IPv6 socket is shown as IPv4.
std::string EndpointText(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace vesta::hub
