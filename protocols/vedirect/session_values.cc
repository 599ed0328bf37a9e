// The session's part that turns labels and registers into readings.
#include "protocols/vedirect/firmware.h"
#include "protocols/vedirect/records.h"
#include "protocols/vedirect/session.h"
#include "protocols/victron/enums.h"
#include "protocols/victron/registers.h"

namespace vesta::vedirect {
namespace {

using victron::ReadingWriter;

constexpr int8_t kCenti = -2;
constexpr int8_t kDeci = -1;
constexpr uint16_t kHistoryTotalRegister = 0x104F;
constexpr uint16_t kTodayRegister = 0x1050;

void PutValue(uint16_t field, const Value& value, ReadingWriter& writer) {
  switch (value.kind()) {
    case ValueKind::kDecimal:
      return writer.Number(field, value.decimal().mantissa, value.decimal().exponent);
    case ValueKind::kState:
      return writer.State(field, value.state());
    default:
      return writer.Unavailable(field);
  }
}

void PutNumber(uint16_t field, uint32_t raw, uint32_t none, int8_t exponent, ReadingWriter& writer) {
  if (raw == none) return writer.Unavailable(field);
  writer.Number(field, raw, exponent);
}

// The text up to its padding, with what is not printable replaced.
void PutCleanText(uint16_t field, std::string_view text, ReadingWriter& writer) {
  ReadingWriter::MadeText* room = writer.TextRoom();
  if (room == nullptr) return;
  size_t size = 0;
  for (const char c : text) {
    if (c == '\0' || c == '\xFF' || size == room->size()) break;
    (*room)[size++] = c >= 0x20 && c <= 0x7E ? c : '?';
  }
  writer.Text(field, {room->data(), size});
}

bool PutHistoryDay(Bytes value, ReadingWriter& writer) {
  HistoryDay day;
  if (!ReadHistoryDay(value, &day)) return false;
  PutNumber(victron::kYieldToday, day.yield, UINT32_MAX, kCenti, writer);
  PutNumber(victron::kLoadEnergyToday, day.consumed, UINT32_MAX, kCenti, writer);
  PutNumber(victron::kBatteryVoltageMaxToday, day.battery_max, UINT16_MAX, kCenti, writer);
  PutNumber(victron::kBatteryVoltageMinToday, day.battery_min, UINT16_MAX, kCenti, writer);
  PutNumber(victron::kBulkTimeToday, day.bulk, UINT16_MAX, 0, writer);
  PutNumber(victron::kAbsorptionTimeToday, day.absorption, UINT16_MAX, 0, writer);
  PutNumber(victron::kFloatTimeToday, day.floating, UINT16_MAX, 0, writer);
  PutNumber(victron::kMaxPowerToday, day.power_max, UINT32_MAX, 0, writer);
  PutNumber(victron::kBatteryCurrentMaxToday, day.battery_current_max, UINT16_MAX, kDeci, writer);
  PutNumber(victron::kPvVoltageMaxToday, day.panel_max, UINT16_MAX, kCenti, writer);
  PutNumber(victron::kDaySequence, day.day, UINT16_MAX, 0, writer);
  return true;
}

bool PutHistoryTotal(Bytes value, ReadingWriter& writer) {
  HistoryTotal total;
  if (!ReadHistoryTotal(value, &total)) return false;
  PutNumber(victron::kYieldTotal, total.user_yield, UINT32_MAX, kCenti, writer);
  PutNumber(victron::kSystemYield, total.system_yield, UINT32_MAX, kCenti, writer);
  PutNumber(victron::kPvVoltageMax, total.panel_max, UINT16_MAX, kCenti, writer);
  PutNumber(victron::kBatteryVoltageMax, total.battery_max, UINT16_MAX, kCenti, writer);
  PutNumber(victron::kBatteryVoltageMin, total.battery_min, UINT16_MAX, kCenti, writer);
  return true;
}

}  // namespace

void VedirectSession::TakeText(Bytes raw, uint64_t offset, const Now& now) {
  if (slot_ == kNoDevice) return Emit(raw, offset, {});
  ReadingWriter& writer = picture_.Begin(slot_, ChooseTime(kNoTime, now));
  BlockFields fields({reinterpret_cast<const char*>(raw.data()), raw.size()});
  std::string_view label;
  std::string_view text;
  bool has_alarm = false;
  bool alarm_by_reason = false;
  bool has_reason = false;
  announce_ = false;
  while (fields.Next(&label, &text)) {
    const LabelRow* row = FindLabel(label);
    Value value;
    if (row == nullptr) {
      ++counters_.unknown_labels;
      CountUnknown(label, text);
      continue;
    }
    if (!ReadLabelValue(*row, text, &value)) {
      ++counters_.values_unreadable;
      continue;
    }
    switch (row->form) {
      case LabelForm::kProduct:
      case LabelForm::kSerial:
      case LabelForm::kModel:
      case LabelForm::kFirmware:
      case LabelForm::kFirmwareExtended:
        TakeIdentity(*row, text, value, writer);
        break;
      case LabelForm::kIgnored:
        break;
      case LabelForm::kAlarmBits:
        if (value.is_none()) break;
        if (row->field == victron::kWarningReason) {
          victron::PutWarningReason(value.state(), writer);
          break;
        }
        writer.Reasons(row->field, value.state(), victron::kAlarmReasonBits);
        has_reason = true;
        alarm_by_reason = value.state() != 0;
        break;
      case LabelForm::kOffBits:
        if (!value.is_none()) writer.Reasons(row->field, value.state(), victron::kOffReasonBits);
        break;
      default:
        has_alarm |= row->field == victron::kAlarm;
        PutValue(FieldHere(row->field), value, writer);
    }
  }
  // Inverters tell the reason only; battery monitors say on their own whether the alarm sounds.
  if (has_reason && !has_alarm) writer.Flag(victron::kAlarm, alarm_by_reason);
  if (announce_) Announce();
  Emit(raw, offset, picture_.Finish(Origin::kText, now.monotonic_us, kind_));
}

uint16_t VedirectSession::FieldHere(uint16_t field) const {
  const victron::DcFields dc = victron::DcFieldsOf(kind_);
  switch (field) {
    case victron::kBatteryVoltage:
      return dc.voltage;
    case victron::kBatteryCurrent:
      return dc.current;
    case victron::kBatteryPower:
      return dc.power;
    case victron::kDeviceState:
      return kind_ == DeviceKind::kBatteryProtect ? static_cast<uint16_t>(victron::kProtectState) : field;
    default:
      return field;
  }
}

void VedirectSession::TakeHex(const HexFrame& frame, Bytes raw, uint64_t offset, const Now& now) {
  if (slot_ == kNoDevice) return Emit(raw, offset, {});
  ReadingWriter& writer = picture_.Begin(slot_, ChooseTime(kNoTime, now));
  if (frame.code == static_cast<uint8_t>(HexResponse::kError) ||
      frame.code == static_cast<uint8_t>(HexResponse::kUnknown)) {
    ++counters_.hex_errors;
  }
  if (frame.has_register) TakeRegister(frame, writer);
  Emit(raw, offset, picture_.Finish(Origin::kHex, now.monotonic_us, kind_));
}

void VedirectSession::TakeRegister(const HexFrame& frame, ReadingWriter& writer) {
  if (frame.flags != 0) {
    ++counters_.hex_flagged;
    return;
  }
  bool readable = true;
  const victron::Register* row = victron::FindRegister(frame.reg);
  if (frame.reg == kTodayRegister) {
    readable = PutHistoryDay(frame.value(), writer);
  } else if (frame.reg == kHistoryTotalRegister) {
    readable = PutHistoryTotal(frame.value(), writer);
  } else if (row == nullptr) {
    if (!IsKnownRegister(frame.reg)) CountUnknownRegister(frame);
  } else if (row->coding == victron::Coding::kText) {
    const Bytes value = frame.value();
    PutCleanText(row->field, {reinterpret_cast<const char*>(value.data()), value.size()}, writer);
  } else if (row->field != victron::kNoField) {
    readable = victron::PutRegister(*row, frame.value(), kind_, writer);
  }
  if (!readable) ++counters_.values_unreadable;
}

}  // namespace vesta::vedirect
