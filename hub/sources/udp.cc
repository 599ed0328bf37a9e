#include "hub/sources/udp.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

#include "hub/sources/reconnecting.h"
#include "hub/sources/sender_guard.h"
#include "protocols/ble_advert.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::udp;

class UdpCore final : public Reconnecting {
 public:
  UdpCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), socket_(io), guard_(config) {}

 private:
  void Open() override {
    const auto address = guard_.ListenAddress();
    if (!address) return Failed(address.error());
    boost::system::error_code error;
    if (!Bind(udp::endpoint(*address, config().tcp_port), &error)) {
      return Lost(
          fmt::format("cannot listen on {} UDP port {}: {}", config().listen, config().tcp_port, error.message()), "",
          false);
    }
    const udp::endpoint local = socket_.local_endpoint(error);
    line().health().where = fmt::format("{} UDP port {}", config().listen, local.port());
    lost_in_kernel_ = 0;
    Established();
    if (!stopped()) Wait();
  }

  bool Bind(const udp::endpoint& endpoint, boost::system::error_code* error) {
    socket_.open(endpoint.protocol(), *error);
    if (!*error && endpoint.protocol() == udp::v6()) socket_.set_option(boost::asio::ip::v6_only(false), *error);
    if (!*error) socket_.non_blocking(true, *error);
    if (!*error) socket_.bind(endpoint, *error);
    if (*error) return false;
    const int one = 1;
    const int buffer = kDatagramBufferBytes;
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    return true;
  }

  std::shared_ptr<UdpCore> Self() { return std::static_pointer_cast<UdpCore>(shared_from_this()); }

  void Wait() {
    socket_.async_wait(udp::socket::wait_read, [self = Self()](const boost::system::error_code& error) {
      if (error || self->stopped()) return;
      self->TakeSome();
    });
  }

  void TakeSome() {
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
      const ssize_t size = ReceiveOne();
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Wait();
      if (size < 0) return Lost(fmt::format("receiving failed: {}", std::strerror(errno)), "", true);
      Take(static_cast<size_t>(size));
      if (stopped()) return;
    }
    // More may wait, and so may others.
    boost::asio::post(io(), [self = Self()] {
      if (!self->stopped() && self->socket_.is_open()) self->TakeSome();
    });
  }

  ssize_t ReceiveOne() {
    iovec part = {datagram_.data(), datagram_.size()};
    msghdr header{};
    header.msg_name = sender_.data();
    header.msg_namelen = static_cast<socklen_t>(sender_.capacity());
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, 64> control{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket_.native_handle(), &header, 0);
    if (size < 0) return size;
    sender_.resize(header.msg_namelen);
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
      if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SO_RXQ_OVFL) CountLost(CMSG_DATA(item));
    }
    return size;
  }

  // The kernel tells how many it lost since the socket was opened.
  void CountLost(const unsigned char* data) {
    uint32_t lost = 0;
    std::memcpy(&lost, data, sizeof(lost));
    if (lost != lost_in_kernel_) line().health().frames_discarded["socket_full"] += lost - lost_in_kernel_;
    lost_in_kernel_ = lost;
  }

  void Take(size_t size) {
    if (!guard_.Allows(sender_.address())) {
      ++line().health().refused_connections;
    } else if (size > ble::kMaxAdvertSize) {
      ++line().health().frames_discarded["overlong"];
    } else {
      line().Received({datagram_.data(), size});
    }
  }

  void Release() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  udp::socket socket_;
  udp::endpoint sender_;
  const SenderGuard guard_;
  std::array<uint8_t, ble::kMaxAdvertSize + 1> datagram_{};  // one more, to know what is too long
  uint32_t lost_in_kernel_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeUdpSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                      const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<UdpCore>(io, config, line, timing));
}

}  // namespace vesta::hub
