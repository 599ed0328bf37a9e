// A source that replays a capture file: N times as fast as it was recorded, or as fast as the hub takes it.
//
// With original_time the session is given the capture's times, so that readings bear them; monotonic time runs on from
// now by the capture's own gaps. When such a file is repeated, each round goes on behind the last one: no time comes
// twice. A bad line is counted as a rejected frame (reason "capture_line") and the rest goes on. A file that is not
// there is tried again with back-off.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

// Lines replayed before other work gets its turn.
inline constexpr int kReplayBatchLines = 64;

std::unique_ptr<Source> MakeCaptureSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                          const StreamTiming& timing = {});

}  // namespace vesta::hub
