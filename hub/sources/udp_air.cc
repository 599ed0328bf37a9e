// Frames of nodes as UDP datagrams: docs/formats/udp-air.md.
#include "protocols/espnow/udp_air.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <vector>

#include "hub/sources/nodes.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/sender_guard.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::udp;

// About a thousand frames: a flood of half a second while the disk makes the loop wait.
constexpr int kAirBuffer = 512 * 1024;
// Datagrams taken in one turn of the main thread, so that a flood lets the rest of the hub work.
constexpr int kDatagramsPerTurn = 64;

class UdpAir final : public Reconnecting {
 public:
  UdpAir(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), socket_(io), guard_(config) {}

 private:
  struct Route {
    udp::endpoint endpoint;
    uint64_t used = 0;
  };

  std::shared_ptr<UdpAir> Self() { return std::static_pointer_cast<UdpAir>(shared_from_this()); }

  void Open() override {
    const auto address = guard_.ListenAddress();
    if (!address) return Failed(address.error());
    boost::system::error_code error;
    const udp::endpoint endpoint(*address, config().air_port);
    socket_.open(endpoint.protocol(), error);
    if (!error && endpoint.protocol() == udp::v6()) socket_.set_option(boost::asio::ip::v6_only(false), error);
    if (!error) socket_.set_option(udp::socket::receive_buffer_size(kAirBuffer), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error) socket_.bind(endpoint, error);
    if (error) {
      return Lost(
          fmt::format("cannot listen on {} UDP port {}: {}", config().listen, config().air_port, error.message()), "",
          false);
    }
    line().health().where = fmt::format("{} UDP port {}", config().listen, config().air_port);
    line().WhenToSend([weak = std::weak_ptr(Self())] {
      if (const auto self = weak.lock()) self->SendAll();
    });
    Established();
    if (!stopped()) Wait();
  }

  void Wait() {
    socket_.async_wait(udp::socket::wait_read, [self = Self()](const boost::system::error_code& error) {
      if (!error && !self->stopped()) self->TakeSome();
    });
  }

  void TakeSome() {
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
      boost::system::error_code error;
      const size_t size = socket_.receive_from(boost::asio::buffer(received_), from_, 0, error);
      if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) return Wait();
      // What came back to an answer of ours: its receiver is gone.
      if (error == boost::asio::error::connection_refused) continue;
      if (error) return Lost(fmt::format("receiving failed: {}", error.message()), "", true);
      Take({received_.data(), size});
      if (stopped() || !socket_.is_open()) return;
    }
    boost::asio::post(io(), [self = Self()] {
      if (!self->stopped() && self->socket_.is_open()) self->TakeSome();
    });
  }

  void Take(Bytes datagram) {
    if (!guard_.Allows(from_.address())) {
      ++line().health().refused_connections;
      return;
    }
    espnow::Packet packet;
    if (espnow::ReadUdpAir(datagram, &packet) && packet.verdict == espnow::Verdict::kEspNow) Remember(packet.sender);
    line().Received(datagram);
    SendAll();
  }

  void Remember(const AirAddress& sender) {
    auto route = routes_.find(sender);
    if (route == routes_.end()) {
      if (routes_.size() >= kMaxAirRoutes) {
        routes_.erase(std::min_element(routes_.begin(), routes_.end(),
                                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
        ++line().health().counters["routes_forgotten"];
      }
      route = routes_.emplace(sender, Route{}).first;
    }
    route->second = {from_, ++clock_};
  }

  void SendAll() {
    for (Bytes datagram = line().ToSend(); !datagram.empty(); datagram = line().ToSend()) {
      espnow::Packet packet;
      const auto route = espnow::ReadUdpAir(datagram, &packet) ? routes_.find(packet.receiver) : routes_.end();
      if (!socket_.is_open()) return;
      if (route == routes_.end()) {
        ++line().health().counters["no_route"];
      } else {
        boost::system::error_code error;
        socket_.send_to(boost::asio::buffer(datagram.data(), datagram.size()), route->second.endpoint, 0, error);
        if (error) ++line().health().counters["not_sent"];
      }
      line().Sent(datagram.size());
    }
  }

  void Release() override {
    boost::system::error_code ignored;
    if (socket_.is_open()) socket_.close(ignored);
  }

  udp::socket socket_;
  udp::endpoint from_;
  std::array<uint8_t, 2048> received_{};  // longer than any frame
  const SenderGuard guard_;
  std::map<AirAddress, Route> routes_;
  uint64_t clock_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeUdpAir(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                   const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<UdpAir>(io, config, line, timing));
}

}  // namespace vesta::hub
