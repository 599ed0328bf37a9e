#include "protocols/masterbus/frame.h"

#include <algorithm>
#include <cstring>

namespace vesta::masterbus {
namespace {

struct Kind {
  Role role = Role::kUnknownKind;
  Menu menu = Menu::kNone;
};

constexpr size_t kKinds = 64;

// A request, its reply (0x20 below) and its negative reply (0x10 below).
constexpr void SetMenu(std::array<Kind, kKinds>* table, uint8_t request, Role first, Menu menu) {
  const auto role = static_cast<uint8_t>(first);
  (*table)[request] = {first, menu};
  (*table)[request - 0x20] = {static_cast<Role>(role + 1), menu};
  (*table)[request - 0x10] = {static_cast<Role>(role + 2), menu};
}

// The same for values, where a longer request is a write.
constexpr void SetValues(std::array<Kind, kKinds>* table, uint8_t request, Menu menu) {
  (*table)[request] = {Role::kValueRequest, menu};
  (*table)[request - 0x20] = {Role::kValue, menu};
  (*table)[request - 0x10] = {Role::kValueNoValue, menu};
}

constexpr std::array<Kind, kKinds> MakeTable() {
  std::array<Kind, kKinds> table{};
  table[0x08] = {Role::kAnnounce, Menu::kNone};
  table[0x0A] = {Role::kPoll, Menu::kNone};
  table[0x0E] = {Role::kPropertyRequest, Menu::kNone};
  table[0x0C] = {Role::kPropertyReply, Menu::kNone};
  table[0x0D] = {Role::kPropertyNoValue, Menu::kNone};
  SetMenu(&table, 0x31, Role::kItemMetaRequest, Menu::kMonitoring);
  SetMenu(&table, 0x32, Role::kGroupMetaRequest, Menu::kMonitoring);
  SetMenu(&table, 0x34, Role::kGroupMetaRequest, Menu::kAlarm);
  SetMenu(&table, 0x36, Role::kGroupMetaRequest, Menu::kHistory);
  SetMenu(&table, 0x38, Role::kItemMetaRequest, Menu::kConfiguration);
  SetMenu(&table, 0x39, Role::kGroupMetaRequest, Menu::kConfiguration);
  SetValues(&table, 0x30, Menu::kMonitoring);
  SetValues(&table, 0x37, Menu::kConfiguration);
  return table;
}
constexpr std::array<Kind, kKinds> kTable = MakeTable();

uint16_t Word(const uint8_t* bytes) { return static_cast<uint16_t>(bytes[0] | bytes[1] << 8); }

float Real(const uint8_t* bytes) {
  const uint32_t bits = bytes[0] | static_cast<uint32_t>(bytes[1]) << 8 | static_cast<uint32_t>(bytes[2]) << 16 |
                        static_cast<uint32_t>(bytes[3]) << 24;
  float real = 0;
  std::memcpy(&real, &bits, sizeof real);
  return real;
}

bool ReadAnnounce(const can::Frame& can, Frame* frame) {
  if (can.size < 8) return false;
  frame->announced_type = can.data[0];
  frame->announced_uid =
      can.data[1] | static_cast<uint32_t>(can.data[2]) << 8 | static_cast<uint32_t>(can.data[3]) << 16;
  frame->counter = can.data[4];
  frame->trailer = {can.data[5], can.data[6], can.data[7]};
  return true;
}

bool ReadProperty(const can::Frame& can, Frame* frame) {
  if (can.size < 2) return false;
  frame->op = can.data[0];
  frame->selector = can.data[1];
  if (frame->op != kPropertyString) {
    if (frame->role == Role::kPropertyReply && can.size >= 4) {
      frame->has_word = true;
      frame->word = Word(&can.data[2]);
    }
    return true;
  }
  if (can.size < 4) return false;
  frame->number = Word(&can.data[1]);
  frame->selector = can.data[3];
  if (frame->role != Role::kPropertyReply) return true;
  const size_t sent = static_cast<size_t>(can.size) - 4;
  while (frame->text_size < sent && can.data[4u + frame->text_size] != 0) {
    frame->raw[frame->text_size] = can.data[4u + frame->text_size];
    ++frame->text_size;
  }
  frame->text_ends = frame->text_size < frame->raw.size();
  return true;
}

bool ReadValue(const can::Frame& can, Frame* frame) {
  const bool no_value = frame->role == Role::kValueNoValue;
  if (can.size < 2) return false;
  frame->number = Word(can.data.data());
  if (no_value) return true;
  if (frame->role == Role::kValueRequest && can.size == 2) return true;
  if (can.size != 6) return false;
  if (frame->role == Role::kValueRequest) frame->role = Role::kValueWrite;
  std::copy_n(can.data.begin() + 2, 4, frame->raw.begin());
  frame->has_real = true;
  frame->real = Real(&can.data[2]);
  return true;
}

bool ReadMeta(const can::Frame& can, Frame* frame) {
  const bool reply = frame->role == Role::kItemMetaReply || frame->role == Role::kGroupMetaReply;
  const bool request = frame->role == Role::kItemMetaRequest || frame->role == Role::kGroupMetaRequest;
  if (can.size < (reply ? 5 : 3)) return false;
  frame->op = can.data[0];
  frame->number = Word(&can.data[1]);
  if (IsIndexed(frame->op)) {
    if (request && can.size < 4) return false;
    if (can.size >= 4) frame->index = can.data[3];
  }
  if (!reply) return true;
  const bool limit = frame->op >= kOpMinimum && frame->op <= kOpDefault;
  if (limit) {
    if (can.size != 8) return false;
    frame->has_real = true;
    frame->real = Real(&can.data[4]);
    return true;
  }
  frame->has_word = true;
  frame->word = can.size >= 6 ? Word(&can.data[4]) : can.data[4];
  return true;
}

bool ReadPayload(const can::Frame& can, Frame* frame) {
  switch (frame->role) {
    case Role::kAnnounce:
      return ReadAnnounce(can, frame);
    case Role::kPoll:
      return can.size == 0;
    case Role::kPropertyRequest:
    case Role::kPropertyReply:
    case Role::kPropertyNoValue:
      return ReadProperty(can, frame);
    case Role::kValueRequest:
    case Role::kValue:
    case Role::kValueNoValue:
      return ReadValue(can, frame);
    default:
      return ReadMeta(can, frame);
  }
}

}  // namespace

const char* RoleName(Role role) {
  static constexpr const char* kNames[] = {"announce",
                                           "poll",
                                           "property_request",
                                           "property_reply",
                                           "property_no_value",
                                           "value_request",
                                           "value",
                                           "value_write",
                                           "value_no_value",
                                           "item_meta_request",
                                           "item_meta_reply",
                                           "item_meta_no_value",
                                           "group_meta_request",
                                           "group_meta_reply",
                                           "group_meta_no_value",
                                           "malformed",
                                           "unknown_kind",
                                           "error_frame",
                                           "rtr",
                                           "standard_frame"};
  static_assert(sizeof kNames / sizeof kNames[0] == static_cast<size_t>(Role::kCountOfRoles));
  return kNames[static_cast<size_t>(role)];
}

const char* MenuName(Menu menu) {
  static constexpr const char* kNames[] = {"", "monitoring", "alarm", "history", "configuration"};
  return kNames[static_cast<size_t>(menu)];
}

const char* MetaOpName(uint8_t op) {
  switch (op) {
    case kOpPresentation:
      return "visualization";
    case kOpItemAt:
      return "item_at";
    case kOpMinimum:
      return "minimum";
    case kOpMaximumOrCount:
      return "maximum_or_count";
    case kOpStep:
      return "step";
    case kOpDefault:
      return "default";
    case kOpWritable:
      return "writable";
    case kOpGrey:
      return "grey";
    case kOpEventable:
      return "eventable";
    case kOpOptionLabel:
      return "option_label";
    case kOpName:
      return "name";
    case kOpNameLonger:
      return "name_longer";
    case kOpNameLongest:
      return "name_longest";
    case kOpUnit:
      return "unit";
    default:
      return "";
  }
}

Frame ReadMasterBusFrame(const can::Frame& can) {
  Frame frame;
  if (can.is_error || can.is_remote || !can.is_extended) {
    frame.role = can.is_error ? Role::kErrorFrame : can.is_remote ? Role::kRemote : Role::kStandard;
    return frame;
  }
  frame.kind = static_cast<uint8_t>(can.id >> kKindShift);
  frame.address = can.id & kAddressMask;
  const Kind& kind = kTable[frame.kind];
  frame.role = kind.role;
  frame.menu = kind.menu;
  if (frame.role != Role::kUnknownKind && !ReadPayload(can, &frame)) frame.role = Role::kMalformed;
  return frame;
}

bool IsFromDevice(Role role) {
  switch (role) {
    case Role::kAnnounce:
    case Role::kPropertyReply:
    case Role::kPropertyNoValue:
    case Role::kValue:
    case Role::kValueNoValue:
    case Role::kItemMetaReply:
    case Role::kItemMetaNoValue:
    case Role::kGroupMetaReply:
    case Role::kGroupMetaNoValue:
      return true;
    default:
      return false;
  }
}

bool IsRequest(Role role) {
  return role == Role::kPropertyRequest || role == Role::kValueRequest || role == Role::kItemMetaRequest ||
         role == Role::kGroupMetaRequest;
}

}  // namespace vesta::masterbus
