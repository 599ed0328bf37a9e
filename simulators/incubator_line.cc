#include "simulators/incubator_line.h"

namespace vesta::simulators {

IncubatorLine::IncubatorLine(boost::asio::io_context& io, const IncubatorOptions& options, Port& port)
    : timer_(io),
      started_(std::chrono::steady_clock::now()),
      start_us_(options.start_us),
      device_(options),
      port_(port) {
  port_.Listen([this, alive = alive_](std::string_view bytes) {
    if (!*alive) return;
    device_.Receive(bytes, Now());
    Follow();
  });
  Follow();
}

IncubatorLine::~IncubatorLine() { *alive_ = false; }

UtcUs IncubatorLine::Now() const {
  const auto passed = std::chrono::steady_clock::now() - started_;
  return start_us_ + std::chrono::duration_cast<std::chrono::microseconds>(passed).count();
}

void IncubatorLine::Follow() {
  if (device_.next_us() <= Now()) device_.Tick(Now());
  const std::string bytes = device_.TakeOutput();
  if (!bytes.empty()) port_.Send(bytes);
  timer_.expires_at(started_ + std::chrono::microseconds(device_.next_us() - start_us_));
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& failed) {
    if (!failed && *alive) Follow();
  });
}

}  // namespace vesta::simulators
