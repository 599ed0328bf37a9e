#include "simulators/udp_port.h"

#include "simulators/tcp_port.h"

namespace vesta::simulators {

std::unique_ptr<UdpPort> UdpPort::Open(boost::asio::io_context& io, const std::string& address, std::string* error) {
  boost::asio::ip::tcp::endpoint parsed;
  if (!ParseEndpoint(address, &parsed, error)) return nullptr;
  std::unique_ptr<UdpPort> port(new UdpPort(io));
  port->to_ = {parsed.address(), parsed.port()};
  boost::system::error_code failed;
  port->socket_.open(port->to_.protocol(), failed);
  if (!failed) port->socket_.non_blocking(true, failed);
  if (!failed) return port;
  *error = "cannot send to " + address + ": " + failed.message();
  return nullptr;
}

void UdpPort::Send(std::string_view bytes) {
  boost::system::error_code failed;
  const size_t sent = socket_.send_to(boost::asio::buffer(bytes.data(), bytes.size()), to_, 0, failed);
  (failed ? counts_.lost_bytes : counts_.sent_bytes) += failed ? bytes.size() : sent;
}

std::string UdpPort::where() const { return to_.address().to_string() + ":" + std::to_string(to_.port()) + " (UDP)"; }

}  // namespace vesta::simulators
