#include "protocols/link/fields.h"

namespace vesta::link {

namespace {

constexpr Field kFields[] = {
    {"signal", Quantity::kSignalStrength, Unit::kDecibelMilliwatt, 0, FieldKind::kGauge, Pace::kFast, true, {}},
    {"report_number", Quantity::kCount, Unit::kNone, 0, FieldKind::kGauge, Pace::kFast, true, {}},
    {"outbox", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kGauge, Pace::kSlow, true, {}},
    {"temperature", Quantity::kTemperature, Unit::kCelsius, 1, FieldKind::kGauge, Pace::kFast, false, {}},
    {"humidity", Quantity::kHumidity, Unit::kPercent, 1, FieldKind::kGauge, Pace::kFast, false, {}},
    {"set_point", Quantity::kTemperature, Unit::kCelsius, 0, FieldKind::kGauge, Pace::kFast, false, {}},
    {"heating", Quantity::kNone, Unit::kNone, 0, FieldKind::kFlag, Pace::kFast, false, {}},
    {"switch", Quantity::kNone, Unit::kNone, 0, FieldKind::kFlag, Pace::kFast, false, {}},
    {"message_counter", Quantity::kCount, Unit::kNone, 0, FieldKind::kGauge, Pace::kFast, true, {}},
    {"voltage", Quantity::kVoltage, Unit::kVolt, 2, FieldKind::kGauge, Pace::kFast, false, {}},
    {"current", Quantity::kCurrent, Unit::kAmpere, 2, FieldKind::kGauge, Pace::kFast, false, {}},
    {"power", Quantity::kPower, Unit::kWatt, 0, FieldKind::kGauge, Pace::kFast, false, {}},
    {"state_of_charge", Quantity::kStateOfCharge, Unit::kPercent, 0, FieldKind::kGauge, Pace::kFast, false, {}},
};
static_assert(sizeof(kFields) / sizeof(kFields[0]) == kNodeFieldCount);

}  // namespace

std::span<const Field> NodeFields() { return kFields; }

}  // namespace vesta::link
