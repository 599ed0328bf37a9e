#include "node_linux/udp_link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vesta::node_linux {

namespace {

constexpr int64_t kReopen_ms = 5000;

int64_t NowMs() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

}  // namespace

void UdpLink::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool UdpLink::Fail(const std::string& what) {
  problem_ = what;
  Close();
  next_open_ms_ = NowMs() + kReopen_ms;
  return false;
}

bool UdpLink::Open() {
  if (fd_ >= 0) return true;
  if (NowMs() < next_open_ms_) return false;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found);
  if (error != 0) return Fail(host_ + ": " + gai_strerror(error));
  if (!exposed_ && !IsLoopback(found->ai_addr)) {
    freeaddrinfo(found);
    return Fail(host_ + " is another computer: that needs \"exposed\": true");
  }
  fd_ = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool is_good = fd_ >= 0 && connect(fd_, found->ai_addr, found->ai_addrlen) == 0;
  const int reason = errno;
  freeaddrinfo(found);
  if (!is_good) return Fail(host_ + ": " + std::strerror(reason));
  problem_.clear();
  return true;
}

bool UdpLink::Send(std::span<const uint8_t> datagram) {
  if (!Open()) return false;
  if (send(fd_, datagram.data(), datagram.size(), 0) >= 0) return true;
  // Nobody listens there now: the socket is good, the hub is not there. Anything else: anew.
  if (errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR) return false;
  return Fail(host_ + ": " + std::strerror(errno));
}

std::span<const uint8_t> UdpLink::Next() {
  for (int tries = 0; fd_ >= 0 && tries < 4; ++tries) {
    const ssize_t size = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (size > 0) return std::span<const uint8_t>(buffer_).first(static_cast<size_t>(size));
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
  }
  return {};
}

}  // namespace vesta::node_linux
