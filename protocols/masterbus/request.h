// The only frames that this project sends on a MasterBus: questions.
//
// What to ask is a closed list; nothing takes raw bytes, so a write, a login or a text write cannot be said. A
// question about a value has two bytes, a write of one would have six. Facts: the reference of MasterBus, section 7.
#pragma once

#include "protocols/can_frame.h"
#include "protocols/masterbus/frame.h"

namespace vesta::masterbus {

enum class Ask : uint8_t {
  kGroups,        // how many monitoring groups
  kDeviceTextId,  // number: kStringArticle, kStringSerial, kStringName, kStringRevision
  kText,          // number: string id, index: segment
  kItemsInGroup,  // number: group
  kItemAt,        // number: group, index: place
  kPresentation,  // number: item
  kOptionCount,   // number: item
  kOptionLabel,   // number: item, index: option
  kName,          // number: item
  kUnit,          // number: item
  kValue,         // number: item
};

struct Request {
  Ask ask = Ask::kValue;
  uint32_t address = 0;
  uint16_t number = 0;
  uint8_t index = 0;
};

can::Frame WriteRequest(const Request& request);

// Whether `frame` answers the request, with a value or without.
bool Answers(const Frame& frame, const Request& request);

}  // namespace vesta::masterbus
