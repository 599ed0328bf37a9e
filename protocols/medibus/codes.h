// The code tables: what a two-digit code of a device means, as data.
//
// The built-in table (builtin_codes.cc, docs/protocols/medibus-codes.csv) holds incubators, warmers and ventilators. A
// site may lay rows of its own over it; of several that fit, the last one wins. A row is looked up by device number,
// kind, codepage and code; then by the device's family; a device that the table does not know gets no names at all,
// since one code means different things on different families. Version and hash name what a reading was decoded with.
// Facts: reference of MEDIBUS, code tables (MEDIBUS.X profile).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"

namespace vesta::medibus {

// What a code stands in: one answer of the device each, since the same code means something else in another one.
enum class Group : uint8_t {
  kMeasured1 = 0,
  kMeasured2,
  kLowLimit1,
  kLowLimit2,
  kHighLimit1,
  kHighLimit2,
  kSetting,
  kAlarm1,
  kAlarm2,
  kText,
  kRealtime,
  kCountOfGroups,  // keep last
};
inline constexpr size_t kGroups = static_cast<size_t>(Group::kCountOfGroups);

enum class Family : uint8_t { kNone = 0, kIncubator = 1, kVentilator = 2 };

enum class Format : uint8_t {
  kDecimal = 0,
  kDayMonth,    // DDMM
  kHourMinute,  // HHMM, 9959 = 99:59 or more
  kPhrase,      // of an alarm
  kText,        // of a text message
  kWaveform,
};

inline constexpr size_t kMaxDevicesOfRow = 4;

struct CodeRow {
  Group group = Group::kMeasured1;  // limits use the row of their measured value
  uint8_t code = 0;
  Format format = Format::kDecimal;
  Family family = Family::kNone;
  const char* name = "";       // as the profile calls it; for the built-in ones the catalogue has texts
  const char* unit_text = "";  // as the profile writes it
  Field field;
  std::array<uint16_t, kMaxDevicesOfRow> devices{};  // numbers as printed, 5700 for "5700"; 0 = none
};

std::span<const CodeRow> BuiltInCodes();
inline constexpr std::string_view kBuiltInVersion = "1";

// Rows of the site. Texts and rows live as long as any session that uses them.
struct SiteCodes {
  std::string_view version;  // [A-Za-z0-9._-]+, for people
  std::span<const CodeRow> rows;
};
inline constexpr size_t kMaxSiteRows = 512;

// By content: device, group, code, name, unit and format of every row in order (FNV-1a, 64 bits).
uint64_t HashOf(std::span<const CodeRow> rows);

// "builtin-1/0123456789abcdef" or "builtin-1/0123456789abcdef+ward7/fedcba9876543210".
inline constexpr size_t kTableNameSize = 96;
size_t TableName(const SiteCodes* site, char* out);

// What the table knows of a device number; kNone: nothing.
Family FamilyOf(uint16_t device, const SiteCodes* site);

// device 0: not identified, `assumed` decides. Null when nothing fits. Limits are asked for by their measured group.
const CodeRow* FindRow(uint16_t device, Family assumed, Group group, uint8_t code, const SiteCodes* site);

// "measured_p1", "low_limit_p2", "setting", "alarm_p1", "text", "realtime".
std::string_view GroupName(Group group);

// The group that a limit's code is explained by; any other group itself.
constexpr Group MeaningOf(Group group) {
  if (group == Group::kLowLimit1 || group == Group::kHighLimit1) return Group::kMeasured1;
  if (group == Group::kLowLimit2 || group == Group::kHighLimit2) return Group::kMeasured2;
  return group;
}

}  // namespace vesta::medibus
