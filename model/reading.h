// Devices and readings as a protocol session reports them.
//
// A session numbers the devices it hears by small slots and refers to fields by their place in its table, so a reading
// carries no text of its own and costs no look-up on the way to the journal.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/field.h"
#include "model/time.h"
#include "model/value.h"

namespace vesta {

inline constexpr uint16_t kNoDevice = 0xFFFF;

// What a device is, for icons, cards and names where the user gave none.
enum class DeviceKind : uint8_t {
  kOther = 0,
  kElectricityMeter,
  kGasMeter,
  kWaterMeter,
  kHeatMeter,
  kCoolingMeter,
  kBatteryMonitor,
  kBattery,
  kSolarCharger,
  kAcCharger,
  kInverter,
  kDcConverter,
  kGateway,
  kIncubator,
  kNode,
  kSensor,
  kInverterCharger,
  kBatteryProtect,
  kBms,
  kDcMeter,
  kCountOfDeviceKinds,  // keep last
};

// "electricity_meter", "gas_meter", ...
std::string_view DeviceKindName(DeviceKind kind);

// A physical thing as the wire names it. All texts are views into the frame and come from the device: hostile until
// escaped. identity is what makes it the same device tomorrow; it never depends on the order of discovery.
struct DeviceInfo {
  std::string_view identity;  // unique within the protocol; printable ASCII, at most kMaxIdentitySize
  bool identity_on_wire =
      false;  // false: derived from the place on the bus (channel number), the user may swap the device
  DeviceKind kind = DeviceKind::kOther;
  std::string_view manufacturer;
  std::string_view model;
  std::string_view serial;
  std::string_view firmware;
  uint16_t parent = kNoDevice;  // slot of the device that this one is heard through
};
inline constexpr size_t kMaxIdentitySize = 96;

enum ReadingFlags : uint8_t {
  kReadingLate = 1,      // decoded afterwards or delivered late: live views, alerts and interval learning ignore it
  kReadingRepaired = 2,  // came out of a frame that an enabled repair had to mend
};

struct Reading {
  uint16_t device = 0;  // slot
  uint16_t field = 0;   // place in the session's field table
  uint16_t index = 0;   // tells apart several values of one field in one frame (log entries); else 0
  ValueQuality quality = ValueQuality::kOk;
  TimeQuality time_quality = TimeQuality::kHubNotSynchronised;
  uint8_t flags = 0;
  UtcUs time_us = 0;
  Value value;
};

}  // namespace vesta
