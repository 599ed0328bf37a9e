// The session's part that turns HEX registers into readings.
#include "protocols/vedirect/firmware.h"
#include "protocols/vedirect/records.h"
#include "protocols/vedirect/session.h"

namespace vesta::vedirect {
namespace {

constexpr int8_t kCenti = -2;
constexpr int8_t kDeci = -1;
constexpr uint8_t kRoleMask = 0x0F;

Value NumberOrNone(uint32_t raw, uint32_t none, int8_t exponent) {
  return raw == none ? Value::None() : Value::OfDecimal(raw, exponent);
}

}  // namespace

void VedirectSession::TakeRegister(const HexFrame& frame) {
  if (frame.flags != 0) {
    ++counters_.hex_flagged;
    return;
  }
  const RegisterRow* row = FindRegister(frame.reg);
  if (row == nullptr) {
    if (!IsKnownRegister(frame.reg)) ++counters_.unknown_registers;
    return;
  }
  const Bytes value = frame.value();
  const std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
  std::array<char, kFirmwareTextSize> version;
  switch (row->form) {
    case RegisterForm::kText:
      picture_.PutText(row->field, text);
      return;
    case RegisterForm::kProduct: {
      // Two bytes are the old form with its bytes the wrong way round; the text names those devices.
      if (value.size() != 4) return;
      const auto product = static_cast<uint16_t>(Little(value, 1, 2));
      if (!name_.has_product) {
        name_.has_product = true;
        name_.product = product;
        Announce();
      }
      return;
    }
    case RegisterForm::kFirmware:
      if (value.size() >= 4) {
        picture_.PutText(row->field, FirmwareOfAppVersion(Little(value, 1, 3), version));
      } else {
        ++counters_.values_unreadable;
      }
      return;
    case RegisterForm::kNetworkStatus:
      if (value.empty()) break;
      picture_.Put(victron::kNetworkRole, Value::OfState(value[0] & kRoleMask));
      picture_.PutBits(victron::kNetworkSenses, BitsOf::kNetworkSenses, value[0] & ~kRoleMask);
      return;
    case RegisterForm::kHistoryDay:
      return TakeHistoryDay(value);
    case RegisterForm::kHistoryTotal:
      return TakeHistoryTotal(value);
    default:
      break;
  }
  Value number;
  if (!ReadRegisterValue(*row, value, &number)) {
    ++counters_.values_unreadable;
  } else if (row->form == RegisterForm::kBits) {
    picture_.PutBits(row->field, row->bits, number.state());
    if (row->field == victron::kAlarmReason) picture_.Put(victron::kAlarm, Value::OfState(number.state() != 0 ? 1 : 0));
  } else {
    picture_.Put(row->field, number);
  }
}

void VedirectSession::TakeHistoryDay(Bytes value) {
  HistoryDay day;
  if (!ReadHistoryDay(value, &day)) {
    ++counters_.values_unreadable;
    return;
  }
  picture_.Put(victron::kYieldToday, NumberOrNone(day.yield, UINT32_MAX, kCenti));
  if (day.consumed != UINT32_MAX) picture_.Put(victron::kLoadEnergyToday, Value::OfDecimal(day.consumed, kCenti));
  picture_.Put(victron::kBatteryVoltageMaxToday, NumberOrNone(day.battery_max, UINT16_MAX, kCenti));
  picture_.Put(victron::kBatteryVoltageMinToday, NumberOrNone(day.battery_min, UINT16_MAX, kCenti));
  picture_.Put(victron::kBulkTimeToday, NumberOrNone(day.bulk, UINT16_MAX, 0));
  picture_.Put(victron::kAbsorptionTimeToday, NumberOrNone(day.absorption, UINT16_MAX, 0));
  picture_.Put(victron::kFloatTimeToday, NumberOrNone(day.floating, UINT16_MAX, 0));
  picture_.Put(victron::kMaxPowerToday, NumberOrNone(day.power_max, UINT32_MAX, 0));
  picture_.Put(victron::kBatteryCurrentMaxToday, NumberOrNone(day.battery_current_max, UINT16_MAX, kDeci));
  picture_.Put(victron::kPvVoltageMaxToday, NumberOrNone(day.panel_max, UINT16_MAX, kCenti));
  picture_.Put(victron::kDaySequence, NumberOrNone(day.day, UINT16_MAX, 0));
}

void VedirectSession::TakeHistoryTotal(Bytes value) {
  HistoryTotal total;
  if (!ReadHistoryTotal(value, &total)) {
    ++counters_.values_unreadable;
    return;
  }
  picture_.Put(victron::kYieldTotal, NumberOrNone(total.user_yield, UINT32_MAX, kCenti));
  picture_.Put(victron::kSystemYield, NumberOrNone(total.system_yield, UINT32_MAX, kCenti));
  picture_.Put(victron::kPvVoltageMax, NumberOrNone(total.panel_max, UINT16_MAX, kCenti));
  picture_.Put(victron::kBatteryVoltageMax, NumberOrNone(total.battery_max, UINT16_MAX, kCenti));
  if (total.battery_min != UINT16_MAX) {
    picture_.Put(victron::kBatteryVoltageMin, Value::OfDecimal(total.battery_min, kCenti));
  }
}

}  // namespace vesta::vedirect
