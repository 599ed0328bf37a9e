// A source on a serial port: opens it, reads it, and finds it again after it was unplugged.
//
// A port that is not there is looked for every second (its name may come back as another ttyUSBn behind the same
// /dev/serial/by-id name); a port that is there but cannot be opened is tried with back-off.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeSerialSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                         const StreamTiming& timing = {});

}  // namespace vesta::hub
