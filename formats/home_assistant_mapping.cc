// The one table that says what Home Assistant is told about a quantity in a unit.
#include <iterator>

#include "formats/home_assistant.h"

namespace vesta::home_assistant {
namespace {

constexpr std::string_view kMeasurement = "measurement";
constexpr std::string_view kTotal = "total";
constexpr std::string_view kTotalIncreasing = "total_increasing";
constexpr std::string_view kNoStateClass = "";

// A wrong unit for a class is refused by the receiver, so each row names its unit; what has no row goes out without a
// class. A gauge of energy, gas or water is an amount that starts anew (yield of today): measurement is not allowed
// there, and total_increasing takes a restart as such.
struct Row {
  Quantity quantity;
  Unit unit;
  std::string_view device_class;
  std::string_view gauge;    // state class of a gauge
  std::string_view counter;  // state class of a counter; kNoStateClass: a counter of this has no class
};

constexpr Row kRows[] = {
    {Quantity::kVoltage, Unit::kVolt, "voltage", kMeasurement, kNoStateClass},
    {Quantity::kVoltage, Unit::kMillivolt, "voltage", kMeasurement, kNoStateClass},
    {Quantity::kCurrent, Unit::kAmpere, "current", kMeasurement, kNoStateClass},
    {Quantity::kCurrent, Unit::kMilliampere, "current", kMeasurement, kNoStateClass},
    {Quantity::kPower, Unit::kWatt, "power", kMeasurement, kNoStateClass},
    {Quantity::kPower, Unit::kKilowatt, "power", kMeasurement, kNoStateClass},
    {Quantity::kReactivePower, Unit::kVar, "reactive_power", kMeasurement, kNoStateClass},
    {Quantity::kReactivePower, Unit::kKilovar, "reactive_power", kMeasurement, kNoStateClass},
    {Quantity::kApparentPower, Unit::kVoltAmpere, "apparent_power", kMeasurement, kNoStateClass},
    {Quantity::kApparentPower, Unit::kKilovoltAmpere, "apparent_power", kMeasurement, kNoStateClass},
    {Quantity::kEnergy, Unit::kWattHour, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kEnergy, Unit::kKilowattHour, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kEnergy, Unit::kGigajoule, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kHeatEnergy, Unit::kGigajoule, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kHeatEnergy, Unit::kKilowattHour, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kHeatEnergy, Unit::kWattHour, "energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kReactiveEnergy, Unit::kKilovarHour, "reactive_energy", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kFrequency, Unit::kHertz, "frequency", kMeasurement, kNoStateClass},
    {Quantity::kPowerFactor, Unit::kNone, "power_factor", kMeasurement, kNoStateClass},
    {Quantity::kPowerFactor, Unit::kPercent, "power_factor", kMeasurement, kNoStateClass},
    {Quantity::kGasVolume, Unit::kCubicMetre, "gas", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kGasVolume, Unit::kLitre, "gas", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kWaterVolume, Unit::kCubicMetre, "water", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kWaterVolume, Unit::kLitre, "water", kTotalIncreasing, kTotalIncreasing},
    {Quantity::kTemperature, Unit::kCelsius, "temperature", kMeasurement, kNoStateClass},
    {Quantity::kHumidity, Unit::kPercent, "humidity", kMeasurement, kNoStateClass},
    {Quantity::kPressure, Unit::kHectopascal, "atmospheric_pressure", kMeasurement, kNoStateClass},
    {Quantity::kPressure, Unit::kBar, "pressure", kMeasurement, kNoStateClass},
    {Quantity::kIrradiance, Unit::kWattPerSquareMetre, "irradiance", kMeasurement, kNoStateClass},
    {Quantity::kStateOfCharge, Unit::kPercent, "battery", kMeasurement, kNoStateClass},
    {Quantity::kDuration, Unit::kSecond, "duration", kMeasurement, kTotal},
    {Quantity::kDuration, Unit::kMinute, "duration", kMeasurement, kTotal},
    {Quantity::kDuration, Unit::kHour, "duration", kMeasurement, kTotal},
    {Quantity::kSignalStrength, Unit::kDecibelMilliwatt, "signal_strength", kMeasurement, kNoStateClass},
    {Quantity::kSignalStrength, Unit::kDecibel, "signal_strength", kMeasurement, kNoStateClass},
    {Quantity::kDataSize, Unit::kByte, "data_size", kMeasurement, kNoStateClass},
    {Quantity::kDataSize, Unit::kKilobytePerSecond, "data_rate", kMeasurement, kNoStateClass},
};

const Row* FindRow(Quantity quantity, Unit unit) {
  for (const Row& row : kRows) {
    if (row.quantity == quantity && row.unit == unit) return &row;
  }
  return nullptr;
}

// Polarity as the receiver reads it: problem ON = fault, battery ON = low, power ON = present.
std::string_view FlagClass(Quantity quantity) {
  switch (quantity) {
    case Quantity::kProblem:
      return "problem";
    case Quantity::kStateOfCharge:
      return "battery";
    default:
      return "";
  }
}

}  // namespace

Mapping Map(const Entity& entity) {
  Mapping mapping;
  const bool is_flag = entity.kind == FieldKind::kFlag;
  mapping.component = is_flag ? "binary_sensor" : "sensor";
  if (entity.is_writable) mapping.component = is_flag ? "switch" : "number";
  mapping.diagnostic =
      entity.diagnostic || entity.quantity == Quantity::kIdentifier || entity.quantity == Quantity::kSignalStrength;
  switch (entity.kind) {
    case FieldKind::kFlag:
      mapping.device_class = FlagClass(entity.quantity);
      return mapping;
    case FieldKind::kState:
      if (!entity.options.empty()) mapping.device_class = "enum";
      return mapping;
    case FieldKind::kText:
      return mapping;
    case FieldKind::kGauge:
    case FieldKind::kCounter:
      break;
  }
  if (entity.quantity == Quantity::kInstant) {
    mapping.device_class = "timestamp";  // no unit, no state class; the value is an ISO 8601 text
    return mapping;
  }
  if (entity.quantity == Quantity::kIdentifier || entity.quantity == Quantity::kMessage) return mapping;

  const bool counter = entity.kind == FieldKind::kCounter;
  mapping.unit = UnitText(entity.unit);
  mapping.state_class = counter ? kTotalIncreasing : kMeasurement;
  if (const Row* row = FindRow(entity.quantity, entity.unit)) {
    const std::string_view state_class = counter ? row->counter : row->gauge;
    if (!state_class.empty()) {
      mapping.device_class = row->device_class;
      mapping.state_class = state_class;
    }
  }
  if (entity.is_writable) mapping.state_class = {};
  return mapping;
}

}  // namespace vesta::home_assistant
