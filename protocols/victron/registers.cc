#include "protocols/victron/registers.h"

#include "protocols/victron/enums.h"

namespace vesta::victron {
namespace {

constexpr int64_t kZeroCelsius_cK = 27315;
constexpr size_t kProductIdSize = 4;
constexpr size_t kVersionSize = 4;
constexpr int64_t kDeviceModeOff = 4;
constexpr int64_t kRegisterNotConnected = 240;  // register 0x0204
constexpr int64_t kRecordNotConnected = 2;      // radio records

bool IsSigned(RegisterType type) {
  return type == RegisterType::kS8 || type == RegisterType::kS16 || type == RegisterType::kS32;
}

// Two-bit field number n.
uint32_t TwoBits(uint32_t fields, uint32_t n) { return fields >> (2 * n) & 3; }

// 0 not available, 1 yes, 2 no; 3 is not defined.
void PutYesNo(uint16_t field, uint32_t code, ReadingWriter& writer) {
  if (code == 1 || code == 2) {
    writer.Flag(field, code == 1);
  } else {
    writer.Unavailable(field);
  }
}

std::string_view TextOf(Bytes value) {
  size_t size = 0;
  while (size < value.size() && value[size] != 0x00 && value[size] != 0xFF) ++size;
  return {reinterpret_cast<const char*>(value.data()), size};
}

}  // namespace

size_t RegisterSize(RegisterType type) {
  switch (type) {
    case RegisterType::kU8:
    case RegisterType::kS8:
      return 1;
    case RegisterType::kU16:
    case RegisterType::kS16:
      return 2;
    case RegisterType::kU32:
    case RegisterType::kS32:
      return 4;
    case RegisterType::kString:
    case RegisterType::kBytes:
      return 0;
  }
  return 0;
}

bool ReadRegister(const Register& row, Bytes value, RegisterNumber* number) {
  if (RegisterSize(row.type) == 0) return false;
  if (value.size() != 1 && value.size() != 2 && value.size() != 4) return false;
  uint32_t raw = 0;
  for (size_t i = value.size(); i-- > 0;) raw = raw << 8 | value[i];
  number->exponent = row.exponent;
  number->raw = raw;
  const auto bits = static_cast<unsigned>(8 * value.size());
  // A value of another width than the list's has its "not available" code in its own width.
  uint32_t na = row.na;
  if (value.size() != RegisterSize(row.type)) {
    na = UINT32_MAX >> (32 - bits);
    if (IsSigned(row.type)) na >>= 1;
  }
  number->is_available = !row.has_na || raw != na;
  if (IsSigned(row.type) && (raw >> (bits - 1) & 1) != 0) number->raw -= int64_t{1} << bits;
  return true;
}

void PutAlarmReason(uint32_t bits, ReadingWriter& writer) {
  writer.Flag(kAlarm, bits != 0);
  writer.Reasons(kAlarmReason, bits, kAlarmReasonBits);
}

void PutWarningReason(uint32_t bits, ReadingWriter& writer) {
  writer.Flag(kWarning, bits != 0);
  writer.Reasons(kWarningReason, bits, kAlarmReasonBits);
}

void PutBmsFlags(uint32_t bits, ReadingWriter& writer) {
  constexpr uint32_t kChargingBit = 25;
  constexpr uint32_t kDischargingBit = 26;
  writer.Reasons(kBmsStatus, bits, kBmsFlagBits);
  writer.Flag(kChargingAllowed, (bits >> kChargingBit & 1) != 0);
  writer.Flag(kDischargingAllowed, (bits >> kDischargingBit & 1) != 0);
}

void PutBmsIo(uint32_t fields, ReadingWriter& writer) {
  constexpr uint16_t kFields[] = {kContactorClosed, kChargingAllowed, kDischargingAllowed,       kRelay,
                                  kAuxOutput,       kRemoteEnabled,   kAlternatorChargingAllowed};
  uint32_t n = 0;
  for (const uint16_t field : kFields) PutYesNo(field, TwoBits(fields, n++), writer);
}

void PutBmsWarnings(uint32_t fields, ReadingWriter& writer) {
  constexpr uint32_t kWarning2 = 2;
  constexpr uint32_t kAlarm3 = 3;
  constexpr uint32_t kFieldCount = 16;
  uint32_t warnings = 0;
  uint32_t alarms = 0;
  for (uint32_t n = 0; n < kFieldCount; ++n) {
    const uint32_t code = TwoBits(fields, n);
    if (code == kWarning2) warnings |= 1u << n;
    if (code == kAlarm3) alarms |= 1u << n;
  }
  writer.Flag(kAlarm, alarms != 0);
  writer.Reasons(kAlarmReason, alarms, kBmsWarningFields);
  writer.Flag(kWarning, warnings != 0);
  writer.Reasons(kWarningReason, warnings, kBmsWarningFields);
}

DcFields DcFieldsOf(DeviceKind kind) {
  if (kind == DeviceKind::kDcConverter) return {kOutputVoltage, kOutputCurrent, kOutputPower};
  if (kind == DeviceKind::kBatteryProtect) return {kInputVoltage, kInputCurrent, kInputPower};
  return {kBatteryVoltage, kBatteryCurrent, kBatteryPower};
}

DcFields InputFieldsOf(DeviceKind kind) {
  if (kind == DeviceKind::kDcConverter) return {kInputVoltage, kInputCurrent, kInputPower};
  return {kPvVoltage, kPvCurrent, kPvPower};
}

namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

// 0xHHMMLL: with HH zero MM.LL, else HH.MM, where LL is 0xFF for a release and else the number of a beta.
void PutVersion(uint16_t field, Bytes value, ReadingWriter& writer) {
  if (value.size() != kVersionSize) return;
  const uint32_t low = value[1];
  const uint32_t middle = value[2];
  const uint32_t high = value[3];
  constexpr uint32_t kReleaseOrNone = 0xFF;
  if (low == kReleaseOrNone && middle == kReleaseOrNone && high == kReleaseOrNone) return writer.Unavailable(field);
  ReadingWriter::MadeText* room = writer.TextRoom();
  if (room == nullptr) return;
  char* const text = room->data();
  size_t size = 0;
  const auto byte = [text, &size](uint32_t b) {
    text[size++] = kHexDigits[b >> 4];
    text[size++] = kHexDigits[b & 0xF];
  };
  const uint32_t major = high == 0 ? middle : high;
  if (major > 0xF) text[size++] = kHexDigits[major >> 4];
  text[size++] = kHexDigits[major & 0xF];
  text[size++] = '.';
  byte(high == 0 ? low : middle);
  if (high != 0 && low != kReleaseOrNone) {
    for (const char c : {'-', 'b', 'e', 't', 'a', '-'}) text[size++] = c;
    byte(low);
  }
  writer.Text(field, {text, size});
}

// Byte 0 is the instance, byte 3 flags.
void PutProductId(uint16_t field, Bytes value, ReadingWriter& writer) {
  if (value.size() != kProductIdSize) return;
  ReadingWriter::MadeText* room = writer.TextRoom();
  if (room == nullptr) return;
  char* const text = room->data();
  text[0] = '0';
  text[1] = 'x';
  text[2] = kHexDigits[value[2] >> 4];
  text[3] = kHexDigits[value[2] & 0xF];
  text[4] = kHexDigits[value[1] >> 4];
  text[5] = kHexDigits[value[1] & 0xF];
  writer.Text(field, {text, 6});
}

void PutNumber(uint16_t field, const RegisterNumber& number, ReadingWriter& writer) {
  if (number.is_available) {
    writer.Number(field, number.raw, number.exponent);
  } else {
    writer.Unavailable(field);
  }
}

void PutState(uint16_t field, const RegisterNumber& number, ReadingWriter& writer) {
  if (number.is_available) {
    writer.State(field, static_cast<uint32_t>(number.raw));
  } else {
    writer.Unavailable(field);
  }
}

}  // namespace

