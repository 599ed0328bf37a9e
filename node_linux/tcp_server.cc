#include "node_linux/tcp_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vesta::node_linux {

TcpServer::TcpServer(uint16_t port, bool exposed) {
  constexpr int kBacklog = 4;
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(exposed ? INADDR_ANY : INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(listener_, kBacklog) == 0) {
    return;
  }
  problem_ = "the page's port " + std::to_string(port) + " can't be opened: " + std::strerror(errno);
  close(listener_);
  listener_ = -1;
}

TcpServer::~TcpServer() {
  Close();
  if (listener_ >= 0) close(listener_);
}

bool TcpServer::Accept() {
  if (listener_ < 0 || connection_ >= 0) return false;
  connection_ = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  is_broken_ = false;
  return connection_ >= 0;
}

size_t TcpServer::Read(std::span<uint8_t> out) {
  if (!is_open()) return 0;
  const ssize_t size = recv(connection_, out.data(), out.size(), 0);
  if (size > 0) return static_cast<size_t>(size);
  is_broken_ = size == 0 || (errno != EAGAIN && errno != EINTR);
  return 0;
}

size_t TcpServer::Write(std::span<const uint8_t> bytes) {
  if (connection_ < 0) return 0;
  const ssize_t size = send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size >= 0) return static_cast<size_t>(size);
  is_broken_ = errno != EAGAIN && errno != EINTR;
  return 0;
}

void TcpServer::Close() {
  if (connection_ < 0) return;
  // What came and was not read would make the kernel take back the answer.
  char rest[4096];
  shutdown(connection_, SHUT_WR);
  for (int i = 0; i < 8 && recv(connection_, rest, sizeof(rest), 0) > 0; ++i) {
  }
  close(connection_);
  connection_ = -1;
}

}  // namespace vesta::node_linux
