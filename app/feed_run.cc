#include "app/feed_run.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>

#include "app/exit_code.h"
#include "simulators/paced_feed.h"

namespace vesta::app {
namespace {

constexpr auto kReaderLook = std::chrono::milliseconds(10);
// A terminal's bytes reach its reader by a worker of the kernel that nobody can ask; closing before it ran loses them.
constexpr auto kLinger = std::chrono::milliseconds(500);

void AwaitReader(boost::asio::steady_timer& look, simulators::Port& port, const std::function<void()>& begin) {
  if (port.has_reader()) return begin();
  look.expires_after(kReaderLook);
  look.async_wait([&look, &port, begin](const boost::system::error_code& failed) {
    if (!failed) AwaitReader(look, port, begin);
  });
}

}  // namespace

int RunFeed(boost::asio::io_context& io, simulators::Feed& feed, simulators::Port& port, double speed,
            UtcUs virtual_now_us, FeedStart start, const FeedAnswer& answer) {
  std::signal(SIGPIPE, SIG_IGN);
  fmt::print(stderr, "listening for readers on {}\n", port.where());
  std::fflush(stderr);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code& failed, int) {
    if (!failed) io.stop();
  });
  simulators::PacedFeed pace(io, feed, port, speed);
  if (answer) {
    port.OnReceived([&](std::string_view bytes) {
      port.Send(answer(bytes, pace.now_us()));
      pace.LeavesEarlier();
    });
  }
  boost::asio::steady_timer linger(io);
  const auto end = [&] {
    linger.expires_after(kLinger);
    linger.async_wait([&io](const boost::system::error_code& failed) {
      if (!failed) io.stop();
    });
  };
  const auto begin = [&] { pace.Start(virtual_now_us, end); };
  boost::asio::steady_timer look(io);
  if (start == FeedStart::kAtOnce) {
    begin();
  } else {
    AwaitReader(look, port, begin);
  }
  io.run();
  const simulators::PortCounts& counts = port.counts();
  fmt::print(stderr, "sent {} bytes, lost {} that nobody took\n", counts.sent_bytes, counts.lost_bytes);
  return kExitOk;
}

}  // namespace vesta::app
