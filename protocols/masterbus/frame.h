// One MasterBus frame: whose it is, what it is for, and what it carries.
//
//   identifier, 29 bits:  kind (6) | device type (5) | unique id (18)
//   address = device type and unique id, 23 bits: the identity of a device on the bus
//
// A request carries the address of the device asked, a reply that of the device answering; the asker is not named.
// All multi-byte payload fields are little-endian. A frame of a known kind with a length that no such frame has is
// malformed; a kind that is not in the table is unknown. Facts: the reference of MasterBus, sections 2 to 4.
#pragma once

#include <array>
#include <cstdint>

#include "protocols/can_frame.h"

namespace vesta::masterbus {

inline constexpr uint32_t kAddressMask = 0x7FFFFF;
inline constexpr uint32_t kUniqueIdMask = 0x3FFFF;
inline constexpr int kTypeShift = 18;
inline constexpr int kKindShift = 23;

enum class Role : uint8_t {
  kAnnounce,
  kPoll,
  kPropertyRequest,
  kPropertyReply,
  kPropertyNoValue,
  kValueRequest,
  kValue,
  kValueWrite,
  kValueNoValue,
  kItemMetaRequest,
  kItemMetaReply,
  kItemMetaNoValue,
  kGroupMetaRequest,
  kGroupMetaReply,
  kGroupMetaNoValue,
  kMalformed,    // a known kind with a wrong length
  kUnknownKind,  // not in the table
  kErrorFrame,   // the controller speaks of the bus
  kRemote,       // not MasterBus
  kStandard,     // not MasterBus
  kCountOfRoles,
};
const char* RoleName(Role role);  // "announce", "property_request", ...: stable words

enum class Menu : uint8_t { kNone = 0, kMonitoring, kAlarm, kHistory, kConfiguration };
const char* MenuName(Menu menu);  // "monitoring", ...; "" for kNone

// Operations of item and group metadata.
enum MetaOp : uint8_t {
  kOpPresentation = 0x02,
  kOpItemAt = 0x03,  // indexed
  kOpMinimum = 0x06,
  kOpMaximumOrCount = 0x07,
  kOpStep = 0x08,
  kOpDefault = 0x09,
  kOpWritable = 0x0B,
  kOpGrey = 0x0C,
  kOpEventable = 0x0D,
  kOpOptionLabel = 0x26,  // indexed
  kOpName = 0x28,
  kOpNameLonger = 0x29,
  kOpNameLongest = 0x2A,
  kOpUnit = 0x2C,
};
const char* MetaOpName(uint8_t op);  // "" when unknown

// Operations of properties.
enum PropertyOp : uint8_t {
  kPropertyInfo = 0x08,
  kPropertyStringId = 0x09,
  kPropertyString = 0x30,
  kPropertyFirmware = 0x82
};
inline constexpr uint8_t kInfoMonitoringGroups = 0x02;
inline constexpr uint8_t kInfoAccessLevel = 0x19;
inline constexpr uint8_t kStringArticle = 1;
inline constexpr uint8_t kStringSerial = 2;
inline constexpr uint8_t kStringName = 3;
inline constexpr uint8_t kStringRevision = 4;

struct Frame {
  Role role = Role::kUnknownKind;
  Menu menu = Menu::kNone;
  uint8_t kind = 0;
  uint32_t address = 0;
  // Announce: bytes as they stand; identity is taken from the identifier.
  uint8_t announced_type = 0;
  uint32_t announced_uid = 0;
  uint8_t counter = 0;
  std::array<uint8_t, 3> trailer = {};
  // Properties and metadata.
  uint8_t op = 0;
  uint8_t selector = 0;  // of a property; of a string the segment
  uint16_t number = 0;   // item, group or string id
  uint8_t index = 0;     // of an indexed operation
  bool has_word = false;
  bool has_real = false;
  uint16_t word = 0;                // with has_word
  float real = 0;                   // with has_real: a value, or a limit; may be no number
  std::array<uint8_t, 4> raw = {};  // of a value: its bytes; of a string: its characters
  uint8_t text_size = 0;            // characters of a string piece, the NUL not counted
  bool text_ends = false;

  uint8_t device_type() const { return static_cast<uint8_t>(address >> kTypeShift); }
  uint32_t unique_id() const { return address & kUniqueIdMask; }
};

Frame ReadMasterBusFrame(const can::Frame& can);

// Whether the frame was sent by the device whose address it bears: only then that device exists.
bool IsFromDevice(Role role);
bool IsRequest(Role role);
inline bool IsIndexed(uint8_t op) { return op == kOpItemAt || op == kOpOptionLabel; }

}  // namespace vesta::masterbus
