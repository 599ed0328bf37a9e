// What can be said of a device: quantities, units, fields and their states.
//
// A field table is the only truth about meaning. The row is small and portable; texts for people stand in hub/catalog,
// keyed by protocol and field key. Outputs map quantities, not fields, so a new field is one row here and one text
// there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vesta {

// What is measured, whatever the unit. Outputs decide by quantity (Home Assistant class, Prometheus suffix, Signal K
// leaf).
enum class Quantity : uint8_t {
  kNone = 0,
  kVoltage,
  kCurrent,
  kPower,
  kReactivePower,
  kApparentPower,
  kEnergy,
  kReactiveEnergy,
  kApparentEnergy,
  kFrequency,
  kPowerFactor,
  kGasVolume,
  kWaterVolume,
  kHeatEnergy,
  kVolume,
  kTemperature,
  kHumidity,
  kPressure,
  kStateOfCharge,
  kCharge,
  kDuration,
  kInstant,
  kCount,
  kRatio,
  kLevel,
  kOxygen,
  kMass,
  kSpeed,
  kSignalStrength,
  kDataSize,
  kIlluminance,
  kSoundLevel,
  kIdentifier,
  kMessage,
  kMode,
  kProblem,
  kPresence,
  kCountOfQuantities,  // keep last
};

enum class Unit : uint8_t {
  kNone = 0,
  kVolt,
  kAmpere,
  kWatt,
  kKilowatt,
  kVar,
  kKilovar,
  kVoltAmpere,
  kKilovoltAmpere,
  kWattHour,
  kKilowattHour,
  kKilovarHour,
  kKilovoltAmpereHour,
  kHertz,
  kCubicMetre,
  kLitre,
  kGigajoule,
  kSecond,
  kMinute,
  kHour,
  kCelsius,
  kPercent,
  kAmpereHour,
  kHectopascal,
  kBar,
  kGram,
  kKilogram,
  kRevolutionsPerMinute,
  kDecibelMilliwatt,
  kByte,
  kLux,
  kDecibel,
  kUnixSecond,
  kMillivolt,
  kMilliampere,
  kKilobytePerSecond,
  kDecibelA,
  kPerMinute,
  kMillibar,
  kMillilitre,
  kLitrePerMinute,
  kKilopascal,
  kMillimetreOfMercury,
  kCountOfUnits,  // keep last
};

enum class FieldKind : uint8_t {
  kGauge = 0,
  kCounter = 1,  // grows for the life of the device; a step back is a fault, a swap or a reset
  kState = 2,    // a code with names
  kFlag = 3,     // a state with two codes: 0 off, 1 on
  kText = 4,
};

// How often a value can change: values of different pace go out on separate state topics, since any message there
// restarts the receiver's expiry clock of every value beside it.
enum class Pace : uint8_t { kFast = 0, kSlow = 1 };

struct StateName {
  uint32_t code;
  const char* name;  // [a-z0-9_]+, stable for ever: it goes to outputs
};

struct Field {
  const char* key = "";  // stable for ever, [a-z0-9_]+, unique within the protocol
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  int8_t decimals = 0;  // for display only; a value keeps the digits that the wire sent
  FieldKind kind = FieldKind::kGauge;
  Pace pace = Pace::kFast;
  bool diagnostic = false;  // of interest when something is wrong, not day to day
  std::span<const StateName> states = {};
};

// "V", "kWh", "m³", "°C", ... in UTF-8 as Home Assistant prints them; "" for kNone.
std::string_view UnitText(Unit unit);

// "voltage", "state_of_charge", ...: the word for a quantity in the API and the docs.
std::string_view QuantityName(Quantity quantity);

// "gauge", "counter", "state", "flag", "text".
std::string_view FieldKindName(FieldKind kind);

// The name of a code, or "" when the table does not have it. Who shows the code writes unknown(0x2A) then.
std::string_view FindStateName(std::span<const StateName> states, uint32_t code);

}  // namespace vesta
