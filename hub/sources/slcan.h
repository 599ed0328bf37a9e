// A source behind an slcan adapter: opens port and channel, hands each CAN frame to its Line in the form of
// protocols/can_frame.h.
//
// The adapter is closed first, told the bit rate, and opened: listen-only unless the configuration says otherwise. A
// command without an answer is taken for granted after a while, since some firmware never answers; a refused one is an
// error with its remedy. What the adapter says of its bus becomes an error frame. Lines that mean nothing are counted
// under "slcan_...". A bus that had frames and falls silent makes the source open the adapter anew. Nothing is sent on
// the bus unless the session wants to and listen_only is off. Facts: reference of the CAN transport, section 4.
#pragma once

#include <memory>

#include "hub/sources/source.h"
#include "hub/sources/timing.h"

namespace vesta::hub {

struct SlcanTiming {
  // An adapter on USB answers within milliseconds.
  int64_t answer_us = 300 * kUsPerMs;
  // How often the silence is looked at, and the adapter is asked for its flags.
  int64_t look_us = 5 * kUsPerSecond;
  int64_t flags_us = 30 * kUsPerSecond;
  int64_t silence_us = 0;  // 0: the configuration's
};

std::unique_ptr<Source> MakeSlcanSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        const StreamTiming& timing = {}, const SlcanTiming& slcan = {});

}  // namespace vesta::hub
