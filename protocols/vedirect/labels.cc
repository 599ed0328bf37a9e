#include "protocols/vedirect/labels.h"

#include <algorithm>
#include <iterator>

namespace vesta::vedirect {
namespace {

using victron::kNoField;

constexpr int8_t kMilli = -3;
constexpr int8_t kCenti = -2;
constexpr int8_t kDeci = -1;

// Sorted by label.
constexpr LabelRow kLabels[] = {
    {"AC_OUT_I", victron::kAcOutCurrent, LabelForm::kNumber, kDeci},
    {"AC_OUT_S", victron::kAcOutApparentPower, LabelForm::kNumber, 0},
    {"AC_OUT_V", victron::kAcOutVoltage, LabelForm::kNumber, kCenti},
    {"AR", victron::kAlarmReason, LabelForm::kAlarmBits, 0},
    {"Alarm", victron::kAlarm, LabelForm::kOnOff, 0},
    {"BMV", kNoField, LabelForm::kModel, 0},
    {"CAP_BLE", kNoField, LabelForm::kIgnored, 0},
    {"CE", victron::kConsumedAh, LabelForm::kNumber, kMilli},
    {"CS", victron::kDeviceState, LabelForm::kState, 0},
    {"DC_IN_I", victron::kInputCurrent, LabelForm::kNumber, kDeci},
    {"DC_IN_P", victron::kInputPower, LabelForm::kNumber, 0},
    {"DC_IN_V", victron::kInputVoltage, LabelForm::kNumber, kCenti},
    {"DM", victron::kMidDeviation, LabelForm::kNumber, kDeci},
    {"ERR", victron::kChargerError, LabelForm::kState, 0},
    {"FW", kNoField, LabelForm::kFirmware, 0},
    {"FWE", kNoField, LabelForm::kFirmwareExtended, 0},
    {"H1", victron::kDeepestDischarge, LabelForm::kDrawn, kMilli},
    {"H10", victron::kAutoSyncs, LabelForm::kNumber, 0},
    {"H11", victron::kLowVoltageAlarms, LabelForm::kNumber, 0},
    {"H12", victron::kHighVoltageAlarms, LabelForm::kNumber, 0},
    {"H13", victron::kLowAuxAlarms, LabelForm::kNumber, 0},
    {"H14", victron::kHighAuxAlarms, LabelForm::kNumber, 0},
    {"H15", victron::kAuxVoltageMin, LabelForm::kNumber, kMilli},
    {"H16", victron::kAuxVoltageMax, LabelForm::kNumber, kMilli},
    {"H17", victron::kEnergyDischarged, LabelForm::kNumber, kCenti},
    {"H18", victron::kEnergyCharged, LabelForm::kNumber, kCenti},
    {"H19", victron::kYieldTotal, LabelForm::kNumber, kCenti},
    {"H2", victron::kLastDischarge, LabelForm::kDrawn, kMilli},
    {"H20", victron::kYieldToday, LabelForm::kNumber, kCenti},
    {"H21", victron::kMaxPowerToday, LabelForm::kNumber, 0},
    {"H22", victron::kYieldYesterday, LabelForm::kNumber, kCenti},
    {"H23", victron::kMaxPowerYesterday, LabelForm::kNumber, 0},
    {"H3", victron::kAverageDischarge, LabelForm::kDrawn, kMilli},
    {"H4", victron::kChargeCycles, LabelForm::kNumber, 0},
    {"H5", victron::kFullDischarges, LabelForm::kNumber, 0},
    {"H6", victron::kChargeDrawnTotal, LabelForm::kDrawn, kMilli},
    {"H7", victron::kBatteryVoltageMin, LabelForm::kNumber, kMilli},
    {"H8", victron::kBatteryVoltageMax, LabelForm::kNumber, kMilli},
    {"H9", victron::kTimeSinceFull, LabelForm::kNumber, 0},
    {"HC#", kNoField, LabelForm::kIgnored, 0},  // meaning not documented
    {"HSDS", victron::kDaySequence, LabelForm::kNumber, 0},
    {"I", victron::kBatteryCurrent, LabelForm::kNumber, kMilli},
    {"I2", victron::kOutput2Current, LabelForm::kNumber, kMilli},
    {"I3", victron::kOutput3Current, LabelForm::kNumber, kMilli},
    {"IL", victron::kLoadCurrent, LabelForm::kNumber, kMilli},
    {"LOAD", victron::kOutputState, LabelForm::kOnOff, 0},
    {"MODE", victron::kDeviceMode, LabelForm::kMode, 0},
    {"MON", victron::kMonitorMode, LabelForm::kSignedState, 0},
    {"MPPT", victron::kTrackerMode, LabelForm::kState, 0},
    {"OR", victron::kOffReason, LabelForm::kOffBits, 0},
    {"P", victron::kBatteryPower, LabelForm::kNumber, 0},
    {"PID", kNoField, LabelForm::kProduct, 0},
    {"PPV", victron::kPvPower, LabelForm::kNumber, 0},
    {"Relay", victron::kRelay, LabelForm::kOnOff, 0},
    {"SER#", kNoField, LabelForm::kSerial, 0},
    {"SOC", victron::kSoc, LabelForm::kNumber, kDeci},
    {"T", victron::kBatteryTemperature, LabelForm::kNumber, 0},
    {"TTG", victron::kTimeToGo, LabelForm::kTimeToGo, 0},
    {"V", victron::kBatteryVoltage, LabelForm::kNumber, kMilli},
    {"V2", victron::kOutput2Voltage, LabelForm::kNumber, kMilli},
    {"V3", victron::kOutput3Voltage, LabelForm::kNumber, kMilli},
    {"VM", victron::kMidVoltage, LabelForm::kNumber, kMilli},
    {"VPV", victron::kPvVoltage, LabelForm::kNumber, kMilli},
    {"VS", victron::kAuxVoltage, LabelForm::kNumber, kMilli},
    {"WARN", victron::kWarningReason, LabelForm::kAlarmBits, 0},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < std::size(kLabels); ++i) {
    if (!(kLabels[i - 1].label < kLabels[i].label)) return false;
  }
  return true;
}
static_assert(IsSorted());

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                   [](char a, char b) { return static_cast<char>(a | 0x20) == b; });
}

