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
  is_waiting_ = true;
  timer_.async_wait([this, wait = ++waits_](const boost::system::error_code& failed) {
    if (failed || wait != waits_) return;
    is_waiting_ = false;
    SendDue();
  });
}

UtcUs PacedFeed::now_us() const {
  if (speed_ <= 0 || started_ == std::chrono::steady_clock::time_point()) {
    return feed_.next_us().value_or(virtual_start_us_);
  }
  const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - started_;
  return virtual_start_us_ + static_cast<int64_t>(passed.count() * speed_);
}

void PacedFeed::LeavesEarlier() {
  // Setting the timer anew ends the wait that is under way.
  if (is_waiting_) Schedule();
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
