// Sends each piece as one UDP datagram to a fixed address. Nobody knows whether it is heard: there is no backlog.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <memory>
#include <string>

#include "simulators/port.h"

namespace vesta::simulators {

class UdpPort final : public Port {
 public:
  // `address` is "127.0.0.1:29536" or "[::1]:29536". nullptr: `error` says why.
  static std::unique_ptr<UdpPort> Open(boost::asio::io_context& io, const std::string& address, std::string* error);

  void Send(std::string_view bytes) override;
  size_t backlog() const override { return 0; }
  bool has_reader() const override { return true; }
  std::string where() const override;
  const PortCounts& counts() const override { return counts_; }

 private:
  explicit UdpPort(boost::asio::io_context& io) : socket_(io) {}

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint to_;
  PortCounts counts_;
};

}  // namespace vesta::simulators
