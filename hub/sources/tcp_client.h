// A source that connects to something that serves bytes over TCP (ser2net, a serial server).
//
// The name is looked up on each try, so a device that got another address is found. A peer that is gone without a word
// is noticed by TCP's own probes, and by silence: the configured time, or three learned intervals.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeTcpClientSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                            const StreamTiming& timing = {});

}  // namespace vesta::hub
