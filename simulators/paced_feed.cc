#include "simulators/paced_feed.h"

#include <boost/asio/post.hpp>

namespace vesta::simulators {
namespace {

// How often a feed looks whether its readers have caught up.
constexpr auto kReaderLook = std::chrono::milliseconds(2);

}  // namespace

PacedFeed::PacedFeed(boost::asio::io_context& io, Feed& feed, Port& port, double speed)
    : timer_(io), feed_(feed), port_(port), speed_(speed) {}

void PacedFeed::Start(UtcUs virtual_now_us, std::function<void()> ended) {
  ended_ = std::move(ended);
  started_ = std::chrono::steady_clock::now();
  virtual_start_us_ = virtual_now_us;
  Schedule();
}

void PacedFeed::Schedule() {
  const std::optional<UtcUs> next_us = feed_.next_us();
  if (!next_us || speed_ <= 0) return AwaitReaders();
  const double real_us = static_cast<double>(*next_us - virtual_start_us_) / speed_;
  timer_.expires_at(started_ + std::chrono::microseconds(static_cast<int64_t>(real_us)));
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) SendDue();
  });
}

PacedFeed::~PacedFeed() { *alive_ = false; }

void PacedFeed::SendDue() {
  const std::string bytes = feed_.Next();
  if (!bytes.empty()) port_.Send(bytes);
  Schedule();
}

void PacedFeed::AwaitReaders() {
  const bool ended = !feed_.next_us();
  if (ended && port_.backlog() == 0) {
    if (ended_) ended_();
    return;
  }
  if (!ended && port_.has_reader() && port_.backlog() < kPortBacklogMax_bytes / 2) {
    // From the loop, not from here: a feed without end must not keep other timers and signals waiting.
    boost::asio::post(timer_.get_executor(), [this, alive = alive_] {
      if (*alive) SendDue();
    });
    return;
  }
  timer_.expires_after(kReaderLook);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) AwaitReaders();
  });
}

}  // namespace vesta::simulators
