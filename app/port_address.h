// The far end that simulated or replayed bytes are sent to, as it is written on the command line.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "simulators/port.h"

namespace vesta::app {

// "pty:PATH", "tcp:PORT" (on loopback) or "tcp:ADDRESS:PORT". nullptr: `error` says why.
std::unique_ptr<simulators::Port> OpenPort(boost::asio::io_context& io, const std::string& to, std::string* error);

}  // namespace vesta::app
