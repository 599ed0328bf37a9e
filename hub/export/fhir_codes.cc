#include "hub/export/fhir_codes.h"

namespace vesta::hub {
namespace {

struct LoincRow {
  std::string_view protocol;
  std::string_view field;
  LoincCode loinc;
};

// Quantitative codes only. The skin's temperature is the one of a child in an incubator or
// under a warmer (LOINC calls both a microenvironment); 39106-0, often taken for it, is a finding ("cold"), no number.
constexpr LoincRow kLoinc[] = {
    {"medibus", "skin_temp_central", {"60839-8", "Skin temperature --in microenvironment"}},
    {"medibus", "skin_temp_peripheral", {"60839-8", "Skin temperature --in microenvironment"}},
    {"medibus", "body_weight", {"29463-7", "Body weight"}},
    {"medibus", "spo2", {"59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"}},
    {"medibus", "pulse_rate", {"8867-4", "Heart rate"}},
};

}  // namespace

std::string_view UcumCode(Unit unit) {
  switch (unit) {
    case Unit::kVolt:
      return "V";
    case Unit::kMillivolt:
      return "mV";
    case Unit::kAmpere:
      return "A";
    case Unit::kMilliampere:
      return "mA";
    case Unit::kWatt:
      return "W";
    case Unit::kKilowatt:
      return "kW";
    case Unit::kVoltAmpere:
      return "V.A";
    case Unit::kKilovoltAmpere:
      return "kV.A";
    case Unit::kWattHour:
      return "W.h";
    case Unit::kKilowattHour:
      return "kW.h";
    case Unit::kHertz:
      return "Hz";
    case Unit::kCubicMetre:
      return "m3";
    case Unit::kLitre:
      return "L";
    case Unit::kGigajoule:
      return "GJ";
    case Unit::kSecond:
      return "s";
    case Unit::kMinute:
      return "min";
    case Unit::kHour:
      return "h";
    case Unit::kCelsius:
      return "Cel";
    case Unit::kPercent:
      return "%";
    case Unit::kAmpereHour:
      return "A.h";
    case Unit::kHectopascal:
      return "hPa";
    case Unit::kBar:
      return "bar";
    case Unit::kGram:
      return "g";
    case Unit::kKilogram:
      return "kg";
    case Unit::kByte:
      return "By";
    case Unit::kKilobytePerSecond:
      return "kBy/s";
    case Unit::kLux:
      return "lx";
    case Unit::kPerMinute:
      return "/min";
    case Unit::kMillilitre:
      return "mL";
    case Unit::kLitrePerMinute:
      return "L/min";
    case Unit::kMillibar:
      return "mbar";
    case Unit::kKilopascal:
      return "kPa";
    case Unit::kMillimetreOfMercury:
      return "mm[Hg]";
    default:
      return "";
  }
}

LoincCode FindLoinc(std::string_view protocol, std::string_view field) {
  for (const LoincRow& row : kLoinc) {
    if (row.protocol == protocol && row.field == field) return row.loinc;
  }
  return {};
}

}  // namespace vesta::hub
