#include "protocols/vedirect/registers.h"

#include <algorithm>
#include <iterator>

#include "protocols/vedirect/records.h"
#include "protocols/victron/enums.h"
#include "protocols/victron/fields.h"

namespace vesta::vedirect {
namespace {

using victron::kNoField;

// Sorted by register.
constexpr RegisterRow kRegisters[] = {
    {0x0100, kNoField, RegisterForm::kProduct, 0, BitsOf::kNone},
    {0x0102, victron::kFirmware, RegisterForm::kFirmware, 0, BitsOf::kNone},
    {0x010A, victron::kSerialNumber, RegisterForm::kText, 0, BitsOf::kNone},
    {0x010B, victron::kModel, RegisterForm::kText, 0, BitsOf::kNone},
    {0x010C, victron::kDescription, RegisterForm::kText, 0, BitsOf::kNone},
    {0x0120, victron::kUptime, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x0200, victron::kDeviceMode, RegisterForm::kMode, 0, BitsOf::kNone},
    {0x0201, victron::kDeviceState, RegisterForm::kState, 0, BitsOf::kNone},
    {0x0204, victron::kActiveAcIn, RegisterForm::kActiveAcIn, 0, BitsOf::kNone},
    {0x0205, victron::kOffReason, RegisterForm::kBits, 0, BitsOf::kOff},
    {0x0207, victron::kOffReason, RegisterForm::kBits, 0, BitsOf::kOff},
    {0x0300, victron::kDeepestDischarge, RegisterForm::kDrawn, -1, BitsOf::kNone},
    {0x0301, victron::kLastDischarge, RegisterForm::kDrawn, -1, BitsOf::kNone},
    {0x0302, victron::kAverageDischarge, RegisterForm::kDrawn, -1, BitsOf::kNone},
    {0x0303, victron::kChargeCycles, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x0304, victron::kFullDischarges, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x0305, victron::kChargeDrawnTotal, RegisterForm::kDrawn, -1, BitsOf::kNone},
    {0x0306, victron::kBatteryVoltageMin, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x0307, victron::kBatteryVoltageMax, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x0308, victron::kTimeSinceFull, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x0309, victron::kAutoSyncs, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x030A, victron::kLowVoltageAlarms, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x030B, victron::kHighVoltageAlarms, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x030C, victron::kLowAuxAlarms, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x030D, victron::kHighAuxAlarms, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x030E, victron::kAuxVoltageMin, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x030F, victron::kAuxVoltageMax, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x0310, victron::kEnergyDischarged, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x0311, victron::kEnergyCharged, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x031C, victron::kWarningReason, RegisterForm::kBits, 0, BitsOf::kAlarm},
    {0x031E, victron::kAlarmReason, RegisterForm::kBits, 0, BitsOf::kAlarm},
    {0x034E, victron::kRelay, RegisterForm::kFlag, 0, BitsOf::kNone},
    {0x0382, victron::kMidVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x0383, victron::kMidDeviation, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0x0FFE, victron::kTimeToGo, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x0FFF, victron::kSoc, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x1000, victron::kBatteryCapacity, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x1040, victron::kOperatingTime, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x1041, victron::kAcEnergyOut, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x104F, kNoField, RegisterForm::kHistoryTotal, 0, BitsOf::kNone},
    {0x1050, kNoField, RegisterForm::kHistoryDay, 0, BitsOf::kNone},
    {0x2000, victron::kLinkAlgorithm, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x2001, victron::kChargeVoltageSetpoint, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2002, victron::kSenseVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2003, victron::kSenseTemperature, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x2004, victron::kLinkCommand, RegisterForm::kState, 0, BitsOf::kNone},
    {0x2007, victron::kChargeElapsed, RegisterForm::kUnsigned, -3, BitsOf::kNone},
    {0x2008, victron::kLinkAbsorptionTime, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2009, victron::kLinkError, RegisterForm::kState, 0, BitsOf::kNone},
    {0x200A, victron::kSenseCurrent, RegisterForm::kSigned, -3, BitsOf::kNone},
    {0x200B, victron::kBatteryIdleVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x200C, victron::kNetworkChargeState, RegisterForm::kState, 0, BitsOf::kNone},
    {0x200D, victron::kNetworkInfo, RegisterForm::kBits, 0, BitsOf::kNetworkInfo},
    {0x200E, victron::kNetworkMode, RegisterForm::kBits, 0, BitsOf::kNetworkMode},
    {0x200F, victron::kNetworkRole, RegisterForm::kNetworkStatus, 0, BitsOf::kNone},
    {0x2010, victron::kAcInputMaxCurrent, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0x2011, victron::kAcInputCurrentLimit, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0x2012, victron::kAcInCurrent, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0x2013, victron::kTotalChargeCurrent, RegisterForm::kSigned, -3, BitsOf::kNone},
    {0x2014, victron::kChargeCurrentPercentage, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x2015, victron::kChargeCurrentLimit, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0x2016, victron::kChargeVoltageSetpoint, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2017, victron::kDischargeCurrentLimit, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0x2018, victron::kEqualisationPending, RegisterForm::kState, 0, BitsOf::kNone},
    {0x2019, victron::kEqualisationRemaining, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x201B, victron::kDischargeVoltageLimit, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x201C, victron::kExtraBatteryCurrent, RegisterForm::kSigned, -3, BitsOf::kNone},
    {0x2020, victron::kSystemYield, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2021, victron::kYieldTotal, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2022, victron::kYieldToday, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2023, victron::kMaxPowerToday, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x2024, victron::kYieldYesterday, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2025, victron::kMaxPowerYesterday, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x2026, victron::kActualPower, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2027, victron::kNetworkPower, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2030, victron::kDaylight, RegisterForm::kState, 0, BitsOf::kNone},
    {0x2031, victron::kChargerTime, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0x2100, victron::kBmsStatus, RegisterForm::kBits, 0, BitsOf::kBmsFlags},
    {0x2101, victron::kBmsError, RegisterForm::kState, 0, BitsOf::kNone},
    {0x2200, victron::kAcOutVoltage, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x2201, victron::kAcOutCurrent, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0x2204, victron::kAcOutPower, RegisterForm::kSigned, 0, BitsOf::kNone},
    {0x2205, victron::kAcOutApparentPower, RegisterForm::kSigned, 0, BitsOf::kNone},
    {0x2208, victron::kAcOutFrequency, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0x2209, victron::kAcPeNVoltage, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0x2234, victron::kAcIn1Power, RegisterForm::kSigned, 0, BitsOf::kNone},
    {0x2244, victron::kAcIn2Power, RegisterForm::kSigned, 0, BitsOf::kNone},
    {0xE40B, victron::kVebusError, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEA15, victron::kBalancerStatus, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEC3E, victron::kParallelCharging, RegisterForm::kFlag, 0, BitsOf::kNone},
    {0xEC80, victron::kSmartlithiumError, RegisterForm::kBits, 0, BitsOf::kSmartlithium},
    {0xECC3, victron::kTracker1Mode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xECCB, victron::kPv1Voltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECCC, victron::kPv1Power, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECCD, victron::kPv1Current, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xECD3, victron::kTracker2Mode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xECDB, victron::kPv2Voltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECDC, victron::kPv2Power, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECDD, victron::kPv2Current, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xECE3, victron::kTracker3Mode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xECEB, victron::kPv3Voltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECEC, victron::kPv3Power, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECED, victron::kPv3Current, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xECF3, victron::kTracker4Mode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xECFB, victron::kPv4Voltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECFC, victron::kPv4Power, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xECFD, victron::kPv4Current, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xED6D, victron::kOutput3Voltage, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0xED6F, victron::kOutput3Current, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0xED7C, victron::kOutput2Current, RegisterForm::kSigned, -3, BitsOf::kNone},
    {0xED7D, victron::kOutput2Voltage, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0xED7F, victron::kOutput2Current, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0xED8C, victron::kBatteryCurrent, RegisterForm::kSigned, -3, BitsOf::kNone},
    {0xED8D, victron::kBatteryVoltage, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0xED8E, victron::kBatteryPower, RegisterForm::kSigned, 0, BitsOf::kNone},
    {0xED8F, victron::kBatteryCurrent, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0xED91, victron::kLoadOffReason, RegisterForm::kBits, 0, BitsOf::kLoadOff},
    {0xEDA8, victron::kOutputState, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEDA9, victron::kLoadVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDAD, victron::kLoadCurrent, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xEDB3, victron::kTrackerMode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEDB4, victron::kMppPower, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDB5, victron::kMppVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDBB, victron::kPvVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDBC, victron::kPvPower, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDBD, victron::kPvCurrent, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xEDD0, victron::kMaxPowerYesterday, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0xEDD1, victron::kYieldYesterday, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDD2, victron::kMaxPowerToday, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0xEDD3, victron::kYieldToday, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDD4, victron::kChargerFlags, RegisterForm::kBits, 0, BitsOf::kChargerFlags},
    {0xEDD5, victron::kChargerVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDD7, victron::kChargerCurrent, RegisterForm::kSigned, -1, BitsOf::kNone},
    {0xEDDA, victron::kChargerError, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEDDB, victron::kChargerTemperature, RegisterForm::kSigned, -2, BitsOf::kNone},
    {0xEDDC, victron::kYieldTotal, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDDD, victron::kSystemYield, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDEC, victron::kBatteryTemperature, RegisterForm::kCelsiusOfKelvin, -2, BitsOf::kNone},
    {0xEDEF, victron::kSystemVoltage, RegisterForm::kUnsigned, 0, BitsOf::kNone},
    {0xEDF0, victron::kBatteryMaxCurrent, RegisterForm::kUnsigned, -1, BitsOf::kNone},
    {0xEDF4, victron::kEqualisationVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDF6, victron::kFloatVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEDF7, victron::kAbsorptionVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEE16, victron::kBatterySenseVoltage, RegisterForm::kUnsigned, -2, BitsOf::kNone},
    {0xEEB6, victron::kSynchronised, RegisterForm::kFlag, 0, BitsOf::kNone},
    {0xEEB8, victron::kMonitorMode, RegisterForm::kSignedState, 0, BitsOf::kNone},
    {0xEEF8, victron::kAuxMode, RegisterForm::kState, 0, BitsOf::kNone},
    {0xEEFF, victron::kConsumedAh, RegisterForm::kSigned, -1, BitsOf::kNone},
};

// First and last of the registers that the reference names, but that give no reading.
struct RegisterRange {
  uint16_t first;
  uint16_t last;
};
constexpr RegisterRange kWithoutReading[] = {
    {0x0004, 0x0004}, {0x0090, 0x0090}, {0x0101, 0x0101}, {0x0103, 0x0104}, {0x0109, 0x0109}, {0x010E, 0x010E},
    {0x0140, 0x0140}, {0x0150, 0x0150}, {0x0202, 0x0202}, {0x0206, 0x0206}, {0x0230, 0x0232}, {0x0244, 0x0244},
    {0x0320, 0x0323}, {0x0328, 0x0329}, {0x034D, 0x034D}, {0x034F, 0x0353}, {0x0400, 0x0404}, {0x1001, 0x100B},
    {0x1029, 0x1029}, {0x102C, 0x102C}, {0x1030, 0x1030}, {0x1034, 0x1034}, {0x1051, 0x106E}, {0x10A0, 0x10BE},
    {0x2005, 0x2006}, {0x201A, 0x201A}, {0x2102, 0x2102}, {0x2107, 0x2108}, {0x2202, 0x2203}, {0x2206, 0x2207},
    {0x2210, 0x2212}, {0xD01F, 0xD01F}, {0xD0C0, 0xD0C0}, {0xEB03, 0xEB04}, {0xEB06, 0xEB06}, {0xEB99, 0xEB99},
    {0xEBBA, 0xEBBA}, {0xEC12, 0xEC13}, {0xEC15, 0xEC16}, {0xEC20, 0xEC3D}, {0xEC40, 0xEC41}, {0xEC65, 0xEC66},
    {0xEC7D, 0xEC7E}, {0xED2E, 0xED2E}, {0xED8B, 0xED8B}, {0xED90, 0xED90}, {0xED96, 0xED9E}, {0xEDA0, 0xEDA5},
    {0xEDA7, 0xEDA7}, {0xEDAB, 0xEDAC}, {0xEDB1, 0xEDB2}, {0xEDB8, 0xEDBA}, {0xEDBF, 0xEDBF}, {0xEDC6, 0xEDC7},
    {0xEDCA, 0xEDCA}, {0xEDCC, 0xEDCE}, {0xEDD9, 0xEDD9}, {0xEDDF, 0xEDE0}, {0xEDE3, 0xEDE8}, {0xEDEA, 0xEDEA},
    {0xEDF1, 0xEDF2}, {0xEDFB, 0xEDFF}, {0xEEFA, 0xEEFC},
};

constexpr uint16_t kSecrets[] = {0xEC12, 0xEC13, 0xEC65};

// What text carries on every device that has it is not here: V, I, the history of a battery monitor, yields. The first
// three are asked for once in a while, since they hardly change.
constexpr PollRow kPollRows[] = {
    {0x010A, true},  {0x010B, true},  {0x0102, true},  {0x010C, true},  {0x1000, true},  {0xEDF0, true},
    {0xEDF4, true},  {0xEDF6, true},  {0xEDF7, true},  {0xEDEF, true},  {0xEDDD, true},  {0xEEF8, true},
    {0x1040, true},  {0x1041, true},  {0x104F, true},  {0x1050, false}, {0x0120, false}, {0x0207, false},
    {0x2001, false}, {0x2002, false}, {0x2003, false}, {0x200A, false}, {0x200E, false}, {0x200F, false},
    {0x2013, false}, {0x2027, false}, {0x2030, false}, {0x2100, false}, {0x2204, false}, {0x2205, false},
    {0x2208, false}, {0x2234, false}, {0xECC3, false}, {0xECCB, false}, {0xECCC, false}, {0xECCD, false},
    {0xECDB, false}, {0xECDC, false}, {0xECDD, false}, {0xECEB, false}, {0xECEC, false}, {0xECED, false},
    {0xECFB, false}, {0xECFC, false}, {0xECFD, false}, {0xED8C, false}, {0xED8D, false}, {0xED91, false},
    {0xEDA9, false}, {0xEDB3, false}, {0xEDBB, false}, {0xEDBC, false}, {0xEDBD, false}, {0xEDD4, false},
    {0xEDD5, false}, {0xEDD7, false}, {0xEDDA, false}, {0xEDDB, false}, {0xEDEC, false}, {0xEE16, false},
    {0x0201, false}, {0x0FFF, false},
};
static_assert(std::size(kPollRows) <= kMaxPollRows);

constexpr bool IsSorted() {
  for (size_t i = 1; i < std::size(kRegisters); ++i) {
    if (kRegisters[i - 1].reg >= kRegisters[i].reg) return false;
  }
  return true;
}
static_assert(IsSorted());

constexpr uint32_t AllOnes(size_t bytes) { return bytes >= 4 ? UINT32_MAX : (1u << (8 * bytes)) - 1; }

int64_t SignExtend(uint32_t raw, size_t bytes) {
  const uint32_t sign = 1u << (8 * bytes - 1);
  return static_cast<int64_t>(raw ^ sign) - static_cast<int64_t>(sign);
}

}  // namespace

std::span<const StateName> NamesOf(BitsOf bits) {
  switch (bits) {
    case BitsOf::kAlarm:
      return victron::kAlarmReasonBits;
    case BitsOf::kOff:
      return victron::kOffReasonBits;
    case BitsOf::kLoadOff:
      return victron::kLoadOffReasonBits;
    case BitsOf::kBmsFlags:
      return victron::kBmsFlagBits;
    case BitsOf::kSmartlithium:
      return victron::kSmartlithiumErrorBits;
    case BitsOf::kNetworkMode:
      return victron::kNetworkModeBits;
    case BitsOf::kNetworkInfo:
      return victron::kNetworkInfoBits;
    case BitsOf::kChargerFlags:
      return victron::kChargerFlagBits;
    case BitsOf::kNetworkSenses:
      return victron::kNetworkSenseBits;
    case BitsOf::kNone:
      break;
  }
  return {};
}

const RegisterRow* FindRegister(uint16_t reg) {
  const RegisterRow* row = std::lower_bound(std::begin(kRegisters), std::end(kRegisters), reg,
                                            [](const RegisterRow& a, uint16_t b) { return a.reg < b; });
  return row != std::end(kRegisters) && row->reg == reg ? row : nullptr;
}

bool IsKnownRegister(uint16_t reg) {
  if (FindRegister(reg) != nullptr) return true;
  return std::any_of(std::begin(kWithoutReading), std::end(kWithoutReading),
                     [reg](const RegisterRange& range) { return reg >= range.first && reg <= range.last; });
}

bool IsSecretRegister(uint16_t reg) {
  return std::find(std::begin(kSecrets), std::end(kSecrets), reg) != std::end(kSecrets);
}

bool ReadRegisterValue(const RegisterRow& row, Bytes bytes, Value* value) {
  if (bytes.empty() || bytes.size() > 4) return false;
  const size_t size = bytes.size();
  const uint32_t raw = Little(bytes, 0, size);
  const bool all_ones = raw == AllOnes(size);
  // The largest signed number; one byte is too little to spare a code for it.
  const bool signed_none = size > 1 && raw == AllOnes(size) >> 1;
  *value = Value::None();
  switch (row.form) {
    case RegisterForm::kUnsigned:
      if (!all_ones) *value = Value::OfDecimal(raw, row.exponent);
      return true;
    case RegisterForm::kSigned:
      if (!signed_none) *value = Value::OfDecimal(SignExtend(raw, size), row.exponent);
      return true;
    case RegisterForm::kDrawn:
      if (!signed_none) {
        const int64_t number = SignExtend(raw, size);
        *value = Value::OfDecimal(number < 0 ? -number : number, row.exponent);
      }
      return true;
    case RegisterForm::kCelsiusOfKelvin:
      if (!all_ones) *value = Value::OfDecimal(static_cast<int64_t>(raw) - 27315, row.exponent);
      return true;
    case RegisterForm::kState:
      if (!all_ones) *value = Value::OfState(raw);
      return true;
    case RegisterForm::kSignedState:
      *value = Value::OfState(static_cast<uint16_t>(SignExtend(raw, size)));
      return true;
    case RegisterForm::kMode:
      if (!all_ones) *value = Value::OfState(raw == 0 ? 4 : raw);
      return true;
    case RegisterForm::kActiveAcIn:
      if (!all_ones) *value = Value::OfState(raw == 240 ? 2 : raw);
      return true;
    case RegisterForm::kFlag:
      if (!all_ones) *value = Value::OfState(raw != 0 ? 1 : 0);
      return true;
    case RegisterForm::kBits:
      *value = Value::OfState(raw);
      return true;
    default:
      return false;
  }
}

std::span<const PollRow> PollRows() { return kPollRows; }

}  // namespace vesta::vedirect
