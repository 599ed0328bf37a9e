#include "hub/sources/tcp_listener.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <vector>

#include "hub/sources/byte_pump.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/sender_guard.h"
#include "hub/sources/tcp_socket.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::tcp;

// Connections that wait to be looked at; each is taken or refused at once.
constexpr int kBacklog = 8;
// Refusals are logged at most so often; the counter has them all.
constexpr auto kLogEvery = std::chrono::minutes(1);

class TcpListenerCore final : public Reconnecting {
 public:
  TcpListenerCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), acceptor_(io), again_(io), guard_(config) {}

 private:
  using Clock = std::chrono::steady_clock;

  void Open() override {
    const auto address = guard_.ListenAddress();
    if (!address) return Failed(address.error());
    boost::system::error_code error;
    const tcp::endpoint endpoint(*address, config().tcp_port);
    where_ = EndpointText(endpoint);
    if (!Listen(endpoint, &error)) {
      const std::string hint = error == boost::asio::error::access_denied ? "ports below 1024 are for root only" : "";
      return Lost(fmt::format("cannot listen on {}: {}", where_, error.message()), hint, false);
    }
    boost::system::error_code ignored;
    where_ = EndpointText(acceptor_.local_endpoint(ignored));  // with the port that was given for 0
    line().health().where = where_;
    line().health().hint = "it listens; no sender has connected yet";
    Accept();
  }

  bool Listen(const tcp::endpoint& endpoint, boost::system::error_code* error) {
    acceptor_.open(endpoint.protocol(), *error);
    if (!*error) acceptor_.set_option(tcp::acceptor::reuse_address(true), *error);
    if (!*error && endpoint.protocol() == tcp::v6()) acceptor_.set_option(boost::asio::ip::v6_only(false), *error);
    if (!*error) acceptor_.bind(endpoint, *error);
    if (!*error) acceptor_.listen(kBacklog, *error);
    if (!*error) acceptor_.non_blocking(true, *error);
    return !*error;
  }

  std::shared_ptr<TcpListenerCore> Self() { return std::static_pointer_cast<TcpListenerCore>(shared_from_this()); }

  void Accept() {
    acceptor_.async_accept([self = Self()](const boost::system::error_code& error, tcp::socket socket) {
      if (self->stopped() || error == boost::asio::error::operation_aborted) return;
      if (error) return self->AcceptLater(error);
      self->OnConnection(std::move(socket));
      if (!self->stopped()) self->Accept();
    });
  }

  void AcceptLater(const boost::system::error_code& error) {
    spdlog::warn("source {}: cannot accept a connection: {}", config().name, error.message());
    again_.expires_after(std::chrono::microseconds(timing().accept_again_us));
    again_.async_wait([self = Self()](const boost::system::error_code& cancelled) {
      if (!cancelled && !self->stopped()) self->Accept();
    });
  }

  void OnConnection(tcp::socket socket) {
    boost::system::error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    if (!guard_.Allows(peer.address())) return Refuse(peer, "it is not in the allow-list");
    if (pump_ && !MustGiveWay()) return Refuse(peer, fmt::format("{} is sending", peer_));
    if (const auto silent = std::exchange(pump_, nullptr)) {
      silent->Close();
      line().Closed(fmt::format("{} was silent, {} has taken over", peer_, EndpointText(peer)), false);
      if (stopped()) return;
    }
    SetKeepAlive(socket);
    peer_ = EndpointText(peer);
    pump_ = std::make_shared<BytePump<tcp::socket>>(
        std::move(socket), line(), [self = Self()] { return self->SilenceLimit(); },
        [self = Self()](const boost::system::error_code& ended) { self->OnEnded(ended); });
    Established();
    if (pump_) pump_->Start();
  }

  bool MustGiveWay() {
    const int64_t interval_us = line().health().interval_us.value_or(0);
    const std::chrono::microseconds limit(std::max(timing().give_way_us, 2 * interval_us));
    return Clock::now() - pump_->last_byte() >= limit;
  }

  void Refuse(const tcp::endpoint& peer, const std::string& why) {
    ++line().health().refused_connections;
    const Clock::time_point now = Clock::now();
    if (logged_ && now - *logged_ < kLogEvery) return;
    logged_ = now;
    spdlog::warn("source {}: {} was refused: {}", config().name, EndpointText(peer), why);
  }

  // The acceptor stays open: the next sender is as welcome as the last.
  void OnEnded(const boost::system::error_code& error) {
    pump_.reset();
    if (error == boost::asio::error::eof) {
      line().Closed(fmt::format("{} has closed the connection", peer_), false);
    } else if (error == boost::asio::error::timed_out) {
      line().Closed(fmt::format("{}: {}", peer_, SilenceWords()), false);
    } else {
      line().Closed(fmt::format("{}: {}", peer_, error.message()), false);
    }
  }

  void Release() override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    again_.cancel();
    if (const auto pump = std::exchange(pump_, nullptr)) pump->Close();
  }

  tcp::acceptor acceptor_;
  boost::asio::steady_timer again_;
  const SenderGuard guard_;
  std::string where_;
  std::string peer_;  // of the sender that is connected or was the last
  std::shared_ptr<BytePump<tcp::socket>> pump_;
  std::optional<Clock::time_point> logged_;
};

}  // namespace

std::unique_ptr<Source> MakeTcpListenerSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                              const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<TcpListenerCore>(io, config, line, timing));
}

}  // namespace vesta::hub
