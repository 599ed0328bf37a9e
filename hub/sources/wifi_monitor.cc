// A Linux Wi-Fi interface in monitor mode as the radio of a node network: frames are heard and sent with a packet
// socket, behind a filter that the kernel runs. docs/node-network.md says how the interface is set up and what
// acknowledges.
//
// A plain monitor interface does not acknowledge to the sender's radio: the link trusts only its own acknowledgements,
// so that costs air time and no reading. Facts: Linux Documentation/networking/packet_mmap.rst, mac80211-injection.rst.
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "hub/sources/nodes.h"
#include "hub/sources/reconnecting.h"
#include "linux_radio/monitor_socket.h"
#include "linux_radio/wifi_control.h"
#include "protocols/espnow/udp_air.h"

namespace vesta::hub {
namespace {

constexpr int kPerTurn = 64;
// Two calls to the kernel; what is sent meanwhile is lost.
constexpr auto kLookAtChannel = std::chrono::seconds(2);
constexpr size_t kMaxCaptured = 4096;  // radiotap and the longest frame
constexpr uint32_t kRate_kbps = 1000;  // what every chip hears

class WifiMonitor final : public Reconnecting {
 public:
  WifiMonitor(boost::asio::io_context& io, const SourceConfig& config, Line& line, SetAir set_air,
              const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), socket_(io), look_(io), set_air_(std::move(set_air)) {}

 private:
  std::shared_ptr<WifiMonitor> Self() { return std::static_pointer_cast<WifiMonitor>(shared_from_this()); }

  void Open() override {
    const std::string& name = config().radio_interface;
    linux_radio::MonitorSocket opened;
    if (const auto fault = linux_radio::OpenMonitor(name, &opened)) {
      return fault->is_missing ? Missing(fault->what, fault->hint) : Lost(fault->what, fault->hint, false);
    }
    socket_.assign(opened.fd);
    index_ = opened.interface_index;
    address_ = opened.address;
    channel_ = config().channel;
    if (channel_ != 0) {
      if (const std::string why = control_.SetChannel(index_, channel_); !why.empty()) {
        return Lost(fmt::format("{} does not take channel {}: {}", name, channel_, why),
                    "another use of the same radio holds its channel, or the service needs CAP_NET_ADMIN", false);
      }
    } else {
      channel_ = control_.ReadChannel(index_);
    }
    TellAir();
    line().WhenToSend([weak = std::weak_ptr(Self())] {
      if (const auto self = weak.lock()) self->SendAll();
    });
    Established();
    if (stopped() || !socket_.is_open()) return;
    Wait();
    WatchChannel();
  }

  void TellAir() {
    line().health().where = fmt::format("{} channel {}", config().radio_interface, channel_);
    if (set_air_) set_air_(address_, channel_);
  }

  // An access point on the same radio takes the interface along when its channel changes. Nodes that lost the hub
  // search for it.
  void WatchChannel() {
    look_.expires_after(kLookAtChannel);
    look_.async_wait([self = Self(), generation = generation_](const boost::system::error_code& error) {
      if (error || self->stopped() || !self->socket_.is_open() || generation != self->generation_) return;
      const uint8_t channel = self->control_.ReadChannel(self->index_);
      if (channel != 0 && channel != self->channel_) {
        spdlog::warn("source {}: {} was moved from channel {} to {}", self->config().name,
                     self->config().radio_interface, self->channel_, channel);
        ++self->line().health().counters["channel_moves"];
        self->channel_ = channel;
        self->TellAir();
      }
      self->WatchChannel();
    });
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
    ++generation_;
    look_.cancel();
    boost::system::error_code ignored;
    if (socket_.is_open()) socket_.close(ignored);
  }

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer look_;
  const SetAir set_air_;
  linux_radio::WifiControl control_;
  unsigned index_ = 0;
  AirAddress address_ = {};
  uint8_t channel_ = 0;
  uint64_t generation_ = 0;
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
