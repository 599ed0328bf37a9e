#include "simulators/tcp_port.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace vesta::simulators {

using boost::asio::ip::tcp;
using boost::system::error_code;

struct TcpPort::Client {
  explicit Client(tcp::socket connected) : socket(std::move(connected)) {}
  tcp::socket socket;
  std::string pending;  // not yet given to the kernel
  std::string writing;
  char heard[512];
};

bool ParseEndpoint(const std::string& text, tcp::endpoint* endpoint, std::string* error) {
  const size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  const std::string number = colon == std::string::npos ? text : text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), port);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  error_code failed;
  const auto address = boost::asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, failed);
  if (code != std::errc() || end != number.data() + number.size() || failed) {
    *error = "\"" + text + "\" is not ADDRESS:PORT, such as 127.0.0.1:2323 or [::1]:2323";
    return false;
  }
  *endpoint = tcp::endpoint(address, port);
  return true;
}

std::unique_ptr<TcpPort> TcpPort::Open(boost::asio::io_context& io, const std::string& address, std::string* error) {
  tcp::endpoint endpoint;
  if (!ParseEndpoint(address, &endpoint, error)) return nullptr;
  std::unique_ptr<TcpPort> port(new TcpPort(io));
  error_code failed;
  port->acceptor_.open(endpoint.protocol(), failed);
  if (!failed) port->acceptor_.set_option(boost::asio::socket_base::reuse_address(true), failed);
  if (!failed) port->acceptor_.bind(endpoint, failed);
  if (!failed) port->acceptor_.listen(boost::asio::socket_base::max_listen_connections, failed);
  if (!failed) port->endpoint_ = port->acceptor_.local_endpoint(failed);
  if (failed) {
    *error = "cannot listen on " + address + ": " + failed.message();
    return nullptr;
  }
  port->Accept();
  return port;
}

TcpPort::~TcpPort() {
  *alive_ = false;
  DropClients();
}

std::string TcpPort::where() const {
  const std::string host = endpoint_.address().to_string();
  return (endpoint_.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint_.port());
}

void TcpPort::Accept() {
  acceptor_.async_accept([this, alive = alive_](const error_code& failed, tcp::socket socket) {
    if (!*alive || failed == boost::asio::error::operation_aborted) return;
    if (!failed && clients_.size() < kTcpClientsMax) {
      auto client = std::make_shared<Client>(std::move(socket));
      clients_.push_back(client);
      Read(client);
    }
    Accept();
  });
}

void TcpPort::Read(const std::shared_ptr<Client>& client) {
  client->socket.async_read_some(boost::asio::buffer(client->heard),
                                 [this, alive = alive_, client](const error_code& failed, size_t count) {
                                   if (!*alive) return;
                                   if (!failed && take_) take_({client->heard.data(), count});
                                   if (!failed) return Read(client);
                                   error_code ignored;
                                   client->socket.close(ignored);
                                   RemoveClosed();
                                 });
}

void TcpPort::RemoveClosed() {
  std::erase_if(clients_, [](const std::shared_ptr<Client>& client) { return !client->socket.is_open(); });
}

void TcpPort::Send(std::string_view bytes) {
  if (clients_.empty()) counts_.lost_bytes += bytes.size();
  for (const auto& client : clients_) {
    if (client->pending.size() + client->writing.size() + bytes.size() > kPortBacklogMax_bytes) {
      counts_.lost_bytes += bytes.size();
      continue;
    }
    client->pending += bytes;
    Flush(client);
  }
}

void TcpPort::Flush(const std::shared_ptr<Client>& client) {
  if (!client->writing.empty() || client->pending.empty()) return;
  client->writing.swap(client->pending);
  boost::asio::async_write(client->socket, boost::asio::buffer(client->writing),
                           [this, alive = alive_, client](const error_code& failed, size_t size) {
                             if (!*alive) return;
                             counts_.sent_bytes += size;
                             counts_.lost_bytes += client->writing.size() - size;
                             client->writing.clear();
                             if (!failed) return Flush(client);
                             counts_.lost_bytes += client->pending.size();
                             client->pending.clear();
                             error_code ignored;
                             client->socket.close(ignored);
                             RemoveClosed();
                           });
}

size_t TcpPort::backlog() const {
  size_t most = 0;
  for (const auto& client : clients_) most = std::max(most, client->pending.size() + client->writing.size());
  return most;
}

bool TcpPort::has_reader() const { return !clients_.empty(); }

void TcpPort::DropClients() {
  for (const auto& client : clients_) {
    error_code ignored;
    client->socket.shutdown(tcp::socket::shutdown_both, ignored);
    client->socket.close(ignored);
  }
  clients_.clear();
}

}  // namespace vesta::simulators
