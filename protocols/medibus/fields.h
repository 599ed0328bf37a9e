// The fields of one MEDIBUS line: those of the code table, and those made at run time for codes that no table knows,
// for limits and for the site's own rows.
//
// A field's key never changes its meaning: a code without a row is "measured_p1_4f" and has no unit; a limit with a row
// is "inc_low_limit_p1_6d". The table has room for kMaxRegistered run-time fields; what does not fit is counted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "protocols/medibus/codes.h"

namespace vesta::medibus {

inline constexpr uint16_t kNoField = 0xFFFF;

// Fields beside the codes, at the start of the table.
enum CoreField : uint16_t {
  kLinkState = 0,
  kCodeTable,
  kClockOffset,
  kClockSteps,
  kDeviceTime,
  kAlarmsActive,
  kAlarmHighestPriority,
  kAlarmsPage1,
  kAlarmsPage2,
  kTexts,
  kCareMode,
  kControlMode,
  kBreathPhase,
  kCountOfCoreFields,  // keep last
};

inline constexpr uint32_t kCareOpen = 1, kCareClosed = 2;
inline constexpr uint32_t kControlAir = 1, kControlSkin = 2, kControlManual = 3;
inline constexpr uint32_t kContradiction = 9;  // two of one group at once
inline constexpr uint32_t kBreathInspiration = 0, kBreathExpiration = 1;

// Core fields, then one field a row of the built-in code table.
std::span<const Field> Fields();

// More unknown codes, limits and site rows than any known device has.
inline constexpr size_t kMaxRegistered = 160;

class FieldTable {
 public:
  explicit FieldTable(const SiteCodes* site);

  std::span<const Field> fields() const { return {fields_.get(), count_}; }

  // From here on codes are those of this device; 0: not identified, `assumed` decides.
  void SetDevice(uint16_t number, Family assumed);
  Family family() const { return family_; }

  struct Entry {
    uint16_t field = kNoField;  // kNoField: the table is full
    Format format = Format::kDecimal;
    bool known = false;
  };
  Entry Find(Group group, uint8_t code);
  // The text beside it, for a value that is no number: "measured_p1_4f_raw".
  uint16_t FindRaw(Group group, uint8_t code);

  uint64_t refused() const { return refused_; }

 private:
  static constexpr size_t kKeySize = 32;
  struct Registered {
    char key[kKeySize];
  };

  Entry Resolve(Group group, uint8_t code);
  uint16_t Register(std::string_view key, Field field);

  const SiteCodes* site_;
  std::unique_ptr<Field[]> fields_;
  size_t count_ = 0;
  size_t static_count_ = 0;
  std::array<Registered, kMaxRegistered> registered_;
  uint16_t device_ = 0;
  Family assumed_ = Family::kNone;
  Family family_ = Family::kNone;
  // What was found for the device at hand: a place in fields_, or one of these.
  static constexpr uint16_t kNotAsked = 0xFFFE;
  struct Found {
    uint16_t field = kNotAsked;
    uint8_t format = 0;
    bool known = false;
  };
  std::unique_ptr<std::array<std::array<Found, 256>, kGroups>> found_;
  uint64_t refused_ = 0;
};

}  // namespace vesta::medibus
