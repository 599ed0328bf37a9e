// What MasterBus devices can say, as far as it has the same meaning whoever says it, and the fields registered while a
// bus is heard.
//
// An item is mapped by its label, unit and presentation, never by its number alone: numbers differ by model and
// firmware. What no rule knows is registered under a key made of its own label, an item without a label under
// "item_NN". A drop-down bears the names of its options, which differ by device: one key may stand in several rows that
// differ in their states, and a device uses one of them at a time. Facts: the reference of MasterBus, section 5.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "model/field.h"
#include "protocols/masterbus/value.h"

namespace vesta::masterbus {

enum FieldId : uint16_t {
  kAnnounceCounter,
  kStateOfCharge,
  kBatteryVoltage,
  kBatteryCurrent,
  kChargeConsumed,
  kTimeRemaining,
  kBatteryTemperature,
  kBattery2Voltage,
  kBattery2Current,
  kDeviceState,
  kChargerState,
  kCharger2State,
  kSolarChargerState,
  kUserMode,
  kPowerSwitch,
  kInverterSwitch,
  kChargerSwitch,
  kAcInputVoltage,
  kAcInputCurrent,
  kAcInputPower,
  kAcOutputVoltage,
  kAcOutputCurrent,
  kAcOutputPower,
  kAcOutput2Voltage,
  kAcOutput2Current,
  kAcOutput2Power,
  kAcInputState,
  kAcOutputState,
  kShoreFuse,
  kShoreFuseCurrent,
  kLoadLevel,
  kInputIsGenset,
  kBusVoltage,
  kBoardTemperature,
  kClockTime,
  kClockDate,
  kStaticFields,  // keep last
};

// The static part of the table.
std::span<const Field> Fields();

// How an item's number is read.
enum class Form : uint8_t { kNumber, kDuration, kClock, kDate, kState, kFlag, kText };

struct UnitRow {
  std::string_view latin1;  // as on the wire
  Unit unit;
  Quantity quantity;
  const char* word;  // for keys: "voltage"
  int8_t decimals;
};
// nullptr: a unit that the model has no word for.
const UnitRow* FindUnit(std::string_view latin1);

// A label as a key: lower case, anything but [a-z0-9] becomes one '_', at most kMaxSlug bytes; "" when nothing is left.
inline constexpr size_t kMaxSlug = 40;
size_t Slug(std::string_view latin1, char* out);

// The field that label, unit and form stand for; kStaticFields when no rule knows them.
uint16_t KnownField(std::string_view slug, Unit unit, Form form);

// The table that grows: static rows first. All memory is taken by the constructor; rows never move or change.
class FieldTable {
 public:
  static constexpr size_t kMaxRegistered = 1024;
  static constexpr size_t kMaxStates = 4096;
  static constexpr size_t kMaxTextBytes = 96 * 1024;
  static constexpr uint16_t kFull = 0xFFFF;

  FieldTable();
  std::span<const Field> fields() const { return fields_; }

  struct State {
    uint32_t code = 0;
    std::array<char, kMaxSlug> name = {};
    size_t size = 0;
  };
  // The row that is like `field` with these states; made when new. Key and state names are copied. kFull: no room,
  // counted.
  uint16_t Register(const Field& field, std::string_view key, std::span<const State> states);
  uint64_t refused() const { return refused_; }
  size_t registered() const { return fields_.size() - kStaticFields; }

 private:
  const char* Keep(std::string_view text);

  std::vector<Field> fields_;
  std::vector<StateName> states_;
  std::vector<char> texts_;
  uint64_t refused_ = 0;
};

}  // namespace vesta::masterbus
