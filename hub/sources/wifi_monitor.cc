// A Linux Wi-Fi interface in monitor mode as the radio of a node network: frames are heard and sent with a packet
// socket, behind a filter that the kernel runs. docs/node-network.md says how the interface is set up and what
// acknowledges.
//
// A plain monitor interface does not acknowledge to the sender's radio: the link trusts only its own acknowledgements,
// so that costs air time and no reading. Facts: Linux Documentation/networking/packet_mmap.rst, mac80211-injection.rst.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "hub/sources/nodes.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/wifi_channel.h"
#include "protocols/espnow/filter.h"
#include "protocols/espnow/udp_air.h"

namespace vesta::hub {
namespace {

constexpr int kPerTurn = 64;
constexpr int kSocketBuffer = 512 * 1024;
constexpr size_t kMaxCaptured = 4096;  // radiotap and the longest frame
constexpr uint32_t kRate_kbps = 1000;  // what every chip hears

class WifiMonitor final : public Reconnecting {
 public:
  WifiMonitor(boost::asio::io_context& io, const SourceConfig& config, Line& line, SetAir set_air,
              const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), socket_(io), set_air_(std::move(set_air)) {}

 private:
  std::shared_ptr<WifiMonitor> Self() { return std::static_pointer_cast<WifiMonitor>(shared_from_this()); }

  void Open() override {
    const std::string& name = config().radio_interface;
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0) return Missing(fmt::format("there is no interface {}", name), "docs/node-network.md: monitor mode");
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      return Lost(fmt::format("cannot listen on {}: {}", name, std::strerror(errno)),
                  errno == EPERM ? "the service needs the capability CAP_NET_RAW" : "", false);
    }
    socket_.assign(fd);
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
    if (ioctl(fd, SIOCGIFHWADDR, &request) != 0) return Broken("cannot ask for its address");
    if (request.ifr_hwaddr.sa_family != ARPHRD_IEEE80211_RADIOTAP) {
      return Lost(fmt::format("{} is not in monitor mode", name), "ip link set IF down; iw dev IF set type monitor",
                  false);
    }
    AirAddress address;
    std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
    if (!Attach(fd, address)) return Broken("cannot set the filter");
    const int one = 1;
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = static_cast<int>(index);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return Broken("cannot listen");
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_UP) == 0) {
      return Lost(fmt::format("{} is down", name), fmt::format("ip link set {} up", name), false);
    }
    uint8_t channel = config().channel;
    if (channel != 0) {
      if (const std::string why = SetWifiChannel(index, channel); !why.empty()) {
        return Lost(fmt::format("{} does not take channel {}: {}", name, channel, why),
                    "another use of the same radio holds its channel, or the service needs CAP_NET_ADMIN", false);
      }
    }
    if (set_air_) set_air_(address, channel);
    line().WhenToSend([weak = std::weak_ptr(Self())] {
      if (const auto self = weak.lock()) self->SendAll();
    });
    Established();
    if (!stopped() && socket_.is_open()) Wait();
  }

  void Broken(const char* what) {
    Lost(fmt::format("{}: {}: {}", config().radio_interface, what, std::strerror(errno)), "", false);
  }

  static bool Attach(int fd, const AirAddress& own) {
    espnow::FilterOptions options;
    options.drop_own = true;
    options.own = own;
    const espnow::Filter filter = espnow::MakeFilter(options);
    std::array<sock_filter, espnow::kMaxFilterSize> program;
    static_assert(sizeof(program) == sizeof(filter.program));
    std::memcpy(program.data(), filter.program.data(), sizeof(program));
    const sock_fprog code{filter.size, program.data()};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code) == 0;
  }

  void Wait() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = Self()](const boost::system::error_code& error) {
                         if (!error && !self->stopped() && self->socket_.is_open()) self->TakeSome();
                       });
  }

  void TakeSome() {
    for (int i = 0; i < kPerTurn; ++i) {
      const ssize_t size = recv(socket_.native_handle(), captured_.data(), captured_.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Wait();
      if (size < 0) {
        return Lost(fmt::format("{} went away: {}", config().radio_interface, std::strerror(errno)), "", true);
      }
      CountLost();
      line().Received({captured_.data(), static_cast<size_t>(size)});
      SendAll();
      if (stopped() || !socket_.is_open()) return;
    }
    boost::asio::post(io(), [self = Self()] {
      if (!self->stopped() && self->socket_.is_open()) self->TakeSome();
    });
  }

  // The kernel tells how many it lost since it was asked last; only now and then.
  void CountLost() {
    if (++taken_ % 256 != 0) return;
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    if (getsockopt(socket_.native_handle(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 && stats.tp_drops != 0) {
      line().health().frames_discarded["socket_full"] += stats.tp_drops;
    }
  }

  void SendAll() {
    for (Bytes datagram = line().ToSend(); !datagram.empty(); datagram = line().ToSend()) {
      if (!socket_.is_open()) return;
      const Bytes frame = datagram.subspan(espnow::kUdpAirHeadSize);
      const bool is_unicast = (frame[4] & 1) == 0;
      espnow::WriteTransmitRadiotap(
          kRate_kbps, is_unicast,
          std::span<uint8_t, espnow::kTransmitRadiotapSize>(sent_.data(), espnow::kTransmitRadiotapSize));
      const size_t size = std::min(frame.size(), sent_.size() - espnow::kTransmitRadiotapSize);
      std::memcpy(&sent_[espnow::kTransmitRadiotapSize], frame.data(), size);
      if (send(socket_.native_handle(), sent_.data(), espnow::kTransmitRadiotapSize + size, 0) < 0) {
        ++line().health().counters["not_sent"];
      }
      line().Sent(datagram.size());
    }
  }

  void Release() override {
    boost::system::error_code ignored;
    if (socket_.is_open()) socket_.close(ignored);
  }

  boost::asio::posix::stream_descriptor socket_;
  const SetAir set_air_;
  std::array<uint8_t, kMaxCaptured> captured_{};
  std::array<uint8_t, kMaxCaptured> sent_{};
  uint64_t taken_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeWifiMonitor(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air, const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<WifiMonitor>(io, config, line, std::move(set_air), timing));
}

}  // namespace vesta::hub