// Whole numbers of at most 32 bits and a sign, which is all that devices send.
bool ReadNumber(std::string_view text, int64_t* number) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 10) return false;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  *number = negative ? -value : value;
  return true;
}

}  // namespace

const LabelRow* FindLabel(std::string_view label) {
  const LabelRow* row = std::lower_bound(std::begin(kLabels), std::end(kLabels), label,
                                         [](const LabelRow& a, std::string_view b) { return a.label < b; });
  return row != std::end(kLabels) && row->label == label ? row : nullptr;
}

bool ReadHexNumber(std::string_view text, uint32_t* number) {
  if (text.size() < 3 || text.size() > 10 || text[0] != '0' || (text[1] | 0x20) != 'x') return false;
  uint32_t value = 0;
  for (const char c : text.substr(2)) {
    const char lower = static_cast<char>(c | 0x20);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (lower < 'a' || lower > 'f')) return false;
    value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : lower - 'a' + 10);
  }
  *number = value;
  return true;
}

bool ReadLabelValue(const LabelRow& row, std::string_view text, Value* value) {
  *value = Value::None();
  if (text == "---") return true;
  int64_t number = 0;
  uint32_t bits = 0;
  switch (row.form) {
    case LabelForm::kOnOff:
      if (!EqualsIgnoringCase(text, "on") && !EqualsIgnoringCase(text, "off")) return false;
      *value = Value::OfState(text.size() == 2 ? 1 : 0);
      return true;
    case LabelForm::kOffBits:
    case LabelForm::kProduct:
      if (!ReadHexNumber(text, &bits)) return false;
      *value = Value::OfState(bits);
      return true;
    case LabelForm::kSerial:
    case LabelForm::kFirmware:
    case LabelForm::kFirmwareExtended:
    case LabelForm::kModel:
    case LabelForm::kIgnored:
      *value = Value::OfText(text);
      return true;
    default:
      break;
  }
  if (!ReadNumber(text, &number)) return false;
  switch (row.form) {
    case LabelForm::kNumber:
      *value = Value::OfDecimal(number, row.exponent);
      return true;
    case LabelForm::kDrawn:
      *value = Value::OfDecimal(number < 0 ? -number : number, row.exponent);
      return true;
    case LabelForm::kTimeToGo:
      if (number >= 0) *value = Value::OfDecimal(number, row.exponent);
      return true;
    case LabelForm::kSignedState:
      *value = Value::OfState(static_cast<uint16_t>(number));
      return number >= INT16_MIN && number <= INT16_MAX;
    case LabelForm::kMode:
      if (number == 0) number = 4;
      [[fallthrough]];
    default:
      *value = Value::OfState(static_cast<uint32_t>(number));
      return number >= 0 && number <= UINT32_MAX;
  }
}

bool BlockFields::Next(std::string_view* label, std::string_view* value) {
  while (rest_.size() >= 2) {
    const size_t start = rest_.find_first_not_of("\r\n");
    if (start == std::string_view::npos) return false;
    rest_.remove_prefix(start);
    const size_t tab = rest_.find('\t');
    if (tab == std::string_view::npos) return false;
    *label = rest_.substr(0, tab);
    rest_.remove_prefix(tab + 1);
    if (EqualsIgnoringCase(*label, "checksum")) return false;
    *value = rest_.substr(0, std::min(rest_.find('\r'), rest_.size()));
    rest_.remove_prefix(value->size());
    return true;
  }
  return false;
}

}  // namespace vesta::vedirect
