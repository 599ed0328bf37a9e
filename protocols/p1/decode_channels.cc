// What the type of an M-Bus device and the unit of its value say about both.
#include "protocols/p1/decode.h"

namespace vesta::p1 {

Unit ChannelUnit(int device_type) {
  switch (device_type) {
    case 3:
    case 6:
    case 7:
    case 21:
    case 22:
    case 40:
      return Unit::kCubicMetre;
    case 4:
    case 10:
    case 11:
    case 12:
    case 13:
      return Unit::kGigajoule;
    case 2:
      return Unit::kKilowattHour;
    default:
      return Unit::kNone;
  }
}

uint16_t ChannelField(int device_type, Unit unit) {
  switch (unit) {
    case Unit::kCubicMetre:
      switch (device_type) {
        case 3:
        case -1:
          return kKnown.gas_volume;
        case 6:
        case 7:
        case 21:
        case 22:
        case 40:
          return kKnown.water_volume;
        default:
          return kKnown.submeter_volume;
      }
    case Unit::kGigajoule:
      return device_type == 10 || device_type == 11 ? kKnown.cooling_energy : kKnown.heat_energy;
    case Unit::kKilowattHour:
      return kKnown.submeter_energy;
    default:
      return kNoField;
  }
}

DeviceKind ChannelKind(int device_type, Unit unit) {
  switch (device_type) {
    case 2:
      return DeviceKind::kElectricityMeter;
    case 4:
    case 12:
    case 13:
      return DeviceKind::kHeatMeter;
    case 6:
    case 7:
    case 21:
    case 22:
    case 40:
      return DeviceKind::kWaterMeter;
    case 10:
    case 11:
      return DeviceKind::kCoolingMeter;
    case 3:
    case -1:
      return unit == Unit::kGigajoule      ? DeviceKind::kHeatMeter
             : unit == Unit::kKilowattHour ? DeviceKind::kElectricityMeter
                                           : DeviceKind::kGasMeter;
    default:
      return DeviceKind::kOther;
  }
}

}  // namespace vesta::p1