bool PutRegister(const Register& row, Bytes value, DeviceKind kind, ReadingWriter& writer) {
  if (row.field == kNoField) return false;
  if (row.coding == Coding::kText) {
    writer.Text(row.field, TextOf(value));
    return true;
  }
  if (row.coding == Coding::kProductId) {
    PutProductId(row.field, value, writer);
    return value.size() == kProductIdSize;
  }
  if (row.coding == Coding::kVersion) {
    PutVersion(row.field, value, writer);
    return value.size() == kVersionSize;
  }
  RegisterNumber number;
  if (!ReadRegister(row, value, &number)) return false;
  const auto bits = static_cast<uint32_t>(number.raw);
  switch (row.coding) {
    case Coding::kNumber:
      PutNumber(row.field, number, writer);
      break;
    case Coding::kState:
      PutState(row.field, number, writer);
      break;
    case Coding::kFlag:
      writer.Flag(row.field, number.raw != 0);
      break;
    case Coding::kDrawn:
      if (number.raw < 0) number.raw = -number.raw;
      PutNumber(row.field, number, writer);
      break;
    case Coding::kKelvin:
      number.raw -= kZeroCelsius_cK;
      PutNumber(row.field, number, writer);
      break;
    case Coding::kDeviceMode:
      if (number.raw == 0) number.raw = kDeviceModeOff;
      PutState(row.field, number, writer);
      break;
    case Coding::kActiveAcIn:
      if (number.raw == kRegisterNotConnected) number.raw = kRecordNotConnected;
      PutState(row.field, number, writer);
      break;
    case Coding::kMonitorMode:
      writer.State(row.field, bits & 0xFFFF);
      break;
    case Coding::kAlarmReason:
      PutAlarmReason(bits, writer);
      break;
    case Coding::kWarningReason:
      PutWarningReason(bits, writer);
      break;
    case Coding::kOffReason:
      writer.Reasons(row.field, bits, kOffReasonBits);
      break;
    case Coding::kLoadOffReason:
      writer.Reasons(row.field, bits, kLoadOffReasonBits);
      break;
    case Coding::kChargerFlags:
      writer.Reasons(row.field, bits, kChargerFlagBits);
      break;
    case Coding::kBmsFlags:
      PutBmsFlags(bits, writer);
      break;
    case Coding::kSmartlithiumError:
      writer.Reasons(row.field, bits, kSmartlithiumErrorBits);
      break;
    case Coding::kBmsIo:
      PutBmsIo(bits, writer);
      break;
    case Coding::kBmsWarnings:
      PutBmsWarnings(bits, writer);
      break;
    case Coding::kTwoWireBms:
      // Bit 0: in use, 1: discharge, 2: charge.
      if ((bits & 1) != 0) {
        writer.Flag(kDischargingAllowed, (bits & 2) != 0);
        writer.Flag(kChargingAllowed, (bits & 4) != 0);
      }
      break;
    case Coding::kNetworkInfo:
      writer.Reasons(row.field, bits, kNetworkInfoBits);
      break;
    case Coding::kNetworkMode:
      writer.Reasons(row.field, bits, kNetworkModeBits);
      break;
    case Coding::kNetworkStatus:
      writer.State(kNetworkRole, bits & 0xF);
      writer.Reasons(kNetworkSenses, bits & 0xF0, kNetworkSenseBits);
      break;
    case Coding::kDc1Voltage:
      PutNumber(DcFieldsOf(kind).voltage, number, writer);
      break;
    case Coding::kDc1Current:
      PutNumber(DcFieldsOf(kind).current, number, writer);
      break;
    case Coding::kDc1Power:
      PutNumber(DcFieldsOf(kind).power, number, writer);
      break;
    case Coding::kDc2Voltage:
      PutNumber(kind == DeviceKind::kBatteryMonitor || kind == DeviceKind::kDcMeter ? kAuxVoltage : kOutput2Voltage,
                number, writer);
      break;
    case Coding::kLoadVoltage:
      PutNumber(kind == DeviceKind::kBatteryProtect ? kOutputVoltage : kLoadVoltage, number, writer);
      break;
    case Coding::kInputVoltage:
      PutNumber(InputFieldsOf(kind).voltage, number, writer);
      break;
    case Coding::kInputCurrent:
      PutNumber(InputFieldsOf(kind).current, number, writer);
      break;
    case Coding::kInputPower:
      PutNumber(InputFieldsOf(kind).power, number, writer);
      break;
    case Coding::kText:
    case Coding::kProductId:
    case Coding::kVersion:
      return false;  // done above
  }
  return true;
}

}  // namespace vesta::victron
