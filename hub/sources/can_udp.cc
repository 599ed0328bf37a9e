#include "hub/sources/can_udp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <vector>

#include "hub/sources/reconnecting.h"
#include "hub/sources/sender_guard.h"
#include "protocols/can_udp.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::udp;

// Holds a burst of a full bus for more than a second while the disk makes the loop wait.
constexpr int kDatagramBuffer = 256 * 1024;
// A number so far behind or ahead is a sender that begins anew.
constexpr uint32_t kFurthest = 1000;
// Senders whose sequence is watched at a time; the one that was silent longest gives way.
constexpr size_t kMaxSenders = 16;

class CanUdpCore final : public Reconnecting {
 public:
  CanUdpCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), socket_(io), guard_(config) {}

 private:
  struct Sender {
    udp::endpoint endpoint;
    uint32_t next = 0;  // the number that should come
    uint64_t used = 0;
  };

  void Open() override {
    const auto address = guard_.ListenAddress();
    if (!address) return Failed(address.error());
    boost::system::error_code error;
    const udp::endpoint endpoint(*address, config().tcp_port);
    socket_.open(endpoint.protocol(), error);
    if (!error && endpoint.protocol() == udp::v6()) socket_.set_option(boost::asio::ip::v6_only(false), error);
    if (!error) socket_.set_option(udp::socket::receive_buffer_size(kDatagramBuffer), error);
    if (!error) socket_.bind(endpoint, error);
    if (error) {
      const std::string hint = error == boost::asio::error::access_denied ? "ports below 1024 are for root only" : "";
      return Lost(fmt::format("cannot listen on {} port {}: {}", config().listen, config().tcp_port, error.message()),
                  hint, false);
    }
    boost::system::error_code ignored;
    const udp::endpoint local = socket_.local_endpoint(ignored);
    line().health().where = fmt::format("{} port {} (UDP)", local.address().to_string(), local.port());
    ++generation_;
    senders_.clear();
    const uint64_t generation = generation_;
    Established();
    if (generation == generation_ && !stopped()) Receive();
  }

  void Release() override {
    ++generation_;
    boost::system::error_code ignored;
    if (socket_.is_open()) socket_.close(ignored);
  }

  void Receive() {
    const auto self = std::static_pointer_cast<CanUdpCore>(shared_from_this());
    socket_.async_receive_from(boost::asio::buffer(received_), from_,
                               [self, generation = generation_](const boost::system::error_code& error, size_t size) {
                                 if (generation != self->generation_) return;
                                 if (error)
                                   return self->Lost(fmt::format("cannot receive: {}", error.message()), "", true);
                                 self->OnDatagram({self->received_.data(), size});
                                 if (generation == self->generation_) self->Receive();
                               });
  }

  void OnDatagram(Bytes datagram) {
    SourceHealth& health = line().health();
    if (!guard_.Allows(from_.address())) {
      ++health.refused_connections;
      return;
    }
    can::UdpFrames frames;
    if (!frames.Read(datagram)) {
      ++health.frames_rejected["can_udp"];
      return;
    }
    if (!InOrder(frames.sequence())) return;
    const uint64_t generation = generation_;
    for (uint8_t i = 0; i < frames.count() && generation == generation_; ++i) line().Received(frames.Next());
  }

  // False: late or twice.
  bool InOrder(uint32_t sequence) {
    auto sender = std::find_if(senders_.begin(), senders_.end(), [&](const Sender& s) { return s.endpoint == from_; });
    if (sender == senders_.end()) {
      if (senders_.size() < kMaxSenders) {
        sender = senders_.insert(senders_.end(), Sender{from_, sequence, 0});
      } else {
        sender = std::min_element(senders_.begin(), senders_.end(),
                                  [](const Sender& a, const Sender& b) { return a.used < b.used; });
        *sender = {from_, sequence, 0};
      }
    }
    sender->used = ++clock_;
    const uint32_t ahead = sequence - sender->next;
    const uint32_t behind = sender->next - sequence;
    // A sender that begins anew begins with 0; the number before the next one is a copy.
    const bool is_anew = sequence == 0 && behind > 1;
    if (!is_anew && ahead != 0 && behind <= kFurthest) {
      ++line().health().frames_discarded["udp_late"];
      return false;
    }
    if (!is_anew && ahead <= kFurthest && ahead > 0) line().health().frames_discarded["udp_lost"] += ahead;
    sender->next = sequence + 1;
    return true;
  }

  udp::socket socket_;
  udp::endpoint from_;
  std::array<uint8_t, 2048> received_{};  // one byte too many is no datagram of ours either
  const SenderGuard guard_;
  std::vector<Sender> senders_;
  uint64_t clock_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeCanUdpSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                         const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<CanUdpCore>(io, config, line, timing));
}

}  // namespace vesta::hub
