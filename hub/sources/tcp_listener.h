// A source that waits for a sender to connect over TCP. The sender does not log in.
//
// One sender at a time, since a source is one stream of bytes. Another one that is allowed takes over when the first
// has been silent (for 10 s and two learned intervals: a sender that lost power comes back on a new connection while
// the old one looks alive); else it is refused. Senders that are not in the allow-list are refused at once. Refusals
// are counted in the source's health. Without `exposed` and an allow-list it listens on loopback only, whatever the
// configuration says.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeTcpListenerSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                              const StreamTiming& timing = {});

}  // namespace vesta::hub
