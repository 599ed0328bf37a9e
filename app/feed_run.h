// Runs a feed on a port until it ends or the user interrupts: what simulate and replay share.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "simulators/feed.h"
#include "simulators/port.h"

namespace vesta::app {

enum class FeedStart : uint8_t { kAtOnce, kWithFirstReader };

// What the simulated device answers at once to bytes of a reader; they may also change when the feed's next bytes
// leave.
using FeedAnswer = std::function<std::string(std::string_view, UtcUs now_us)>;

// Tells on standard error where the port is and, at the end, what went through it. Returns the exit code.
int RunFeed(boost::asio::io_context& io, simulators::Feed& feed, simulators::Port& port, double speed,
            UtcUs virtual_now_us, FeedStart start, const FeedAnswer& answer = {});

}  // namespace vesta::app
