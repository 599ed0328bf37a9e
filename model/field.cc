#include "model/field.h"

#include <cstddef>

namespace vesta {
namespace {

constexpr std::string_view kUnitTexts[] = {
    "",   "V",  "A", "W",   "kW", "var",  "kvar", "VA",   "kVA",  "Wh",  "kWh",   "kvarh", "kVAh", "Hz",  "m³",
    "L",  "GJ", "s", "min", "h",  "°C",   "%",    "Ah",   "hPa",  "bar", "g",     "kg",    "rpm",  "dBm", "B",
    "lx", "dB", "",  "mV",  "mA", "kB/s", "dBA",  "/min", "mbar", "mL",  "L/min", "kPa",   "mmHg",
};
static_assert(sizeof(kUnitTexts) / sizeof(kUnitTexts[0]) == static_cast<size_t>(Unit::kCountOfUnits));

constexpr std::string_view kQuantityNames[] = {
    "none",           "voltage",     "current",         "power",           "reactive_power",
    "apparent_power", "energy",      "reactive_energy", "apparent_energy", "frequency",
    "power_factor",   "gas_volume",  "water_volume",    "heat_energy",     "volume",
    "temperature",    "humidity",    "pressure",        "state_of_charge", "charge",
    "duration",       "instant",     "count",           "ratio",           "level",
    "oxygen",         "mass",        "speed",           "signal_strength", "data_size",
    "illuminance",    "sound_level", "identifier",      "message",         "mode",
    "problem",        "presence",
};
static_assert(sizeof(kQuantityNames) / sizeof(kQuantityNames[0]) == static_cast<size_t>(Quantity::kCountOfQuantities));

constexpr std::string_view kFieldKindNames[] = {"gauge", "counter", "state", "flag", "text"};

}  // namespace

std::string_view UnitText(Unit unit) { return kUnitTexts[static_cast<size_t>(unit)]; }

std::string_view QuantityName(Quantity quantity) { return kQuantityNames[static_cast<size_t>(quantity)]; }

std::string_view FieldKindName(FieldKind kind) { return kFieldKindNames[static_cast<size_t>(kind)]; }

std::string_view FindStateName(std::span<const StateName> states, uint32_t code) {
  for (const StateName& state : states) {
    if (state.code == code) return state.name;
  }
  return {};
}

}  // namespace vesta
