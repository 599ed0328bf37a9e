// What a P1 telegram can say: the one table of fields, and which OBIS code means which of them.
//
// A field is what the hub stores and shows. An OBIS row says how an object of that code is read (its role) and which
// field it feeds; several codes may feed one field (1-0:1.8.0 and 1-1:1.8.0). The look-up goes by the code's text, as
// two eight-byte words, through a table made at compile time. Encoders use the same rows the other way round. Facts:
// reference of the P1 port, object catalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "model/field.h"

namespace vesta::p1 {

std::span<const Field> Fields();

inline constexpr uint16_t kNoField = 0xFFFF;

// By key; kNoField when there is no such field.
uint16_t FindField(std::string_view key);

enum class Role : uint8_t {
  kNumber,         // (value*unit) into the field
  kThreshold,      // the same, where 999 means switched off
  kLimiter,        // the same, in kW, kVA or A
  kPowerFactor,    // the same, perhaps in thousandths
  kText,           // as it stands
  kOctets,         // hex of text
  kClock,          // the telegram's own time
  kVersion,        // DSMR version
  kTariff,         // active tariff
  kBreaker,        // 0 open, 1 closed, 2 ready, or words
  kFailureLog,     // list of stamps and durations
  kDemandMax,      // (stamp)(value)
  kDemandHistory,  // list of months
  kCurrentLimits,  // (import)(export) or (import,export)
  kChannelType,
  kChannelId,
  kChannelContract,
  kChannelReading,  // (stamp)(value*unit)
  kChannelProfile,  // the two-line form of 2.2 and 3.0
  kChannelValve,
  kChannelSwitch,
};

inline constexpr size_t kObisTextSize = 16;
inline constexpr uint8_t kMaxChannels = 4;  // M-Bus channels that the documents know

struct ObisRow {
  char text[kObisTextSize] = {};  // "1-0:1.8.0", padded with zeros
  uint64_t words[2] = {};         // the same, as loaded from memory
  Role role = Role::kText;
  uint8_t channel = 0;  // M-Bus channel, 0 for the meter itself
  uint16_t field = kNoField;
  // "kWh)" as loaded from memory, to recognise the usual unit in one comparison.
  uint64_t unit_bits = 0;
  uint64_t unit_mask = 0;
  uint8_t unit_size = 0;  // without the parenthesis; 0: no unit and no '*'
};

// Every row, in no particular order.
std::span<const ObisRow> ObisRows();

// By text without the sixth group; null when the code is not known.
const ObisRow* FindObis(std::string_view text);
const ObisRow* FindObis(uint64_t word0, uint64_t word1);

// How a unit is printed on the wire ("kWh", "m3", "V"); "" for none.
std::string_view WireUnit(Unit unit);

// Fields that the decoder fills by itself.
struct KnownFields {
  uint16_t limiter_threshold;
  uint16_t limiter_threshold_kva;
  uint16_t limiter_threshold_a;
  uint16_t current_limit_import;
  uint16_t current_limit_export;
  uint16_t tariff;
  uint16_t tariff_number;
  uint16_t power_failure;
  uint16_t demand_max_month;
  uint16_t demand_max_month_export;
  uint16_t demand_month_peak;
  uint16_t demand_month_peak_at;
  uint16_t demand_month_peak_export;
  uint16_t demand_month_peak_export_at;
  uint16_t monthly_profile;
  uint16_t equipment_id;
  uint16_t serial_number;
  uint16_t logical_device_name;
  uint16_t device_number;
  uint16_t contract_id;
  uint16_t device_type;
  uint16_t valve_state;
  uint16_t switch_state;
  uint16_t gas_volume;
  uint16_t water_volume;
  uint16_t heat_energy;
  uint16_t cooling_energy;
  uint16_t submeter_energy;
  uint16_t submeter_volume;
  uint16_t firmware;
  uint16_t dsmr_version;
  uint16_t emucs_version;
};
extern const KnownFields kKnown;

// Codes of the field `tariff`, whatever the country counts.
inline constexpr uint32_t kTariffLow = 1;
inline constexpr uint32_t kTariffNormal = 2;

}  // namespace vesta::p1
