// A source of CAN frames in UDP datagrams (docs/formats/can-udp.md): hands each frame to its Line.
//
// Senders beyond the allowed addresses are counted and ignored. Lost, late and damaged datagrams are counted. Listens
// only.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeCanUdpSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                         const StreamTiming& timing = {});

}  // namespace vesta::hub
