#include "hub/catalog/masterbus_texts.h"

namespace vesta::hub {
namespace {

constexpr FieldText kTexts[] = {
    {"announce_counter", "Announce counter",
     "Zero when the device is switched on, one more at each change of its state."},
    {"state_of_charge", "State of charge", ""},
    {"battery_voltage", "Battery voltage", ""},
    {"battery_current", "Battery current", "Negative while the battery is discharged."},
    {"charge_consumed", "Charge consumed", "Taken out of the battery since it was full; positive."},
    {"time_remaining", "Time remaining", "At the present current; without a value while the battery is charged."},
    {"battery_temperature", "Battery temperature", ""},
    {"battery2_voltage", "Second battery voltage", ""},
    {"battery2_current", "Second battery current", ""},
    {"device_state", "State", "Named as the device names it."},
    {"charger_state", "Charger", "Named as the device names it: bulk, absorption, float, no shore."},
    {"charger2_state", "Charger of the second battery", "Named as the device names it."},
    {"solar_charger_state", "Solar charger", "Named as the device names it."},
    {"user_mode", "Mode", "Named as the device names it."},
    {"power_switch", "Power switch", ""},
    {"inverter_switch", "Inverter switch", ""},
    {"charger_switch", "Charger switch", ""},
    {"ac_input_voltage", "AC input voltage", "Shore or generator."},
    {"ac_input_current", "AC input current", ""},
    {"ac_input_power", "AC input power", ""},
    {"ac_output_voltage", "AC output voltage", ""},
    {"ac_output_current", "AC output current", ""},
    {"ac_output_power", "AC output power", ""},
    {"ac_output2_voltage", "Second AC output voltage", ""},
    {"ac_output2_current", "Second AC output current", ""},
    {"ac_output2_power", "Second AC output power", ""},
    {"ac_input_state", "AC input", "Named as the device names it."},
    {"ac_output_state", "AC output", "Named as the device names it."},
    {"shore_fuse", "Shore fuse", "A choice out of a list: the label tells the amperes."},
    {"shore_fuse_current", "Shore fuse current", "In amperes."},
    {"load_level", "Load", "A choice out of a list: the label tells the percentage."},
    {"input_is_genset", "Input is a generator", ""},
    {"bus_voltage", "MasterBus voltage", "The supply of the bus itself."},
    {"board_temperature", "Circuit board temperature", ""},
    {"clock_time", "Time on the device", ""},
    {"clock_date", "Date on the device", ""},
};

}  // namespace

std::span<const FieldText> MasterBusTexts() { return kTexts; }

}  // namespace vesta::hub
