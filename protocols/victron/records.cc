#include "protocols/victron/records.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "protocols/victron/enums.h"
#include "protocols/victron/registers.h"

namespace vesta::victron {
namespace {

enum class Item : uint8_t {
  kNumber,        // (raw + offset) * 10^exponent
  kState,         // code
  kAux,           // what the two bits behind it say
  kAlarm,         // alarm reason bits
  kWarning,       // warning reason bits
  kOffReason,     // bits
  kBmsFlags,      // bits
  kBatteryError,  // bits
  kBmsIo,         // two-bit fields
  kBmsWarnings,   // two-bit fields
  kCells,         // eight cells of 7 bits
  kMonitorMode,   // signed, kept as its 16 bits
  kMinutes,       // time since sun, in steps
  kTxPower,       // one bit
  kPower,         // derived: row number `offset` times row number `na`
};

// No raw value of a field is as big.
constexpr uint32_t kNoCode = 0xFFFFFFFF;

struct Row {
  uint16_t field;
  uint8_t bit;  // from the first decrypted byte
  uint8_t width;
  Item item = Item::kNumber;
  int8_t exponent = 0;
  uint32_t na = kNoCode;
  bool is_signed = false;
  int32_t offset = 0;
  bool is_negative = false;    // the value is -raw
  uint32_t also_na = kNoCode;  // sources disagree: both codes mean "not available"
};

// Shorthands for rows.
constexpr Row State(uint16_t field, uint8_t bit, uint8_t width = 8, uint32_t na = 0xFF) {
  return {field, bit, width, Item::kState, 0, na};
}
constexpr Row Unsigned(uint16_t field, uint8_t bit, uint8_t width, int8_t exponent, uint32_t na, int32_t offset = 0) {
  return {field, bit, width, Item::kNumber, exponent, na, false, offset};
}
constexpr Row Signed(uint16_t field, uint8_t bit, uint8_t width, int8_t exponent, uint32_t na,
                     uint32_t also_na = kNoCode) {
  return {field, bit, width, Item::kNumber, exponent, na, true, 0, false, also_na};
}
constexpr Row Consumed(uint8_t bit) { return {kConsumedAh, bit, 20, Item::kNumber, -1, 0xFFFFF, false, 0, true}; }
constexpr Row Bits(Item item, uint8_t bit, uint8_t width) { return {kNoField, bit, width, item}; }
constexpr Row Power(uint16_t field, uint32_t voltage_row, uint32_t current_row) {
  return {field, 0, 0, Item::kPower, 0, current_row, false, static_cast<int32_t>(voltage_row)};
}
constexpr int32_t kMinus40 = -40;

constexpr Row kTestRows[] = {Unsigned(kUptime, 0, 30, 0, 0x3FFFFFFF),
                             Unsigned(kDeviceTemperature, 30, 7, 0, 0x7F, kMinus40)};

constexpr Row kSolarRows[] = {State(kDeviceState, 0),
                              State(kChargerError, 8),
                              Signed(kBatteryVoltage, 16, 16, -2, 0x7FFF),
                              Signed(kBatteryCurrent, 32, 16, -1, 0x7FFF),
                              Unsigned(kYieldToday, 48, 16, -2, 0xFFFF),
                              Unsigned(kPvPower, 64, 16, 0, 0xFFFF),
                              Unsigned(kLoadCurrent, 80, 9, -1, 0x1FF),
                              Power(kBatteryPower, 2, 3),
                              Power(kLoadPower, 2, 6)};

// The current's code is 0x1FFFFF on real devices and 0x3FFFFF in the document; that also reads as -1 mA, a small price.
constexpr Row kMonitorRows[] = {Unsigned(kTimeToGo, 0, 16, 0, 0xFFFF),
                                Signed(kBatteryVoltage, 16, 16, -2, 0x7FFF),
                                Bits(Item::kAlarm, 32, 16),
                                {kNoField, 48, 18, Item::kAux},
                                Signed(kBatteryCurrent, 66, 22, -3, 0x1FFFFF, 0x3FFFFF),
                                Consumed(88),
                                Unsigned(kSoc, 108, 10, -1, 0x3FF),
                                Power(kBatteryPower, 1, 4)};

constexpr Row kInverterRows[] = {State(kDeviceState, 0),
                                 Bits(Item::kAlarm, 8, 16),
                                 Signed(kBatteryVoltage, 24, 16, -2, 0x7FFF),
                                 Unsigned(kAcOutApparentPower, 40, 16, 0, 0xFFFF),
                                 Unsigned(kAcOutVoltage, 56, 15, -2, 0x7FFF),
                                 Unsigned(kAcOutCurrent, 71, 11, -1, 0x7FF)};

constexpr Row kDcConverterRows[] = {State(kDeviceState, 0), State(kChargerError, 8),
                                    Unsigned(kInputVoltage, 16, 16, -2, 0xFFFF),
                                    Signed(kOutputVoltage, 32, 16, -2, 0x7FFF), Bits(Item::kOffReason, 48, 32)};

constexpr Row kSmartLithiumRows[] = {
    Bits(Item::kBmsFlags, 0, 32),        Bits(Item::kBatteryError, 32, 16),
    Bits(Item::kCells, 48, 56),          Unsigned(kBatteryVoltage, 104, 12, -2, 0xFFF),
    State(kBalancerStatus, 116, 4, 0xF), Unsigned(kBatteryTemperature, 120, 7, 0, 0x7F, kMinus40)};

constexpr Row kInverterRsRows[] = {State(kDeviceState, 0),
                                   State(kChargerError, 8),
                                   Signed(kBatteryVoltage, 16, 16, -2, 0x7FFF),
                                   Signed(kBatteryCurrent, 32, 16, -1, 0x7FFF),
                                   Unsigned(kPvPower, 48, 16, 0, 0xFFFF),
                                   Unsigned(kYieldToday, 64, 16, -2, 0xFFFF),
                                   Signed(kAcOutPower, 80, 16, 0, 0x7FFF),
                                   Power(kBatteryPower, 2, 3)};

constexpr Row kGxRows[] = {Unsigned(kBatteryVoltage, 0, 16, -2, 0xFFFF), Unsigned(kPvPower, 16, 20, 0, 0xFFFFF),
                           Unsigned(kSoc, 36, 7, 0, 0x7F), Signed(kBatteryPower, 43, 21, 0, 0xFFFFF),
                           Signed(kDcPower, 64, 21, 0, 0xFFFFF)};

constexpr Row kAcChargerRows[] = {State(kDeviceState, 0),
                                  State(kChargerError, 8),
                                  Unsigned(kBatteryVoltage, 16, 13, -2, 0x1FFF),
                                  Unsigned(kBatteryCurrent, 29, 11, -1, 0x7FF),
                                  Unsigned(kOutput2Voltage, 40, 13, -2, 0x1FFF),
                                  Unsigned(kOutput2Current, 53, 11, -1, 0x7FF),
                                  Unsigned(kOutput3Voltage, 64, 13, -2, 0x1FFF),
                                  Unsigned(kOutput3Current, 77, 11, -1, 0x7FF),
                                  Unsigned(kBatteryTemperature, 88, 7, 0, 0x7F, kMinus40),
                                  Unsigned(kAcInCurrent, 95, 9, -1, 0x1FF),
                                  Power(kBatteryPower, 2, 3)};

constexpr Row kBatteryProtectRows[] = {State(kProtectState, 0),
                                       State(kOutputState, 8),
                                       State(kChargerError, 16),
                                       Bits(Item::kAlarm, 24, 16),
                                       Bits(Item::kWarning, 40, 16),
                                       Signed(kInputVoltage, 56, 16, -2, 0x7FFF),
                                       Unsigned(kOutputVoltage, 72, 16, -2, 0xFFFF),
                                       Bits(Item::kOffReason, 88, 32)};

constexpr Row kLynxBmsRows[] = {State(kBmsError, 0, 8, kNoCode),
                                Unsigned(kTimeToGo, 8, 16, 0, 0xFFFF),
                                Signed(kBatteryVoltage, 24, 16, -2, 0x7FFF),
                                Signed(kBatteryCurrent, 40, 16, -1, 0x7FFF),
                                Bits(Item::kBmsIo, 56, 16),
                                Bits(Item::kBmsWarnings, 72, 18),
                                Unsigned(kSoc, 90, 10, -1, 0x3FF),
                                Consumed(100),
                                Unsigned(kBatteryTemperature, 120, 7, 0, 0x7F, kMinus40),
                                Power(kBatteryPower, 2, 3)};

constexpr Row kMultiRsRows[] = {State(kDeviceState, 0),
                                State(kChargerError, 8),
                                Signed(kBatteryCurrent, 16, 16, -1, 0x7FFF),
                                Unsigned(kBatteryVoltage, 32, 14, -2, 0x3FFF),
                                State(kActiveAcIn, 46, 2, kNoCode),
                                Signed(kAcInPower, 48, 16, 0, 0x7FFF),
                                Signed(kAcOutPower, 64, 16, 0, 0x7FFF),
                                Unsigned(kPvPower, 80, 16, 0, 0xFFFF),
                                Unsigned(kYieldToday, 96, 16, -2, 0xFFFF),
                                Power(kBatteryPower, 3, 2)};

constexpr Row kVeBusRows[] = {State(kDeviceState, 0),
                              State(kVebusError, 8),
                              Signed(kBatteryCurrent, 16, 16, -1, 0x7FFF),
                              Unsigned(kBatteryVoltage, 32, 14, -2, 0x3FFF),
                              State(kActiveAcIn, 46, 2, kNoCode),
                              Signed(kAcInPower, 48, 19, 0, 0x3FFFF),
                              Signed(kAcOutPower, 67, 19, 0, 0x3FFFF),
                              State(kVebusAlarm, 86, 2, 3),
                              Unsigned(kBatteryTemperature, 88, 7, 0, 0x7F, kMinus40),
                              Unsigned(kSoc, 95, 7, 0, 0x7F),
                              Power(kBatteryPower, 3, 2)};

constexpr Row kDcMeterRows[] = {{kMonitorMode, 0, 16, Item::kMonitorMode},
                                Signed(kBatteryVoltage, 16, 16, -2, 0x7FFF),
                                Bits(Item::kAlarm, 32, 16),
                                {kNoField, 48, 18, Item::kAux},
                                Signed(kBatteryCurrent, 66, 22, -3, 0x1FFFFF, 0x3FFFFF),
                                Power(kBatteryPower, 1, 4)};

constexpr Row kOrionXsRows[] = {State(kDeviceState, 0),
                                State(kChargerError, 8),
                                {kOutputVoltage, 16, 16, Item::kNumber, -2, 0xFFFF, false, 0, false, 0x7FFF},
                                {kOutputCurrent, 32, 16, Item::kNumber, -1, 0xFFFF, false, 0, false, 0x7FFF},
                                Unsigned(kInputVoltage, 48, 16, -2, 0xFFFF),
                                Unsigned(kInputCurrent, 64, 16, -1, 0xFFFF),
                                Bits(Item::kOffReason, 80, 32),
                                Power(kOutputPower, 2, 3),
                                Power(kInputPower, 4, 5)};

constexpr Row kSolarSenseRows[] = {Unsigned(kSolarsenseError, 0, 32, 0, kNoCode),
                                   State(kChargerError, 32),
                                   Unsigned(kInstallationPower, 40, 20, 0, 0xFFFFF),
                                   Unsigned(kYieldToday, 60, 20, -2, 0xFFFFF),
                                   Unsigned(kIrradiance, 80, 14, -1, 0x3FFF),
                                   Unsigned(kCellTemperature, 94, 11, -1, 0x7FF, -600),
                                   Unsigned(kSensorBatteryVoltage, 106, 8, -2, 0xFF, 170),
                                   Bits(Item::kTxPower, 114, 1),
                                   {kTimeSinceSun, 115, 7, Item::kMinutes, 0, 0x7F}};

// True with the mantissa when the field is there and available.
template <const auto& kRows, size_t kIndex>
[[gnu::always_inline]] inline bool TakeNumber(const RecordWords& record, int64_t* mantissa) {
  constexpr Row kRow = kRows[kIndex];
  if (8 * record.size < size_t{kRow.bit} + kRow.width) return false;
  const uint32_t raw = record.Take(kRow.bit, kRow.width);
  if (raw == kRow.na || raw == kRow.also_na) return false;
  int64_t value = raw;
  if constexpr (kRow.is_signed) value = static_cast<int64_t>(uint64_t{raw} << (64 - kRow.width)) >> (64 - kRow.width);
  if constexpr (kRow.is_negative) value = -value;
  *mantissa = value + kRow.offset;
  return true;
}

void PutAux(RecordWords record, unsigned bit, ReadingWriter& writer) {
  constexpr int64_t kZeroCelsius_cK = 27315;
  const uint32_t raw = record.Take(bit, 16);
  const uint32_t mode = record.Take(bit + 16, 2);
  switch (mode) {
    case 0:
      if (raw == 0x7FFF) {
        writer.Unavailable(kAuxVoltage);
      } else {
        writer.Number(kAuxVoltage, static_cast<int16_t>(raw), -2);
      }
      break;
    case 1:
      if (raw == 0xFFFF) {
        writer.Unavailable(kMidVoltage);
      } else {
        writer.Number(kMidVoltage, raw, -2);
      }
      break;
    case 2:
      if (raw == 0xFFFF) {
        writer.Unavailable(kBatteryTemperature);
      } else {
        writer.Number(kBatteryTemperature, int64_t{raw} - kZeroCelsius_cK, -2);
      }
      break;
    default:
      break;
  }
  writer.State(kAuxMode, mode);
}

void PutCells(RecordWords record, unsigned bit, ReadingWriter& writer) {
  constexpr unsigned kCells = 8;
  constexpr unsigned kWidth = 7;
  constexpr uint32_t kNoCell = 0x7F;
  constexpr uint32_t kBelow = 0;
  constexpr uint32_t kAbove = 0x7E;
  constexpr int64_t kBase_cV = 260;
  uint32_t lowest = UINT32_MAX;
  uint32_t highest = 0;
  uint32_t range = 0;
  for (unsigned i = 0; i < kCells; ++i) {
    const auto field = static_cast<uint16_t>(kCell1Voltage + i);
    const uint32_t raw = record.Take(bit + i * kWidth, kWidth);
    if (8 * record.size < bit + (i + 1) * kWidth || raw == kNoCell) {
      writer.Unavailable(field);
      continue;
    }
    writer.Number(field, kBase_cV + raw, -2);
    lowest = std::min(lowest, raw);
    highest = std::max(highest, raw);
    if (raw == kBelow) range |= 1;
    if (raw == kAbove) range |= 2;
  }
  if (lowest == UINT32_MAX) {
    for (const uint16_t field : {kCellVoltageMin, kCellVoltageMax, kCellVoltageSpread, kCellRange}) {
      writer.Unavailable(field);
    }
    return;
  }
  writer.Derived(kCellVoltageMin, kBase_cV + lowest, -2);
  writer.Derived(kCellVoltageMax, kBase_cV + highest, -2);
  writer.Derived(kCellVoltageSpread, int64_t{highest} - lowest, -2);
  writer.State(kCellRange, range);
}

// Steps of 2 minutes for the first hour, of 10 up to half a day, of 30 beyond.
int64_t SunMinutes(uint32_t raw) {
  if (raw < 30) return raw * 2;
  if (raw < 96) return 60 + 10 * (int64_t{raw} - 30);
  return 720 + 30 * (int64_t{raw} - 96);
}

template <const auto& kRows, size_t kIndex>
[[gnu::always_inline]] inline void PutRow(const RecordWords& record, ReadingWriter& writer) {
  constexpr Row kRow = kRows[kIndex];
  if constexpr (kRow.item == Item::kNumber) {
    int64_t mantissa = 0;
    if (TakeNumber<kRows, kIndex>(record, &mantissa)) {
      writer.Number(kRow.field, mantissa, kRow.exponent);
    } else {
      writer.Unavailable(kRow.field);
    }
  } else if constexpr (kRow.item == Item::kPower) {
    constexpr auto kVoltage = static_cast<size_t>(kRow.offset);
    constexpr size_t kCurrent = kRow.na;
    int64_t voltage = 0;
    int64_t current = 0;
    if (TakeNumber<kRows, kVoltage>(record, &voltage) && TakeNumber<kRows, kCurrent>(record, &current)) {
      writer.Derived(kRow.field, voltage * current, kRows[kVoltage].exponent + kRows[kCurrent].exponent);
    } else {
      writer.Unavailable(kRow.field);
    }
  } else if constexpr (kRow.item == Item::kCells) {
    PutCells(record, kRow.bit, writer);
  } else {
    const bool fits = 8 * record.size >= size_t{kRow.bit} + kRow.width;
    const uint32_t raw = record.Take(kRow.bit, kRow.width);
    if (!fits || raw == kRow.na) {
      if constexpr (kRow.field != kNoField) writer.Unavailable(kRow.field);
      return;
    }
    if constexpr (kRow.item == Item::kState || kRow.item == Item::kMonitorMode) writer.State(kRow.field, raw);
    if constexpr (kRow.item == Item::kAux) PutAux(record, kRow.bit, writer);
    if constexpr (kRow.item == Item::kAlarm) PutAlarmReason(raw, writer);
    if constexpr (kRow.item == Item::kWarning) PutWarningReason(raw, writer);
    if constexpr (kRow.item == Item::kOffReason) writer.Reasons(kOffReason, raw, kOffReasonBits);
    if constexpr (kRow.item == Item::kBmsFlags) PutBmsFlags(raw, writer);
    if constexpr (kRow.item == Item::kBatteryError) writer.Reasons(kSmartlithiumError, raw, kSmartlithiumErrorBits);
    if constexpr (kRow.item == Item::kBmsIo) PutBmsIo(raw, writer);
    if constexpr (kRow.item == Item::kBmsWarnings) PutBmsWarnings(raw, writer);
    if constexpr (kRow.item == Item::kMinutes) writer.Number(kRow.field, SunMinutes(raw), 0);
    if constexpr (kRow.item == Item::kTxPower) writer.Number(kTxPower, raw == 0 ? 0 : 6, 0);
  }
}

template <const auto& kRows, size_t... kIndex>
[[gnu::always_inline]] inline void PutRows(const RecordWords& record, ReadingWriter& writer,
                                           std::index_sequence<kIndex...>) {
  (PutRow<kRows, kIndex>(record, writer), ...);
}

// Unrolled for each record, so that every position, width and code is a constant: half the time of an advert is here.
template <const auto& kRows>
void Put(const RecordWords& record, ReadingWriter& writer) {
  const RecordWords copy = record;  // nothing that is written may alias it, so it stays in registers
  PutRows<kRows>(copy, writer, std::make_index_sequence<std::size(kRows)>());
}

template <const auto& kRows>
constexpr size_t BitsOf() {
  size_t bits = 0;
  for (const Row& row : kRows) bits = std::max(bits, size_t{row.bit} + row.width);
  return bits;
}

struct Layout {
  uint16_t type;
  size_t bits;
  void (*put)(const RecordWords&, ReadingWriter&);
  DeviceKind kind;
};

template <const auto& kRows>
constexpr Layout LayoutOf(uint16_t type, DeviceKind kind) {
  return {type, BitsOf<kRows>(), Put<kRows>, kind};
}

// Types below 0x10 stand at their own place.
constexpr Layout kLayouts[] = {
    LayoutOf<kTestRows>(kRecordTest, DeviceKind::kOther),
    LayoutOf<kSolarRows>(kRecordSolarCharger, DeviceKind::kSolarCharger),
    LayoutOf<kMonitorRows>(kRecordBatteryMonitor, DeviceKind::kBatteryMonitor),
    LayoutOf<kInverterRows>(kRecordInverter, DeviceKind::kInverter),
    LayoutOf<kDcConverterRows>(kRecordDcConverter, DeviceKind::kDcConverter),
    LayoutOf<kSmartLithiumRows>(kRecordSmartLithium, DeviceKind::kBattery),
    LayoutOf<kInverterRsRows>(kRecordInverterRs, DeviceKind::kInverter),
    LayoutOf<kGxRows>(kRecordGx, DeviceKind::kGateway),
    LayoutOf<kAcChargerRows>(kRecordAcCharger, DeviceKind::kAcCharger),
    LayoutOf<kBatteryProtectRows>(kRecordBatteryProtect, DeviceKind::kBatteryProtect),
    LayoutOf<kLynxBmsRows>(kRecordLynxBms, DeviceKind::kBms),
    LayoutOf<kMultiRsRows>(kRecordMultiRs, DeviceKind::kInverterCharger),
    LayoutOf<kVeBusRows>(kRecordVeBus, DeviceKind::kInverterCharger),
    LayoutOf<kDcMeterRows>(kRecordDcMeter, DeviceKind::kDcMeter),
    {kRecordSmartBms, 0, nullptr, DeviceKind::kBms},
    LayoutOf<kOrionXsRows>(kRecordOrionXs, DeviceKind::kDcConverter),
};
constexpr Layout kSolarSenseLayout = LayoutOf<kSolarSenseRows>(kRecordSolarSense, DeviceKind::kSensor);

const Layout* FindLayout(uint16_t type) {
  if (type < std::size(kLayouts)) return &kLayouts[type];
  return type == kRecordSolarSense ? &kSolarSenseLayout : nullptr;
}

}  // namespace

size_t RecordBits(uint16_t type) {
  const Layout* layout = FindLayout(type);
  return layout == nullptr ? 0 : layout->bits;
}

bool DecodeRecord(uint16_t type, const RecordWords& plain, ReadingWriter& writer) {
  const Layout* layout = FindLayout(type);
  if (layout == nullptr || layout->put == nullptr) return false;
  layout->put(plain, writer);
  return true;
}

DeviceKind KindOfRecord(uint16_t type) {
  const Layout* layout = FindLayout(type);
  return layout == nullptr ? DeviceKind::kOther : layout->kind;
}

}  // namespace vesta::victron
