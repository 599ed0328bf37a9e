// Names of the codes that Victron devices send: states, errors, modes, and the bits of reasons.
//
// Names are stable for ever, since outputs publish them. A code without a row is shown by its number and stops nothing;
// "not available" codes have no row, since they never leave a decoder. Facts: the maker's register headers and protocol
// documents, by way of the reference of the Victron formats, section 7.
#pragma once

#include "model/field.h"

namespace vesta::victron {

// Registers 0x0201 and 0x200C, text CS.
inline constexpr StateName kDeviceStates[] = {
    {0, "off"},
    {1, "low_power"},
    {2, "fault"},
    {3, "bulk"},
    {4, "absorption"},
    {5, "float"},
    {6, "storage"},
    {7, "equalise_manual"},
    {8, "pass_through"},
    {9, "inverting"},
    {10, "assisting"},
    {11, "power_supply"},
    {244, "sustain"},
    {245, "starting_up"},
    {246, "repeated_absorption"},
    {247, "equalise_auto"},
    {248, "battery_safe"},
    {249, "load_detect"},
    {250, "blocked"},
    {251, "test"},
    {252, "external_control"},
};

// Register 0xEDDA, text ERR. Numbers that are not listed are free.
inline constexpr StateName kChargerErrors[] = {
    {0, "none"},
    {1, "battery_temperature_too_high"},
    {2, "battery_voltage_too_high"},
    {3, "battery_temperature_sensor_wiring_plus_high"},
    {4, "battery_temperature_sensor_wiring_plus_low"},
    {5, "battery_temperature_sensor_connection_lost"},
    {6, "battery_voltage_sense_wiring_plus_low"},
    {7, "battery_voltage_sense_wiring_minus_high"},
    {8, "battery_voltage_sense_connection_lost"},
    {9, "battery_wire_losses_too_high"},
    {10, "battery_voltage_too_low"},
    {11, "battery_ripple_voltage_too_high"},
    {12, "battery_state_of_charge_low"},
    {13, "battery_mid_point_voltage"},
    {14, "battery_temperature_too_low"},
    {15, "battery_relay_fault"},
    {16, "no_battery_found"},
    {17, "charger_temperature_too_high"},
    {18, "charger_over_current"},
    {19, "charger_current_reversed"},
    {20, "bulk_time_limit_exceeded"},
    {21, "current_sensor_issue"},
    {22, "internal_temperature_sensor_wiring"},
    {23, "internal_temperature_sensor_lost"},
    {24, "fan_not_detected"},
    {25, "fan_over_current"},
    {26, "terminal_overheated"},
    {27, "short_circuit"},
    {28, "converter_power_stage_issue"},
    {29, "over_charge_protection"},
    {31, "input_voltage_out_of_range"},
    {32, "input_voltage_too_low"},
    {33, "input_voltage_too_high"},
    {34, "input_current_too_high"},
    {35, "input_power_too_high"},
    {36, "input_polarity"},
    {37, "input_voltage_absent"},
    {38, "input_shutdown_battery_over_voltage"},
    {39, "input_shutdown_current_while_off"},
    {40, "internal_failure_pv_shutdown_failed"},
    {41, "pv_isolation_resistance_too_low"},
    {42, "ground_fault_current_too_high"},
    {43, "ground_relay_fault"},
    {44, "reserved_for_gx"},
    {45, "reserved_for_gx_45"},
    {46, "reserved_for_gx_46"},
    {47, "reserved_for_gx_data_partition"},
    {48, "reserved_for_gx_dvcc_firmware"},
    {49, "reserved_for_gx_49"},
    {50, "inverter_overload"},
    {51, "inverter_temperature_too_high"},
    {52, "inverter_peak_current"},
    {53, "inverter_internal_dc_level"},
    {54, "inverter_ac_level"},
    {55, "inverter_dc_on_output"},
    {56, "inverter_ac_voltage_wrong"},
    {57, "inverter_sees_ac_on_its_output"},
    {58, "inverter_bridge_fault"},
    {59, "ac_input_1_relay_test"},
    {60, "ac_input_2_relay_test"},
    {65, "device_missing_in_parallel_operation_warning"},
    {66, "incompatible_device_in_network_warning"},
    {67, "bms_connection_lost"},
    {68, "network_misconfigured"},
    {69, "network_misconfigured_settings"},
    {70, "network_misconfigured_device_not_capable"},
    {71, "network_misconfigured_protocol_version"},
    {72, "phase_rotation"},
    {73, "multiple_ac_inputs"},
    {74, "phase_overload"},
    {75, "network_configuration_not_supported"},
    {76, "too_few_inverters_for_networked_operation"},
    {77, "settings_synchronisation_disabled"},
    {80, "input_shutdown_slow_over_voltage_manual_reset"},
    {81, "input_shutdown_fast_over_voltage_manual_reset"},
    {82, "input_shutdown_too_high_over_voltage_manual_reset"},
    {83, "input_shutdown_current_while_off_manual_reset"},
    {84, "input_shutdown_slow_over_voltage"},
    {85, "input_shutdown_fast_over_voltage"},
    {86, "input_shutdown_too_high_over_voltage"},
    {87, "input_shutdown_current_while_off_87"},
    {113, "non_volatile_memory_write_error"},
    {114, "cpu_temperature_too_high"},
    {115, "communication_lost"},
    {116, "calibration_data_lost"},
    {117, "incompatible_firmware"},
    {118, "incompatible_hardware"},
    {119, "settings_data_invalid"},
    {120, "reference_voltage_failure"},
    {121, "tester_failure"},
    {122, "history_data_invalid"},
    {123, "energy_counters_invalid"},
    {150, "battery_temperature_too_high_warning"},
    {151, "battery_temperature_too_low_warning"},
    {160, "charger_temperature_too_high_warning"},
    {161, "short_circuit_warning"},
    {162, "converter_issue_warning"},
    {180, "pre_charge_failed"},
    {200, "internal_error_hv_under_voltage"},
    {201, "internal_error_dc_dc"},
    {202, "internal_error_gfci"},
    {203, "internal_error_3_3_v_under_voltage"},
    {205, "internal_error_5_v_under_voltage"},
    {212, "internal_error_12_v_under_voltage"},
    {215, "internal_error_15_v_under_voltage"},
    {220, "solar_relay_fault"},
    {221, "solar_short_protection_active"},
    {222, "solar_connection_failed"},
};

// Register 0x2101.
inline constexpr StateName kBmsErrors[] = {
    {0, "none"},
    {1, "battery_initialisation"},
    {2, "no_battery_found"},
    {3, "unknown_battery_product"},
    {4, "different_battery_types"},
    {5, "number_of_batteries_incorrect"},
    {6, "shunt_not_found"},
    {7, "measurement_error"},
    {8, "calculation_error"},
    {9, "number_of_batteries_in_series_incorrect"},
    {10, "number_of_batteries_incorrect_parallel"},
    {11, "hardware_failure"},
    {12, "watchdog"},
    {13, "over_voltage"},
    {14, "under_voltage"},
    {15, "over_temperature"},
    {16, "under_temperature"},
    {17, "input_output_expander"},
    {18, "under_charge_standby"},
    {20, "contactor_at_start_up"},
    {22, "adc_failure"},
    {23, "slave_battery_communication_failure"},
    {25, "pre_charge"},
    {26, "contactor"},
    {28, "slave_update"},
    {29, "slave_update_unavailable"},
    {30, "calibration_data_lost_old_number"},
    {31, "settings_invalid_old_number"},
    {32, "bms_cable"},
    {33, "reference_voltage_failure"},
    {34, "wrong_system_voltage"},
    {35, "pre_charge_time_out"},
    {36, "charge_discharge_permission_signal_failure"},
    {37, "interlock"},
    {38, "emergency_stop"},
    {39, "communication_time_out"},
    {40, "safety_lock"},
    {41, "terminal_over_temperature"},
    {116, "calibration_data_lost"},
    {119, "settings_data_invalid"},
};

// Register 0xE40B.
inline constexpr StateName kVebusErrors[] = {
    {0, "none"},
    {1, "switched_off_by_other_phase"},
    {2, "new_and_old_mk2_types_mixed"},
    {3, "expected_devices_missing"},
    {4, "no_other_device_detected"},
    {5, "over_voltage_on_ac_output"},
    {6, "ddc_program_error"},
    {7, "ve_bus_bms_connected_without_assistant"},
    {8, "ground_relay_test_failed"},
    {10, "system_time_synchronisation"},
    {11, "grid_relay_test_fault"},
    {12, "configuration_mismatch_with_second_processor"},
    {14, "device_cannot_transmit"},
    {16, "awaiting_configuration_or_dongle_missing"},
    {17, "phase_master_missing"},
    {18, "over_voltage_has_occurred"},
    {19, "slave_has_no_ac_input"},
    {22, "device_cannot_be_slave"},
    {24, "system_protection_initiated"},
    {25, "firmware_incompatibility"},
    {26, "internal_error"},
    {128, "failing_relay_test_prevents_connection"},
};

// Record 0x0C.
inline constexpr StateName kVebusAlarms[] = {
    {0, "none"},
    {1, "warning"},
    {2, "alarm"},
};

// Register 0xEEF8.
inline constexpr StateName kAuxModes[] = {
    {0, "starter_voltage"},
    {1, "mid_voltage"},
    {2, "temperature"},
    {3, "none"},
};

// As the radio records code it; register 0x0204 says 240 for not connected.
inline constexpr StateName kActiveAcIns[] = {
    {0, "ac_input_1"},
    {1, "ac_input_2"},
    {2, "not_connected"},
    {3, "unknown"},
};

// Register 0xEEB8, text MON: a signed number; the code is its 16 bits.
inline constexpr StateName kMonitorModes[] = {
    {0xFFF7, "solar_charger"},
    {0xFFF8, "wind_turbine"},
    {0xFFF9, "shaft_generator"},
    {0xFFFA, "alternator"},
    {0xFFFB, "fuel_cell"},
    {0xFFFC, "water_generator"},
    {0xFFFD, "dc_dc_charger"},
    {0xFFFE, "ac_charger"},
    {0xFFFF, "generic_source"},
    {0, "battery_monitor"},
    {1, "generic_load"},
    {2, "electric_drive"},
    {3, "fridge"},
    {4, "water_pump"},
    {5, "bilge_pump"},
    {6, "dc_system"},
    {7, "inverter"},
    {8, "water_heater"},
};

// Register 0xEA15.
inline constexpr StateName kBalancerStatuses[] = {
    {0, "unknown"},
    {1, "balanced"},
    {2, "balancing"},
    {3, "cell_imbalance"},
};

// Register 0xEDA8, text LOAD.
inline constexpr StateName kOutputStates[] = {
    {0, "off"},
    {1, "on"},
    {2, "scheduled"},
    {3, "attempting"},
};

// Register 0x0200, text MODE.
inline constexpr StateName kDeviceModes[] = {
    {1, "charger_on"}, {2, "inverter_on"}, {3, "on"}, {4, "off"}, {5, "eco"}, {253, "hibernate"},
};

// Register 0xEDB3, text MPPT.
inline constexpr StateName kTrackerModes[] = {
    {0, "off"},
    {1, "limited"},
    {2, "tracking"},
};

// Bits of registers 0x031E and 0x031C, texts AR and WARN.
inline constexpr StateName kAlarmReasonBits[] = {
    {0, "low_voltage"},         {1, "high_voltage"},         {2, "low_soc"},
    {3, "low_starter_voltage"}, {4, "high_starter_voltage"}, {5, "low_temperature"},
    {6, "high_temperature"},    {7, "mid_voltage"},          {8, "overload"},
    {9, "dc_ripple"},           {10, "low_ac_out_voltage"},  {11, "high_ac_out_voltage"},
    {12, "short_circuit"},      {13, "bms_lockout"},         {14, "bms_cable"},
};

// Bits of register 0x0207, text OR; the low byte also of 0x0205.
inline constexpr StateName kOffReasonBits[] = {
    {0, "no_input_power"},
    {1, "hardware_switch"},
    {2, "software_switch"},
    {3, "remote_input"},
    {4, "internal_reason"},
    {5, "pay_as_you_go"},
    {6, "bms"},
    {7, "engine_shutdown"},
    {8, "analysing_input_voltage"},
    {9, "low_battery_temperature"},
    {10, "no_pv_power"},
    {11, "low_battery"},
    {12, "low_mains"},
    {13, "no_can_synchronisation"},
    {14, "not_enough_inverters"},
    {15, "active_alarm"},
};

// Bits of register 0x2100.
inline constexpr StateName kBmsFlagBits[] = {
    {0, "charged"},
    {1, "almost_charged"},
    {2, "discharged"},
    {3, "almost_discharged"},
    {4, "charging"},
    {5, "discharging"},
    {6, "balancing"},
    {7, "relay_discharged"},
    {8, "relay_charged"},
    {9, "alarm_over_voltage"},
    {10, "warning_over_voltage"},
    {11, "alarm_under_voltage"},
    {12, "warning_under_voltage"},
    {13, "warning_charge_current"},
    {14, "warning_discharge_current"},
    {15, "alarm_over_temperature"},
    {16, "warning_over_temperature"},
    {17, "warning_under_temperature_charge"},
    {18, "alarm_under_temperature_charge"},
    {19, "warning_under_temperature_discharge"},
    {20, "alarm_under_temperature_discharge"},
    {21, "low_state_of_charge"},
    {22, "under_temperature"},
    {23, "short_circuit"},
    {24, "hardware_failure"},
    {25, "charging_allowed"},
    {26, "discharging_allowed"},
    {27, "pre_alarm_active"},
    {28, "bad_contactor_warning"},
    {29, "high_current_alarm"},
};

// Bits of register 0xEC80.
inline constexpr StateName kSmartlithiumErrorBits[] = {
    {0, "balancer_failure"},
    {1, "communication_error"},
    {2, "balancers_0_and_1_disagree_on_a_cell"},
    {3, "balancers_1_and_2_disagree_on_a_cell"},
    {4, "update_of_balancer_0_failed"},
    {5, "update_of_balancer_1_failed"},
    {6, "update_of_balancer_2_failed"},
    {7, "settings_data_invalid"},
    {8, "overlapping_balancers_disagree_on_a_cell"},
    {9, "update_of_a_balancer_failed"},
    {10, "balancer_has_unexpected_product_id"},
};

// Bits of register 0x200E.
inline constexpr StateName kNetworkModeBits[] = {
    {0, "networked"},    {1, "slave"},           {2, "external_control"}, {3, "bms_controlled"},
    {4, "group_master"}, {5, "instance_master"}, {6, "standby"},
};

// Bits of register 0x200D.
inline constexpr StateName kNetworkInfoBits[] = {
    {0, "bms_controlled"},   {1, "voltage_remote"},     {2, "slave"},          {3, "master"},  {4, "estimated_current"},
    {5, "measured_current"}, {6, "shared_temperature"}, {7, "shared_voltage"}, {8, "standby"}, {9, "current_remote"},
};

// Bits of register 0xED91.
inline constexpr StateName kLoadOffReasonBits[] = {
    {0, "battery_low"},  {1, "short_circuit"}, {2, "timer_program"},
    {3, "remote_input"}, {4, "pay_as_you_go"}, {7, "starting_up"},
};

// Two-bit fields of register 0x2108 by number: 0 not available, 1 yes, 2 no.
inline constexpr StateName kBmsIoFields[] = {
    {0, "contactor_closed"},
    {1, "charging_allowed"},
    {2, "discharging_allowed"},
    {3, "user_relay_active"},
    {4, "auxiliary_output_enabled"},
    {5, "remote_enabled"},
    {6, "alternator_charging_allowed"},
};

// Two-bit fields of register 0x2107 by number: 0 unsupported, 1 well, 2 warning, 3 alarm.
inline constexpr StateName kBmsWarningFields[] = {
    {0, "low_cell_voltage"}, {1, "high_current"},    {2, "high_bms_temperature"}, {3, "high_contactor_resistance"},
    {4, "bms_cable_fault"},  {5, "load_disconnect"}, {6, "low_state_of_charge"},  {8, "high_battery_temperature"},
};

// Register 0x0201 of a Smart Battery Protect, where the number of "load detect" means on.
inline constexpr StateName kProtectStates[] = {
    {0, "off"},
    {2, "fault"},
    {249, "on"},
};

// Register 0x2030.
inline constexpr StateName kDaylights[] = {
    {0, "night"},
    {1, "day"},
};

// Register 0x2004.
inline constexpr StateName kLinkCommands[] = {
    {1, "start_equalise"},
    {2, "stop_equalise"},
    {3, "sync_user_interface"},
    {4, "sync_day"},
};

// Register 0x2018.
inline constexpr StateName kEqualisationStates[] = {
    {0, "no"},
    {1, "yes"},
    {2, "error"},
    {3, "unknown"},
};

// Register 0x200F, low four bits.
inline constexpr StateName kNetworkRoles[] = {
    {0, "slave"}, {1, "group_master"}, {2, "instance_master"}, {3, "group_and_instance_master"}, {4, "stand_alone"},
};

// Register 0x200F, high four bits.
inline constexpr StateName kNetworkSenseBits[] = {
    {4, "estimated_current"},
    {5, "measured_current"},
    {6, "temperature"},
    {7, "voltage"},
};

// Register 0xEDD4.
inline constexpr StateName kChargerFlagBits[] = {
    {0, "safe_mode"},
    {1, "auto_equalise"},
    {4, "temperature_dimming"},
    {6, "input_dimming"},
};

// Whether cells are beyond the ends of the record's scale.
inline constexpr StateName kCellRanges[] = {
    {0, "in_range"},
    {1, "below"},
    {2, "above"},
    {3, "below_and_above"},
};

}  // namespace vesta::victron
