#include "app/port_address.h"

#include "simulators/pty_port.h"
#include "simulators/tcp_port.h"

namespace vesta::app {

std::unique_ptr<simulators::Port> OpenPort(boost::asio::io_context& io, const std::string& to, std::string* error) {
  const std::string kind = to.substr(0, to.find(':'));
  const std::string rest = kind.size() < to.size() ? to.substr(kind.size() + 1) : "";
  if (kind == "pty" && !rest.empty()) return simulators::PtyPort::Open(io, rest, error);
  if (kind == "tcp" && !rest.empty()) {
    const bool only_port = rest.find(':') == std::string::npos;
    return simulators::TcpPort::Open(io, only_port ? "127.0.0.1:" + rest : rest, error);
  }
  *error = "\"" + to + "\" is not pty:PATH, tcp:PORT or tcp:ADDRESS:PORT";
  return nullptr;
}

}  // namespace vesta::app
