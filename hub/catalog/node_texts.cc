#include "hub/catalog/node_texts.h"

namespace vesta::hub {
namespace {

constexpr FieldText kNodeTexts[] = {
    {"signal", "Signal", "As the hub's radio heard the node, once a minute."},
    {"report_number", "Report number", "One more for each report of the node; it tells what is safe on the disk."},
    {"outbox", "Outbox", "The number of the node's memory of reports; another one after a power cut of the node."},
    {"temperature", "Temperature", "No value after a checksum error of the sensor."},
    {"humidity", "Humidity", ""},
    {"set_point", "Set-point", "The temperature that the thermostat keeps."},
    {"heating", "Heating", ""},
    {"switch", "Switch", ""},
    {"message_counter", "Message counter", "Starts anew when the node does."},
    {"voltage", "Voltage", ""},
    {"current", "Current", "Positive while the battery is charged."},
    {"power", "Power", ""},
    {"state_of_charge", "State of charge", ""},
};

}  // namespace

std::span<const FieldText> NodeTexts() { return kNodeTexts; }

}  // namespace vesta::hub
