#include "app/replay.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>

#include "app/capture_feed.h"
#include "app/exit_code.h"
#include "app/feed_run.h"
#include "app/port_address.h"

namespace vesta::app {

int RunReplay(const ReplayOptions& options) {
  std::string error;
  const std::unique_ptr<CaptureFeed> feed = CaptureFeed::Open(options.file, options.repeat, &error);
  boost::asio::io_context io;
  const auto port = feed == nullptr ? nullptr : OpenPort(io, options.to, &error);
  if (port == nullptr) {
    fmt::print(stderr, "vesta replay: {}\n", error);
    return kExitCannotStart;
  }
  const int code = RunFeed(io, *feed, *port, options.speed, feed->next_us().value_or(0), FeedStart::kWithFirstReader);
  if (feed->bad_lines() == 0) return code;
  fmt::print(stderr, "vesta replay: {} lines were left out, the first: {}\n", feed->bad_lines(),
             feed->first_bad_line());
  return kExitProblems;
}

}  // namespace vesta::app
