// The messages of the original ESP32 nodes: `ID|YYYY/MM/DD HH:MM:SS|frame`, mostly inside b'...'.
//
// The id is the chip's, in hex. The time is local by the node's own, fixed offset; hours, minutes and seconds may lack
// their leading zero, blanks may stand around the bars. The frame is a MEDIBUS response without its first byte (SOH)
// and its last (CR); both are put back. Facts: the original's publisher, as described in docs/sources/mqtt.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/time.h"

namespace vesta::hub {

// A response has at most 3845 bytes; with id, time and quotes around it nothing honest is longer.
inline constexpr size_t kMaxLegacyPayload = 4096;

struct LegacyMessage {
  std::string sender;        // [0-9A-Za-z_:-]+
  UtcUs stamp_us = kNoTime;  // kNoTime: not a time
  std::string frame;         // SOH ... CR
};

// offset_min: how far the node's clock is ahead of UTC.
std::optional<LegacyMessage> ReadLegacyMessage(std::string_view payload, int offset_min);

}  // namespace vesta::hub
