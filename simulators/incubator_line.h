// A simulated incubator on a port, in real time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "simulators/incubator.h"
#include "simulators/port.h"

namespace vesta::simulators {

class IncubatorLine {
 public:
  // The port must outlive this. The device's time begins at options.start_us now.
  IncubatorLine(boost::asio::io_context& io, const IncubatorOptions& options, Port& port);
  ~IncubatorLine();
  const Incubator& device() const { return device_; }

 private:
  UtcUs Now() const;
  void Follow();

  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point started_;
  UtcUs start_us_;
  Incubator device_;
  Port& port_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vesta::simulators
