#include "protocols/masterbus/request.h"

#include <initializer_list>

namespace vesta::masterbus {
namespace {

enum RequestKind : uint32_t { kProperty = 0x0E, kItemValue = 0x30, kItemMeta = 0x31, kGroupMeta = 0x32 };

can::Frame Make(RequestKind kind, uint32_t address, std::initializer_list<uint32_t> bytes) {
  can::Frame frame;
  frame.is_extended = true;
  frame.id = static_cast<uint32_t>(kind) << kKindShift | (address & kAddressMask);
  for (const uint32_t byte : bytes) frame.data[frame.size++] = static_cast<uint8_t>(byte);
  return frame;
}

uint8_t OpOf(Ask ask) {
  switch (ask) {
    case Ask::kGroups:
      return kPropertyInfo;
    case Ask::kDeviceTextId:
      return kPropertyStringId;
    case Ask::kText:
      return kPropertyString;
    case Ask::kItemsInGroup:
    case Ask::kOptionCount:
      return kOpMaximumOrCount;
    case Ask::kItemAt:
      return kOpItemAt;
    case Ask::kPresentation:
      return kOpPresentation;
    case Ask::kOptionLabel:
      return kOpOptionLabel;
    case Ask::kName:
      return kOpName;
    case Ask::kUnit:
      return kOpUnit;
    case Ask::kValue:
      break;
  }
  return 0;
}

}  // namespace

can::Frame WriteRequest(const Request& r) {
  const uint32_t low = r.number & 0xFF;
  const uint32_t high = r.number >> 8;
  const uint32_t op = OpOf(r.ask);
  switch (r.ask) {
    case Ask::kGroups:
      return Make(kProperty, r.address, {op, kInfoMonitoringGroups});
    case Ask::kDeviceTextId:
      return Make(kProperty, r.address, {op, low});
    case Ask::kText:
      return Make(kProperty, r.address, {op, low, high, r.index});
    case Ask::kItemsInGroup:
      return Make(kGroupMeta, r.address, {op, low, high});
    case Ask::kItemAt:
      return Make(kGroupMeta, r.address, {op, low, high, r.index});
    case Ask::kOptionLabel:
      return Make(kItemMeta, r.address, {op, low, high, r.index});
    case Ask::kPresentation:
    case Ask::kOptionCount:
    case Ask::kName:
    case Ask::kUnit:
      return Make(kItemMeta, r.address, {op, low, high});
    case Ask::kValue:
      break;
  }
  return Make(kItemValue, r.address, {low, high});
}

bool Answers(const Frame& frame, const Request& r) {
  if (frame.address != r.address) return false;
  switch (r.ask) {
    case Ask::kGroups:
    case Ask::kDeviceTextId:
      return (frame.role == Role::kPropertyReply || frame.role == Role::kPropertyNoValue) && frame.op == OpOf(r.ask) &&
             frame.selector == (r.ask == Ask::kGroups ? kInfoMonitoringGroups : r.number);
    case Ask::kText:
      return (frame.role == Role::kPropertyReply || frame.role == Role::kPropertyNoValue) && frame.op == OpOf(r.ask) &&
             frame.number == r.number && frame.selector == r.index;
    case Ask::kItemsInGroup:
    case Ask::kItemAt:
      return (frame.role == Role::kGroupMetaReply || frame.role == Role::kGroupMetaNoValue) &&
             frame.menu == Menu::kMonitoring && frame.op == OpOf(r.ask) && frame.number == r.number &&
             (r.ask == Ask::kItemsInGroup || frame.index == r.index);
    case Ask::kValue:
      return (frame.role == Role::kValue || frame.role == Role::kValueNoValue) && frame.menu == Menu::kMonitoring &&
             frame.number == r.number;
    default:
      return (frame.role == Role::kItemMetaReply || frame.role == Role::kItemMetaNoValue) &&
             frame.menu == Menu::kMonitoring && frame.op == OpOf(r.ask) && frame.number == r.number &&
             (r.ask != Ask::kOptionLabel || frame.index == r.index);
  }
}

}  // namespace vesta::masterbus
