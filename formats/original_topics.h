// Topics and payloads of an earlier logger for VE.Smart, VE.Direct and MasterBus (monitorPowerToMQTT), so that what was
// built on them goes on working:
//
//   venetworking/<serial>/<REG>        raw value of a register as an unsigned decimal number
//   vedirect/<serial>/0x<REG>          value in its unit, six digits after the point, or text
//   vedirect/network/panelPower        sum of the panels in W, two digits
//   vedirect/<serial>/shareOfNetwork   0..1, six digits; 0 in the dark
//   masterbus/0x<uid>/0x<ITEM>         six digits, dd/mm/yyyy or hh:mm:ss
//
// REG is a register's number in four capital hex digits, ITEM an item's in two. Payloads carry no unit and no time; new
// receivers are better served by the state topics.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/mqtt_topic.h"
#include "model/value.h"

namespace vesta::original_topics {

inline constexpr std::string_view kStatusTopic = "monitorPowerToMQTT/status";
inline constexpr std::string_view kAppInfoBase = "monitorPowerToMQTT/appinfo";
inline constexpr std::string_view kPanelPowerTopic = "vedirect/network/panelPower";

// Empty when the serial number has a byte that a topic level can't hold, or is empty: it comes from the wire.
Topic VeNetworking(std::string_view serial, uint16_t reg);
Topic VeDirect(std::string_view serial, uint16_t reg);
Topic ShareOfNetwork(std::string_view serial);
Topic MasterBus(uint32_t uid, uint8_t item);

// As printf's "%.<digits>f" of the exact number, rounded half away from zero. Returns the length; at most
// kDecimalTextSize + digits bytes.
inline constexpr size_t kFixedTextSize = kDecimalTextSize + 8;
size_t FormatFixed(Decimal value, int digits, char* out);

// The number as the register holds it: value / 10^exponent, negative ones as the two's complement of `bytes` bytes.
// False when it is not a whole number there or does not fit.
bool RawOf(Decimal value, int exponent, int bytes, uint64_t* raw);

}  // namespace vesta::original_topics
