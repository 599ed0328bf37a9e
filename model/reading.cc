#include "model/reading.h"

#include <cstddef>

namespace vesta {
namespace {

constexpr std::string_view kDeviceKindNames[] = {
    "other",         "electricity_meter", "gas_meter",       "water_meter",   "heat_meter",
    "cooling_meter", "battery_monitor",   "battery",         "solar_charger", "ac_charger",
    "inverter",      "dc_converter",      "gateway",         "incubator",     "node",
    "sensor",        "inverter_charger",  "battery_protect", "bms",           "dc_meter",
};
static_assert(sizeof(kDeviceKindNames) / sizeof(kDeviceKindNames[0]) ==
              static_cast<size_t>(DeviceKind::kCountOfDeviceKinds));

}  // namespace

std::string_view DeviceKindName(DeviceKind kind) { return kDeviceKindNames[static_cast<size_t>(kind)]; }

}  // namespace vesta
