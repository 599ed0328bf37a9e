// Lets a feed's virtual time pass on a port: at N times real time, or as fast as its readers take the bytes.
//
// The pace is kept against the start, so that late timers do not add up. When the process was stopped for a while, what
// is overdue leaves at once, one send after the other.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "simulators/feed.h"
#include "simulators/port.h"

namespace vesta::simulators {

class PacedFeed {
 public:
  // speed 0: as fast as the port's readers take the bytes, beginning with the first reader. Feed and port must outlive
  // this.
  PacedFeed(boost::asio::io_context& io, Feed& feed, Port& port, double speed);
  ~PacedFeed();

  // Once. The virtual time is `virtual_now_us` at this moment; `ended` is called when the feed has no more bytes and
  // the last ones are with the reader.
  void Start(UtcUs virtual_now_us, std::function<void()> ended = {});

  // The virtual time; before the start, and without a pace, that of the feed's next bytes.
  UtcUs now_us() const;
  // The feed's next bytes leave earlier than it said before: somebody asked it something.
  void LeavesEarlier();

 private:
  void Schedule();
  void SendDue();
  void AwaitReaders();

  boost::asio::steady_timer timer_;
  Feed& feed_;
  Port& port_;
  double speed_;
  std::function<void()> ended_;
  std::chrono::steady_clock::time_point started_;
  UtcUs virtual_start_us_ = 0;
  bool is_waiting_ = false;  // for the time of the next bytes
  uint64_t waits_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::simulators
