#include "protocols/p1/fields.h"

#include <array>
#include <bit>

namespace vesta::p1 {
namespace {

static_assert(std::endian::native == std::endian::little, "OBIS rows hold texts as they load from memory");

constexpr StateName kTariffNames[] = {{kTariffLow, "low"}, {kTariffNormal, "normal"}};
constexpr StateName kBreakerNames[] = {{0, "open"}, {1, "closed"}, {2, "ready"}};
// EN 13757 device types.
constexpr StateName kDeviceTypeNames[] = {
    {0, "none"},           {2, "electricity"}, {3, "gas"},           {4, "heat"},
    {6, "warm_water"},     {7, "water"},       {8, "heat_cost"},     {10, "cooling_outlet"},
    {11, "cooling_inlet"}, {12, "heat_inlet"}, {13, "heat_cooling"}, {21, "hot_water"},
    {22, "cold_water"},    {32, "breaker"},    {33, "valve"},        {40, "waste_water"},
};

constexpr Field kFields[] = {
    // Energy registers.
    {"energy_import_total", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t1", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t2", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t3", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t4", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t5", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_total", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_t1", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_t2", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_t3", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_t4", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_export_t5", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t11", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t12", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_import_t13", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"reactive_energy_import_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_import_t1", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_import_t2", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_import_t3", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_import_t4", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_export_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_export_t1", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_export_t2", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_export_t3", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_export_t4", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_q1_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_q2_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_q3_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"reactive_energy_q4_total", Quantity::kReactiveEnergy, Unit::kKilovarHour, 3, FieldKind::kCounter, Pace::kFast,
     false},
    {"energy_absolute_total", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kFast, false},
    {"energy_net_total", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kGauge, Pace::kFast, false},
    // Instantaneous values.
    {"power_import", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_import_l1", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_import_l2", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_import_l3", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_export", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_export_l1", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_export_l2", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_export_l3", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_import", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_import_l1", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_import_l2", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_import_l3", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_export", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_export_l1", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_export_l2", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_export_l3", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_q1", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_q2", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_q3", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_power_q4", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast, false},
    {"apparent_power_import", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_import_l1", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_import_l2", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_import_l3", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_export", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_export_l1", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_export_l2", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_power_export_l3", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"current", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    {"current_l1", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    {"current_l2", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    {"current_l3", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    {"voltage", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_l1", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_l2", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_l3", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"power_factor", Quantity::kPowerFactor, Unit::kNone, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_factor_l1", Quantity::kPowerFactor, Unit::kNone, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_factor_l2", Quantity::kPowerFactor, Unit::kNone, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_factor_l3", Quantity::kPowerFactor, Unit::kNone, 3, FieldKind::kGauge, Pace::kFast, false},
    {"frequency", Quantity::kFrequency, Unit::kHertz, 2, FieldKind::kGauge, Pace::kFast, false},
    {"power_absolute", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_net", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"current_sum", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    {"current_neutral", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false},
    // Averages and demand.
    {"power_import_average", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_absolute_average", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"power_net_average", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_average_l1", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_average_l2", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"voltage_average_l3", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false},
    {"power_factor_min", Quantity::kPowerFactor, Unit::kNone, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_import_average", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"demand_export_average", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kFast, false},
    {"reactive_demand_import_average", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"reactive_demand_export_average", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kFast,
     false},
    {"apparent_demand_import_average", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge,
     Pace::kFast, false},
    {"apparent_demand_export_average", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge,
     Pace::kFast, false},
    {"demand_import_last", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_export_last", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"reactive_demand_import_last", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"reactive_demand_export_last", Quantity::kReactivePower, Unit::kKilovar, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"apparent_demand_import_last", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kSlow,
     false},
    {"apparent_demand_export_last", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kSlow,
     false},
    {"demand_max_month", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_max_month_export", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_month_peak", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_month_peak_at", Quantity::kInstant, Unit::kUnixSecond, 0, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_month_peak_export", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, false},
    {"demand_month_peak_export_at", Quantity::kInstant, Unit::kUnixSecond, 0, FieldKind::kGauge, Pace::kSlow, false},
    {"monthly_profile", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"billing_profile", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"demand_period", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    // Limits.
    {"limiter_threshold", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge, Pace::kSlow, true},
    {"limiter_threshold_kva", Quantity::kApparentPower, Unit::kKilovoltAmpere, 3, FieldKind::kGauge, Pace::kSlow, true},
    {"limiter_threshold_a", Quantity::kCurrent, Unit::kAmpere, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"fuse_threshold_l1", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kSlow, true},
    {"fuse_threshold_l2", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kSlow, true},
    {"fuse_threshold_l3", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kSlow, true},
    {"current_limit_import", Quantity::kCurrent, Unit::kAmpere, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"current_limit_export", Quantity::kCurrent, Unit::kAmpere, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"current_transformer_ratio", Quantity::kRatio, Unit::kNone, 2, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_transformer_ratio", Quantity::kRatio, Unit::kNone, 2, FieldKind::kGauge, Pace::kSlow, true},
    {"grid_configuration", Quantity::kNone, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, true},
    // Quality of supply.
    {"power_failures_short", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"power_failures_long", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_sags_l1", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_sags_l2", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_sags_l3", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_swells_l1", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_swells_l2", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_swells_l3", Quantity::kCount, Unit::kNone, 0, FieldKind::kCounter, Pace::kSlow, true},
    {"voltage_sag_duration_l1", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_sag_duration_l2", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_sag_duration_l3", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_sag_magnitude_l1", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_sag_magnitude_l2", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_sag_magnitude_l3", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_duration_l1", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_duration_l2", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_duration_l3", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_magnitude_l1", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_magnitude_l2", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"voltage_swell_magnitude_l3", Quantity::kVoltage, Unit::kVolt, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"power_failure", Quantity::kDuration, Unit::kSecond, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"power_failure_log", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    // States.
    {"tariff", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kTariffNames},
    {"tariff_number", Quantity::kNone, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, true},
    {"breaker_state", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, true, kBreakerNames},
    {"meter_status", Quantity::kNone, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    // Identity and texts.
    {"dsmr_version", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"emucs_version", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"equipment_id", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"serial_number", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"logical_device_name", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"contract_id", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"device_number", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"device_number_2", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"firmware", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"firmware_signature", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"firmware_2", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"firmware_signature_2", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"meter_time_of_day", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"meter_date", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, true},
    {"message", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"message_code", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"message_2", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"message_3", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"message_4", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    {"message_5", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText, Pace::kSlow, false},
    // M-Bus sub-meters.
    {"gas_volume", Quantity::kGasVolume, Unit::kCubicMetre, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"water_volume", Quantity::kWaterVolume, Unit::kCubicMetre, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"heat_energy", Quantity::kHeatEnergy, Unit::kGigajoule, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"cooling_energy", Quantity::kHeatEnergy, Unit::kGigajoule, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"submeter_energy", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"submeter_volume", Quantity::kVolume, Unit::kCubicMetre, 3, FieldKind::kCounter, Pace::kSlow, false},
    {"valve_state", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, true, kBreakerNames},
    {"switch_state", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, true, kBreakerNames},
    {"device_type", Quantity::kNone, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, true, kDeviceTypeNames},
};

constexpr size_t kFieldCount = std::size(kFields);

struct Source {
  std::string_view text;
  Role role;
  std::string_view key;
};

constexpr Source kSources[] = {
    // Energy registers.
    {"1-0:1.8.0", Role::kNumber, "energy_import_total"},
    {"1-0:1.8.1", Role::kNumber, "energy_import_t1"},
    {"1-0:1.8.2", Role::kNumber, "energy_import_t2"},
    {"1-0:1.8.3", Role::kNumber, "energy_import_t3"},
    {"1-0:1.8.4", Role::kNumber, "energy_import_t4"},
    {"1-0:1.8.5", Role::kNumber, "energy_import_t5"},
    {"1-0:2.8.0", Role::kNumber, "energy_export_total"},
    {"1-0:2.8.1", Role::kNumber, "energy_export_t1"},
    {"1-0:2.8.2", Role::kNumber, "energy_export_t2"},
    {"1-0:2.8.3", Role::kNumber, "energy_export_t3"},
    {"1-0:2.8.4", Role::kNumber, "energy_export_t4"},
    {"1-0:2.8.5", Role::kNumber, "energy_export_t5"},
    {"1-0:1.8.11", Role::kNumber, "energy_import_t11"},
    {"1-0:1.8.12", Role::kNumber, "energy_import_t12"},
    {"1-0:1.8.13", Role::kNumber, "energy_import_t13"},
    {"1-0:3.8.0", Role::kNumber, "reactive_energy_import_total"},
    {"1-0:3.8.1", Role::kNumber, "reactive_energy_import_t1"},
    {"1-0:3.8.2", Role::kNumber, "reactive_energy_import_t2"},
    {"1-0:3.8.3", Role::kNumber, "reactive_energy_import_t3"},
    {"1-0:3.8.4", Role::kNumber, "reactive_energy_import_t4"},
    {"1-0:4.8.0", Role::kNumber, "reactive_energy_export_total"},
    {"1-0:4.8.1", Role::kNumber, "reactive_energy_export_t1"},
    {"1-0:4.8.2", Role::kNumber, "reactive_energy_export_t2"},
    {"1-0:4.8.3", Role::kNumber, "reactive_energy_export_t3"},
    {"1-0:4.8.4", Role::kNumber, "reactive_energy_export_t4"},
    {"1-0:5.8.0", Role::kNumber, "reactive_energy_q1_total"},
    {"1-0:6.8.0", Role::kNumber, "reactive_energy_q2_total"},
    {"1-0:7.8.0", Role::kNumber, "reactive_energy_q3_total"},
    {"1-0:8.8.0", Role::kNumber, "reactive_energy_q4_total"},
    {"1-0:15.8.0", Role::kNumber, "energy_absolute_total"},
    {"1-0:16.8.0", Role::kNumber, "energy_net_total"},
    {"1-1:1.8.0", Role::kNumber, "energy_import_total"},
    {"1-1:1.8.1", Role::kNumber, "energy_import_t1"},
    {"1-1:1.8.2", Role::kNumber, "energy_import_t2"},
    {"1-1:1.8.3", Role::kNumber, "energy_import_t3"},
    {"1-1:1.8.4", Role::kNumber, "energy_import_t4"},
    {"1-1:1.8.5", Role::kNumber, "energy_import_t5"},
    {"1-1:2.8.0", Role::kNumber, "energy_export_total"},
    {"1-1:2.8.1", Role::kNumber, "energy_export_t1"},
    {"1-1:2.8.2", Role::kNumber, "energy_export_t2"},
    {"1-1:2.8.3", Role::kNumber, "energy_export_t3"},
    {"1-1:2.8.4", Role::kNumber, "energy_export_t4"},
    {"1-1:2.8.5", Role::kNumber, "energy_export_t5"},
    {"1-1:3.8.0", Role::kNumber, "reactive_energy_import_total"},
    {"1-1:3.8.1", Role::kNumber, "reactive_energy_import_t1"},
    {"1-1:3.8.2", Role::kNumber, "reactive_energy_import_t2"},
    {"1-1:3.8.3", Role::kNumber, "reactive_energy_import_t3"},
    {"1-1:3.8.4", Role::kNumber, "reactive_energy_import_t4"},
    {"1-1:4.8.0", Role::kNumber, "reactive_energy_export_total"},
    {"1-1:4.8.1", Role::kNumber, "reactive_energy_export_t1"},
    {"1-1:4.8.2", Role::kNumber, "reactive_energy_export_t2"},
    {"1-1:4.8.3", Role::kNumber, "reactive_energy_export_t3"},
    {"1-1:4.8.4", Role::kNumber, "reactive_energy_export_t4"},
    // Instantaneous values.
    {"1-0:1.7.0", Role::kNumber, "power_import"},
    {"1-0:21.7.0", Role::kNumber, "power_import_l1"},
    {"1-0:41.7.0", Role::kNumber, "power_import_l2"},
    {"1-0:61.7.0", Role::kNumber, "power_import_l3"},
    {"1-0:2.7.0", Role::kNumber, "power_export"},
    {"1-0:22.7.0", Role::kNumber, "power_export_l1"},
    {"1-0:42.7.0", Role::kNumber, "power_export_l2"},
    {"1-0:62.7.0", Role::kNumber, "power_export_l3"},
    {"1-0:3.7.0", Role::kNumber, "reactive_power_import"},
    {"1-0:23.7.0", Role::kNumber, "reactive_power_import_l1"},
    {"1-0:43.7.0", Role::kNumber, "reactive_power_import_l2"},
    {"1-0:63.7.0", Role::kNumber, "reactive_power_import_l3"},
    {"1-0:4.7.0", Role::kNumber, "reactive_power_export"},
    {"1-0:24.7.0", Role::kNumber, "reactive_power_export_l1"},
    {"1-0:44.7.0", Role::kNumber, "reactive_power_export_l2"},
    {"1-0:64.7.0", Role::kNumber, "reactive_power_export_l3"},
    {"1-0:5.7.0", Role::kNumber, "reactive_power_q1"},
    {"1-0:6.7.0", Role::kNumber, "reactive_power_q2"},
    {"1-0:7.7.0", Role::kNumber, "reactive_power_q3"},
    {"1-0:8.7.0", Role::kNumber, "reactive_power_q4"},
    {"1-0:9.7.0", Role::kNumber, "apparent_power_import"},
    {"1-0:29.7.0", Role::kNumber, "apparent_power_import_l1"},
    {"1-0:49.7.0", Role::kNumber, "apparent_power_import_l2"},
    {"1-0:69.7.0", Role::kNumber, "apparent_power_import_l3"},
    {"1-0:10.7.0", Role::kNumber, "apparent_power_export"},
    {"1-0:30.7.0", Role::kNumber, "apparent_power_export_l1"},
    {"1-0:50.7.0", Role::kNumber, "apparent_power_export_l2"},
    {"1-0:70.7.0", Role::kNumber, "apparent_power_export_l3"},
    {"1-0:11.7.0", Role::kNumber, "current"},
    {"1-0:31.7.0", Role::kNumber, "current_l1"},
    {"1-0:51.7.0", Role::kNumber, "current_l2"},
    {"1-0:71.7.0", Role::kNumber, "current_l3"},
    {"1-0:12.7.0", Role::kNumber, "voltage"},
    {"1-0:32.7.0", Role::kNumber, "voltage_l1"},
    {"1-0:52.7.0", Role::kNumber, "voltage_l2"},
    {"1-0:72.7.0", Role::kNumber, "voltage_l3"},
    {"1-0:13.7.0", Role::kPowerFactor, "power_factor"},
    {"1-0:33.7.0", Role::kPowerFactor, "power_factor_l1"},
    {"1-0:53.7.0", Role::kPowerFactor, "power_factor_l2"},
    {"1-0:73.7.0", Role::kPowerFactor, "power_factor_l3"},
    {"1-0:14.7.0", Role::kNumber, "frequency"},
    {"1-0:15.7.0", Role::kNumber, "power_absolute"},
    {"1-0:16.7.0", Role::kNumber, "power_net"},
    {"1-0:90.7.0", Role::kNumber, "current_sum"},
    {"1-0:91.7.0", Role::kNumber, "current_neutral"},
    // Averages and demand.
    {"1-0:1.24.0", Role::kNumber, "power_import_average"},
    {"1-0:15.24.0", Role::kNumber, "power_absolute_average"},
    {"1-0:16.24.0", Role::kNumber, "power_net_average"},
    {"1-0:32.24.0", Role::kNumber, "voltage_average_l1"},
    {"1-0:52.24.0", Role::kNumber, "voltage_average_l2"},
    {"1-0:72.24.0", Role::kNumber, "voltage_average_l3"},
    {"1-0:13.3.0", Role::kPowerFactor, "power_factor_min"},
    {"1-0:1.4.0", Role::kNumber, "demand_import_average"},
    {"1-0:2.4.0", Role::kNumber, "demand_export_average"},
    {"1-0:3.4.0", Role::kNumber, "reactive_demand_import_average"},
    {"1-0:4.4.0", Role::kNumber, "reactive_demand_export_average"},
    {"1-0:9.4.0", Role::kNumber, "apparent_demand_import_average"},
    {"1-0:10.4.0", Role::kNumber, "apparent_demand_export_average"},
    {"1-0:1.5.0", Role::kNumber, "demand_import_last"},
    {"1-0:2.5.0", Role::kNumber, "demand_export_last"},
    {"1-0:3.5.0", Role::kNumber, "reactive_demand_import_last"},
    {"1-0:4.5.0", Role::kNumber, "reactive_demand_export_last"},
    {"1-0:9.5.0", Role::kNumber, "apparent_demand_import_last"},
    {"1-0:10.5.0", Role::kNumber, "apparent_demand_export_last"},
    {"1-0:1.6.0", Role::kDemandMax, "demand_max_month"},
    {"1-1:1.6.0", Role::kDemandMax, "demand_max_month"},
    {"1-0:2.6.0", Role::kDemandMax, "demand_max_month_export"},
    {"1-1:2.6.0", Role::kDemandMax, "demand_max_month_export"},
    {"0-0:98.1.0", Role::kDemandHistory, "monthly_profile"},
    {"0-0:98.1.1", Role::kText, "billing_profile"},
    {"1-0:0.8.2", Role::kNumber, "demand_period"},
    // Limits.
    {"0-0:17.0.0", Role::kLimiter, "limiter_threshold"},
    {"1-0:31.4.0", Role::kThreshold, "fuse_threshold_l1"},
    {"1-0:51.4.0", Role::kThreshold, "fuse_threshold_l2"},
    {"1-0:71.4.0", Role::kThreshold, "fuse_threshold_l3"},
    {"1-1:31.4.0", Role::kCurrentLimits, "current_limit_import"},
    {"1-0:0.4.2", Role::kNumber, "current_transformer_ratio"},
    {"1-0:0.4.3", Role::kNumber, "voltage_transformer_ratio"},
    {"1-0:94.32.1", Role::kNumber, "grid_configuration"},
    // Quality of supply.
    {"0-0:96.7.21", Role::kNumber, "power_failures_short"},
    {"0-0:96.7.9", Role::kNumber, "power_failures_long"},
    {"1-0:32.32.0", Role::kNumber, "voltage_sags_l1"},
    {"1-0:52.32.0", Role::kNumber, "voltage_sags_l2"},
    {"1-0:72.32.0", Role::kNumber, "voltage_sags_l3"},
    {"1-0:32.36.0", Role::kNumber, "voltage_swells_l1"},
    {"1-0:52.36.0", Role::kNumber, "voltage_swells_l2"},
    {"1-0:72.36.0", Role::kNumber, "voltage_swells_l3"},
    {"0-0:32.32.0", Role::kNumber, "voltage_sags_l1"},
    {"0-0:52.32.0", Role::kNumber, "voltage_sags_l2"},
    {"0-0:72.32.0", Role::kNumber, "voltage_sags_l3"},
    {"0-0:32.36.0", Role::kNumber, "voltage_swells_l1"},
    {"0-0:52.36.0", Role::kNumber, "voltage_swells_l2"},
    {"0-0:72.36.0", Role::kNumber, "voltage_swells_l3"},
    {"1-0:32.33.0", Role::kNumber, "voltage_sag_duration_l1"},
    {"1-0:52.33.0", Role::kNumber, "voltage_sag_duration_l2"},
    {"1-0:72.33.0", Role::kNumber, "voltage_sag_duration_l3"},
    {"1-0:32.34.0", Role::kNumber, "voltage_sag_magnitude_l1"},
    {"1-0:52.34.0", Role::kNumber, "voltage_sag_magnitude_l2"},
    {"1-0:72.34.0", Role::kNumber, "voltage_sag_magnitude_l3"},
    {"1-0:32.37.0", Role::kNumber, "voltage_swell_duration_l1"},
    {"1-0:52.37.0", Role::kNumber, "voltage_swell_duration_l2"},
    {"1-0:72.37.0", Role::kNumber, "voltage_swell_duration_l3"},
    {"1-0:32.38.0", Role::kNumber, "voltage_swell_magnitude_l1"},
    {"1-0:52.38.0", Role::kNumber, "voltage_swell_magnitude_l2"},
    {"1-0:72.38.0", Role::kNumber, "voltage_swell_magnitude_l3"},
    {"1-0:99.97.0", Role::kFailureLog, "power_failure"},
    {"1-0:99.1.0", Role::kText, "power_failure_log"},
    // States.
    {"0-0:96.14.0", Role::kTariff, "tariff_number"},
    {"0-0:96.14.1", Role::kTariff, "tariff_number"},
    {"0-0:96.3.10", Role::kBreaker, "breaker_state"},
    {"0-0:96.50.68", Role::kBreaker, "breaker_state"},
    {"1-0:96.5.5", Role::kText, "meter_status"},
    // Identity and texts.
    {"0-0:1.0.0", Role::kClock, ""},
    {"0-0:1.1.0", Role::kClock, ""},
    {"1-3:0.2.8", Role::kVersion, "dsmr_version"},
    {"0-0:96.1.4", Role::kOctets, "emucs_version"},
    {"0-0:96.1.1", Role::kOctets, "equipment_id"},
    {"0-0:96.1.0", Role::kOctets, "serial_number"},
    {"0-0:42.0.0", Role::kOctets, "logical_device_name"},
    {"0-0:96.1.2", Role::kOctets, "contract_id"},
    {"1-0:0.0.0", Role::kText, "device_number"},
    {"0-0:0.0.0", Role::kText, "device_number"},
    {"0-0:96.1.255", Role::kText, "device_number_2"},
    {"1-0:0.2.0", Role::kText, "firmware"},
    {"1-0:0.2.8", Role::kText, "firmware_signature"},
    {"1-1:0.2.0", Role::kText, "firmware_2"},
    {"1-1:0.2.8", Role::kText, "firmware_signature_2"},
    {"1-0:0.9.1", Role::kText, "meter_time_of_day"},
    {"1-0:0.9.2", Role::kText, "meter_date"},
    {"0-0:96.13.0", Role::kOctets, "message"},
    {"0-0:96.13.1", Role::kOctets, "message_code"},
    {"0-0:96.13.2", Role::kOctets, "message_2"},
    {"0-0:96.13.3", Role::kOctets, "message_3"},
    {"0-0:96.13.4", Role::kOctets, "message_4"},
    {"0-0:96.13.5", Role::kOctets, "message_5"},
    // M-Bus sub-meters.
};

// The codes of an M-Bus channel n, written 0-n:...
constexpr Source kChannelSources[] = {
    {"24.1.0", Role::kChannelType, ""},    {"96.1.0", Role::kChannelId, ""},
    {"96.1.1", Role::kChannelId, ""},      {"96.1.2", Role::kChannelContract, ""},
    {"24.2.0", Role::kChannelReading, ""}, {"24.2.1", Role::kChannelReading, ""},
    {"24.2.3", Role::kChannelReading, ""}, {"24.3.0", Role::kChannelProfile, ""},
    {"24.3.1", Role::kChannelProfile, ""}, {"24.4.0", Role::kChannelValve, ""},
    {"96.3.10", Role::kChannelSwitch, ""},
};

// Measured once: compilers bound the work that they do for constants.
constexpr std::array<std::string_view, kFieldCount> MakeKeys() {
  std::array<std::string_view, kFieldCount> keys{};
  for (size_t i = 0; i < kFieldCount; ++i) keys[i] = kFields[i].key;
  return keys;
}
constexpr std::array<std::string_view, kFieldCount> kKeys = MakeKeys();

constexpr uint16_t FieldIndex(std::string_view key) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (key.size() == kKeys[i].size() && key == kKeys[i]) return static_cast<uint16_t>(i);
  }
  return kNoField;
}

constexpr uint64_t LoadCodeWord(const char* p) {
  uint64_t word = 0;
  for (int i = 7; i >= 0; --i) word = word << 8 | static_cast<uint8_t>(p[i]);
  return word;
}

constexpr std::string_view UnitOnWire(Unit unit) {
  switch (unit) {
    case Unit::kKilowattHour:
      return "kWh";
    case Unit::kKilowatt:
      return "kW";
    case Unit::kKilovarHour:
      return "kvarh";
    case Unit::kKilovar:
      return "kvar";
    case Unit::kKilovoltAmpere:
      return "kVA";
    case Unit::kVolt:
      return "V";
    case Unit::kAmpere:
      return "A";
    case Unit::kHertz:
      return "Hz";
    case Unit::kCubicMetre:
      return "m3";
    case Unit::kGigajoule:
      return "GJ";
    case Unit::kSecond:
      return "s";
    default:
      return "";
  }
}

constexpr ObisRow MakeRow(std::string_view text, Role role, std::string_view key, uint8_t channel) {
  ObisRow row;
  for (size_t i = 0; i < text.size(); ++i) row.text[i] = text[i];
  row.words[0] = LoadCodeWord(row.text);
  row.words[1] = LoadCodeWord(row.text + 8);
  row.role = role;
  row.channel = channel;
  row.field = key.empty() ? kNoField : FieldIndex(key);
  if (row.field == kNoField) return row;
  const std::string_view unit = UnitOnWire(kFields[row.field].unit);
  char pattern[8] = {};
  for (size_t i = 0; i < unit.size(); ++i) pattern[i] = unit[i];
  pattern[unit.size()] = ')';
  row.unit_bits = LoadCodeWord(pattern);
  row.unit_mask = (uint64_t{1} << (8 * (unit.size() + 1))) - 1;
  row.unit_size = static_cast<uint8_t>(unit.size());
  return row;
}

constexpr size_t kRowCount = std::size(kSources) + kMaxChannels * std::size(kChannelSources);

constexpr std::array<ObisRow, kRowCount> MakeRows() {
  std::array<ObisRow, kRowCount> rows{};
  size_t n = 0;
  for (const Source& s : kSources) rows[n++] = MakeRow(s.text, s.role, s.key, 0);
  for (uint8_t channel = 1; channel <= kMaxChannels; ++channel) {
    for (const Source& s : kChannelSources) {
      char text[kObisTextSize] = {'0', '-', static_cast<char>('0' + channel), ':'};
      for (size_t i = 0; i < s.text.size(); ++i) text[4 + i] = s.text[i];
      rows[n++] = MakeRow(std::string_view(text, 4 + s.text.size()), s.role, s.key, channel);
    }
  }
  return rows;
}
constexpr std::array<ObisRow, kRowCount> kRows = MakeRows();

// Every key that a source names must exist.
constexpr bool AllKeysExist() {
  for (const Source& s : kSources) {
    if (!s.key.empty() && FieldIndex(s.key) == kNoField) return false;
  }
  return true;
}
static_assert(AllKeysExist());

// Open addressing; less than a third full, so that most codes are found at the first place.
constexpr size_t kSlots = 1024;
constexpr uint64_t kMix0 = 0x9E3779B97F4A7C15;
constexpr uint64_t kMix1 = 0xC2B2AE3D27D4EB4F;

constexpr size_t SlotOf(uint64_t word0, uint64_t word1) {
  return static_cast<size_t>(((word0 * kMix0) ^ (word1 * kMix1)) >> 54);
}
static_assert(kSlots == size_t{1} << (64 - 54));
static_assert(kRowCount * 3 < kSlots);

constexpr std::array<uint16_t, kSlots> MakeSlots() {
  std::array<uint16_t, kSlots> slots{};
  for (size_t i = 0; i < kRowCount; ++i) {
    size_t slot = SlotOf(kRows[i].words[0], kRows[i].words[1]);
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<uint16_t>(i + 1);
  }
  return slots;
}
constexpr std::array<uint16_t, kSlots> kSlotTable = MakeSlots();

}  // namespace

std::span<const Field> Fields() { return kFields; }

uint16_t FindField(std::string_view key) { return FieldIndex(key); }

std::span<const ObisRow> ObisRows() { return kRows; }

const ObisRow* FindObis(uint64_t word0, uint64_t word1) {
  for (size_t slot = SlotOf(word0, word1);; slot = (slot + 1) % kSlots) {
    const uint16_t entry = kSlotTable[slot];
    if (entry == 0) return nullptr;
    const ObisRow& row = kRows[entry - 1];
    if (row.words[0] == word0 && row.words[1] == word1) return &row;
  }
}

const ObisRow* FindObis(std::string_view text) {
  if (text.size() > kObisTextSize) return nullptr;
  char padded[kObisTextSize] = {};
  std::memcpy(padded, text.data(), text.size());
  return FindObis(LoadCodeWord(padded), LoadCodeWord(padded + 8));
}

std::string_view WireUnit(Unit unit) { return UnitOnWire(unit); }

constexpr KnownFields kKnownValues = {
    FieldIndex("limiter_threshold"),
    FieldIndex("limiter_threshold_kva"),
    FieldIndex("limiter_threshold_a"),
    FieldIndex("current_limit_import"),
    FieldIndex("current_limit_export"),
    FieldIndex("tariff"),
    FieldIndex("tariff_number"),
    FieldIndex("power_failure"),
    FieldIndex("demand_max_month"),
    FieldIndex("demand_max_month_export"),
    FieldIndex("demand_month_peak"),
    FieldIndex("demand_month_peak_at"),
    FieldIndex("demand_month_peak_export"),
    FieldIndex("demand_month_peak_export_at"),
    FieldIndex("monthly_profile"),
    FieldIndex("equipment_id"),
    FieldIndex("serial_number"),
    FieldIndex("logical_device_name"),
    FieldIndex("device_number"),
    FieldIndex("contract_id"),
    FieldIndex("device_type"),
    FieldIndex("valve_state"),
    FieldIndex("switch_state"),
    FieldIndex("gas_volume"),
    FieldIndex("water_volume"),
    FieldIndex("heat_energy"),
    FieldIndex("cooling_energy"),
    FieldIndex("submeter_energy"),
    FieldIndex("submeter_volume"),
    FieldIndex("firmware"),
    FieldIndex("dsmr_version"),
    FieldIndex("emucs_version"),
};
const KnownFields kKnown = kKnownValues;

}  // namespace vesta::p1
