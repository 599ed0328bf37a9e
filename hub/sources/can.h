// A source on a CAN interface of Linux (SocketCAN): hands each frame, error frames too, to its Line.
//
// An interface that is not there or down is looked for every second; one that goes down is opened again. Frames that
// the kernel had to drop are counted ("kernel_dropped"). Nothing is sent while listen_only is on.
#pragma once

#include <functional>
#include <memory>

#include "hub/sources/can_socket.h"
#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

using CanOpener = std::function<tl::expected<int, CanSocketError>(const SourceConfig&)>;

// A test hands in an opener of its own.
std::unique_ptr<Source> MakeCanSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                      const StreamTiming& timing = {}, CanOpener opener = OpenCanSocket);

}  // namespace vesta::hub
