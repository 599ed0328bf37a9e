#include "hub/sources/tcp_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "hub/sources/byte_pump.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/tcp_socket.h"

namespace vesta::hub {
namespace {

using boost::asio::ip::tcp;

class TcpClientCore final : public Reconnecting {
 public:
  TcpClientCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing), resolver_(io), deadline_(io), peer_(PeerText(config)) {}

 private:
  using Results = tcp::resolver::results_type;

  static std::string PeerText(const SourceConfig& config) {
    const bool v6 = config.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", config.host, v6 ? "]" : "", config.tcp_port);
  }

  // A handler of a try that is over finds another number and does nothing.
  bool IsOver(uint64_t attempt) const { return stopped() || attempt != attempt_; }

  void Open() override {
    const uint64_t attempt = ++attempt_;
    const auto self = std::static_pointer_cast<TcpClientCore>(shared_from_this());
    deadline_.expires_after(std::chrono::microseconds(timing().connect_us));
    deadline_.async_wait([self, attempt](const boost::system::error_code& error) {
      if (error || self->IsOver(attempt)) return;
      self->Lost(fmt::format("{} does not answer", self->peer_), "is it switched on, and on this network?", false);
    });
    // An address needs no look-up, and so no thread for it.
    boost::system::error_code not_numeric;
    const auto address = boost::asio::ip::make_address(config().host, not_numeric);
    if (!not_numeric) {
      const tcp::endpoint endpoint(address, config().tcp_port);
      return Connect(attempt, Results::create(endpoint, config().host, ""));
    }
    resolver_.async_resolve(
        config().host, std::to_string(config().tcp_port), tcp::resolver::numeric_service,
        [self, attempt](const boost::system::error_code& error, const Results& results) {
          if (self->IsOver(attempt)) return;
          if (!error) return self->Connect(attempt, results);
          self->Lost(fmt::format("the name {} is not known: {}", self->config().host, error.message()), "", false);
        });
  }

  void Connect(uint64_t attempt, const Results& results) {
    const auto self = std::static_pointer_cast<TcpClientCore>(shared_from_this());
    socket_ = std::make_shared<tcp::socket>(io());
    boost::asio::async_connect(
        *socket_, results,
        [self, attempt, socket = socket_](const boost::system::error_code& error, const tcp::endpoint&) {
          if (self->IsOver(attempt)) return;
          if (error) return self->Lost(fmt::format("{}: {}", self->peer_, error.message()), "", false);
          self->OnConnected(std::move(*socket));
        });
  }

  void OnConnected(tcp::socket socket) {
    deadline_.cancel();
    socket_.reset();
    SetKeepAlive(socket);
    const auto self = std::static_pointer_cast<TcpClientCore>(shared_from_this());
    pump_ = std::make_shared<BytePump<tcp::socket>>(
        std::move(socket), line(), [self] { return self->SilenceLimit(); },
        [self](const boost::system::error_code& error) { self->OnEnded(error); });
    Established();
    if (pump_) pump_->Start();
  }

  void Release() override {
    ++attempt_;
    resolver_.cancel();
    deadline_.cancel();
    if (const auto socket = std::exchange(socket_, nullptr)) {
      boost::system::error_code ignored;
      socket->close(ignored);
    }
    if (const auto pump = std::exchange(pump_, nullptr)) pump->Close();
  }

  void OnEnded(const boost::system::error_code& error) {
    const bool data_flowed = pump_ && pump_->data_flowed();
    if (error == boost::asio::error::eof) {
      Lost(fmt::format("{} has closed the connection", peer_), "", data_flowed);
    } else if (error == boost::asio::error::timed_out) {
      Lost(fmt::format("{}: {}", peer_, SilenceWords()), "", data_flowed);
    } else {
      Lost(fmt::format("{}: {}", peer_, error.message()), "", data_flowed);
    }
  }

  tcp::resolver resolver_;
  boost::asio::steady_timer deadline_;
  std::string peer_;
  std::shared_ptr<tcp::socket> socket_;  // while it connects
  std::shared_ptr<BytePump<tcp::socket>> pump_;
  uint64_t attempt_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeTcpClientSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                            const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<TcpClientCore>(io, config, line, timing));
}

}  // namespace vesta::hub
