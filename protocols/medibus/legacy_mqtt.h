// MQTT messages of the original ESP32 nodes: "ID|YYYY/MM/DD HH:MM:SS|frame", mostly as the text form of a bytes object.
//
// The frame has neither SOH nor CR; both are put back, so that it is a whole frame whose checksum can be proved by the
// same parser as any other. The time is the node's local time at a fixed offset that only the site knows; seconds may
// lack their zero. Facts: reference of MEDIBUS, the original pipeline.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/calendar.h"
#include "protocols/medibus/wire.h"

namespace vesta::medibus {

struct LegacyMessage {
  std::string_view node_id;    // chip id in hex, of the node, not of the device; views into the payload
  std::string_view time_text;  // as sent
  bool has_time = false;
  CivilTime local;
  std::array<uint8_t, kMaxResponse> frame;  // SOH ... CR
  size_t frame_size = 0;
};

inline constexpr size_t kMaxNodeId = 32;

// False when it is no such message: two bars are missing, the id is empty, longer than kMaxNodeId or no hex, or the
// frame does not fit.
bool ReadLegacyMessage(std::string_view payload, LegacyMessage* out);

// kNoTime when the time could not be read.
UtcUs LegacyTime(const LegacyMessage& message, int32_t utc_offset_min);

}  // namespace vesta::medibus
