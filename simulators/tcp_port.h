// A TCP server that stands in for a serial-to-network bridge: every client hears the same bytes; what clients send is
// read and, unless somebody listens, ignored, as a meter does.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulators/port.h"

namespace vesta::simulators {

inline constexpr size_t kTcpClientsMax = 16;  // further ones are closed at once

class TcpPort final : public Port {
 public:
  // `address` is "127.0.0.1:2323" or "[::1]:2323"; port 0 takes any free one. nullptr: `error` says why.
  static std::unique_ptr<TcpPort> Open(boost::asio::io_context& io, const std::string& address, std::string* error);
  ~TcpPort() override;

  void Send(std::string_view bytes) override;
  void Listen(std::function<void(std::string_view)> take) override { take_ = std::move(take); }
  size_t backlog() const override;
  bool has_reader() const override;
  std::string where() const override;
  const PortCounts& counts() const override { return counts_; }
  uint16_t tcp_port() const { return endpoint_.port(); }

  // Closes all connections, as a bridge that restarts.
  void DropClients();

 private:
  struct Client;

  explicit TcpPort(boost::asio::io_context& io) : acceptor_(io) {}
  void Accept();
  void Read(const std::shared_ptr<Client>& client);
  void Flush(const std::shared_ptr<Client>& client);
  void RemoveClosed();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint endpoint_;
  std::vector<std::shared_ptr<Client>> clients_;
  std::function<void(std::string_view)> take_;
  PortCounts counts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// "127.0.0.1:2323" or "[::1]:2323" by number; no names. False: `error` says what is wrong.
bool ParseEndpoint(const std::string& text, boost::asio::ip::tcp::endpoint* endpoint, std::string* error);

}  // namespace vesta::simulators
