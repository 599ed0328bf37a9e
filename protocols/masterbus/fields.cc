#include "protocols/masterbus/fields.h"

#include <algorithm>

namespace vesta::masterbus {
namespace {

constexpr Field Gauge(const char* key, Quantity quantity, Unit unit, int8_t decimals, bool diagnostic = false) {
  Field field;
  field.key = key;
  field.quantity = quantity;
  field.unit = unit;
  field.decimals = decimals;
  field.diagnostic = diagnostic;
  return field;
}

// The names of the codes come from the device.
constexpr Field State(const char* key, Pace pace = Pace::kFast) {
  Field field;
  field.key = key;
  field.quantity = Quantity::kMode;
  field.kind = FieldKind::kState;
  field.pace = pace;
  return field;
}

constexpr Field TextField(const char* key) {
  Field field;
  field.key = key;
  field.kind = FieldKind::kText;
  field.pace = Pace::kSlow;
  field.diagnostic = true;
  return field;
}

constexpr std::array<Field, kStaticFields> MakeFields() {
  std::array<Field, kStaticFields> fields{};
  fields[kAnnounceCounter] = Gauge("announce_counter", Quantity::kCount, Unit::kNone, 0, true);
  fields[kAnnounceCounter].pace = Pace::kSlow;
  fields[kStateOfCharge] = Gauge("state_of_charge", Quantity::kStateOfCharge, Unit::kPercent, 1);
  fields[kBatteryVoltage] = Gauge("battery_voltage", Quantity::kVoltage, Unit::kVolt, 2);
  fields[kBatteryCurrent] = Gauge("battery_current", Quantity::kCurrent, Unit::kAmpere, 1);
  fields[kChargeConsumed] = Gauge("charge_consumed", Quantity::kCharge, Unit::kAmpereHour, 1);
  fields[kTimeRemaining] = Gauge("time_remaining", Quantity::kDuration, Unit::kSecond, 0);
  fields[kBatteryTemperature] = Gauge("battery_temperature", Quantity::kTemperature, Unit::kCelsius, 1);
  fields[kBattery2Voltage] = Gauge("battery2_voltage", Quantity::kVoltage, Unit::kVolt, 2);
  fields[kBattery2Current] = Gauge("battery2_current", Quantity::kCurrent, Unit::kAmpere, 1);
  fields[kDeviceState] = State("device_state");
  fields[kChargerState] = State("charger_state");
  fields[kCharger2State] = State("charger2_state");
  fields[kSolarChargerState] = State("solar_charger_state");
  fields[kUserMode] = State("user_mode");
  fields[kPowerSwitch] = State("power_switch");
  fields[kInverterSwitch] = State("inverter_switch");
  fields[kChargerSwitch] = State("charger_switch");
  fields[kAcInputVoltage] = Gauge("ac_input_voltage", Quantity::kVoltage, Unit::kVolt, 1);
  fields[kAcInputCurrent] = Gauge("ac_input_current", Quantity::kCurrent, Unit::kAmpere, 1);
  fields[kAcInputPower] = Gauge("ac_input_power", Quantity::kPower, Unit::kWatt, 0);
  fields[kAcOutputVoltage] = Gauge("ac_output_voltage", Quantity::kVoltage, Unit::kVolt, 1);
  fields[kAcOutputCurrent] = Gauge("ac_output_current", Quantity::kCurrent, Unit::kAmpere, 1);
  fields[kAcOutputPower] = Gauge("ac_output_power", Quantity::kPower, Unit::kWatt, 0);
  fields[kAcOutput2Voltage] = Gauge("ac_output2_voltage", Quantity::kVoltage, Unit::kVolt, 1);
  fields[kAcOutput2Current] = Gauge("ac_output2_current", Quantity::kCurrent, Unit::kAmpere, 1);
  fields[kAcOutput2Power] = Gauge("ac_output2_power", Quantity::kPower, Unit::kWatt, 0);
  fields[kAcInputState] = State("ac_input_state");
  fields[kAcOutputState] = State("ac_output_state");
  fields[kShoreFuse] = State("shore_fuse", Pace::kSlow);
  fields[kShoreFuseCurrent] = Gauge("shore_fuse_current", Quantity::kCurrent, Unit::kAmpere, 0);
  fields[kShoreFuseCurrent].pace = Pace::kSlow;
  fields[kLoadLevel] = State("load_level");
  fields[kInputIsGenset] = State("input_is_genset", Pace::kSlow);
  fields[kBusVoltage] = Gauge("bus_voltage", Quantity::kVoltage, Unit::kVolt, 2, true);
  fields[kBoardTemperature] = Gauge("board_temperature", Quantity::kTemperature, Unit::kCelsius, 1, true);
  fields[kClockTime] = TextField("clock_time");
  fields[kClockDate] = TextField("clock_date");
  return fields;
}
constexpr std::array<Field, kStaticFields> kFields = MakeFields();

struct Rule {
  std::string_view slug;
  Unit unit;  // kNone: whatever
  Form form;
  uint16_t field;
};

// Labels as devices send them, made slugs.
constexpr Rule kRules[] = {
    {"state_of_charge", Unit::kPercent, Form::kNumber, kStateOfCharge},
    {"battery", Unit::kVolt, Form::kNumber, kBatteryVoltage},
    {"battery", Unit::kAmpere, Form::kNumber, kBatteryCurrent},
    {"battery", Unit::kCelsius, Form::kNumber, kBatteryTemperature},
    {"main_battery", Unit::kVolt, Form::kNumber, kBatteryVoltage},
    {"main_battery", Unit::kAmpere, Form::kNumber, kBatteryCurrent},
    {"main_battery", Unit::kCelsius, Form::kNumber, kBatteryTemperature},
    {"cap_consumed", Unit::kAmpereHour, Form::kNumber, kChargeConsumed},
    {"remaining", Unit::kNone, Form::kDuration, kTimeRemaining},
    {"time_remaining", Unit::kNone, Form::kDuration, kTimeRemaining},
    {"secondary_battery", Unit::kVolt, Form::kNumber, kBattery2Voltage},
    {"secondary_battery", Unit::kAmpere, Form::kNumber, kBattery2Current},
    {"state", Unit::kNone, Form::kState, kDeviceState},
    {"device_state", Unit::kNone, Form::kState, kDeviceState},
    {"state_of_charger", Unit::kNone, Form::kState, kChargerState},
    {"main_charger", Unit::kNone, Form::kState, kChargerState},
    {"charge_state", Unit::kNone, Form::kState, kChargerState},
    {"secondary_charger", Unit::kNone, Form::kState, kCharger2State},
    {"solar_charger", Unit::kNone, Form::kState, kSolarChargerState},
    {"mode", Unit::kNone, Form::kState, kUserMode},
    {"user_mode", Unit::kNone, Form::kState, kUserMode},
    {"power", Unit::kNone, Form::kState, kPowerSwitch},
    {"inverter", Unit::kNone, Form::kState, kInverterSwitch},
    {"charger", Unit::kNone, Form::kState, kChargerSwitch},
    {"ac_input", Unit::kVolt, Form::kNumber, kAcInputVoltage},
    {"ac_input", Unit::kAmpere, Form::kNumber, kAcInputCurrent},
    {"ac_input", Unit::kWatt, Form::kNumber, kAcInputPower},
    {"mains", Unit::kVolt, Form::kNumber, kAcInputVoltage},
    {"mains", Unit::kAmpere, Form::kNumber, kAcInputCurrent},
    {"mains", Unit::kWatt, Form::kNumber, kAcInputPower},
    {"ac_output", Unit::kVolt, Form::kNumber, kAcOutputVoltage},
    {"ac_output", Unit::kAmpere, Form::kNumber, kAcOutputCurrent},
    {"ac_output", Unit::kWatt, Form::kNumber, kAcOutputPower},
    {"ac_out_1", Unit::kVolt, Form::kNumber, kAcOutputVoltage},
    {"ac_out_1", Unit::kAmpere, Form::kNumber, kAcOutputCurrent},
    {"ac_out_1", Unit::kWatt, Form::kNumber, kAcOutputPower},
    {"ac_output_1", Unit::kVolt, Form::kNumber, kAcOutputVoltage},
    {"ac_output_1", Unit::kAmpere, Form::kNumber, kAcOutputCurrent},
    {"ac_output_1", Unit::kWatt, Form::kNumber, kAcOutputPower},
    {"ac_out_2", Unit::kVolt, Form::kNumber, kAcOutput2Voltage},
    {"ac_out_2", Unit::kAmpere, Form::kNumber, kAcOutput2Current},
    {"ac_out_2", Unit::kWatt, Form::kNumber, kAcOutput2Power},
    {"ac_output_2", Unit::kVolt, Form::kNumber, kAcOutput2Voltage},
    {"ac_output_2", Unit::kAmpere, Form::kNumber, kAcOutput2Current},
    {"ac_output_2", Unit::kWatt, Form::kNumber, kAcOutput2Power},
    {"ac_in_state", Unit::kNone, Form::kState, kAcInputState},
    {"ac_out_state", Unit::kNone, Form::kState, kAcOutputState},
    {"shore_fuse", Unit::kNone, Form::kState, kShoreFuse},
    {"mains_fuse", Unit::kAmpere, Form::kNumber, kShoreFuseCurrent},
    {"load", Unit::kNone, Form::kState, kLoadLevel},
    {"input_genset", Unit::kNone, Form::kState, kInputIsGenset},
    {"input_genset", Unit::kNone, Form::kFlag, kInputIsGenset},
    {"mb_voltage", Unit::kVolt, Form::kNumber, kBusVoltage},
    {"pcb", Unit::kCelsius, Form::kNumber, kBoardTemperature},
    {"time", Unit::kNone, Form::kClock, kClockTime},
    {"date", Unit::kNone, Form::kDate, kClockDate},
};

constexpr UnitRow kUnits[] = {
    {"V", Unit::kVolt, Quantity::kVoltage, "voltage", 2},
    {"A", Unit::kAmpere, Quantity::kCurrent, "current", 1},
    {"W", Unit::kWatt, Quantity::kPower, "power", 0},
    {"kW", Unit::kKilowatt, Quantity::kPower, "power", 2},
    {"VA", Unit::kVoltAmpere, Quantity::kApparentPower, "apparent_power", 0},
    {"Ah", Unit::kAmpereHour, Quantity::kCharge, "charge", 1},
    {"Wh", Unit::kWattHour, Quantity::kEnergy, "energy", 0},
    {"kWh", Unit::kKilowattHour, Quantity::kEnergy, "energy", 2},
    {"%", Unit::kPercent, Quantity::kRatio, "percent", 1},
    {"Hz", Unit::kHertz, Quantity::kFrequency, "frequency", 2},
    {"\xB0"
     "C",
     Unit::kCelsius, Quantity::kTemperature, "temperature", 1},
    {"s", Unit::kSecond, Quantity::kDuration, "duration", 0},
    {"sec", Unit::kSecond, Quantity::kDuration, "duration", 0},
    {"min", Unit::kMinute, Quantity::kDuration, "duration", 0},
    {"h", Unit::kHour, Quantity::kDuration, "duration", 1},
    {"rpm", Unit::kRevolutionsPerMinute, Quantity::kSpeed, "speed", 0},
    {"bar", Unit::kBar, Quantity::kPressure, "pressure", 2},
    {"l", Unit::kLitre, Quantity::kVolume, "volume", 0},
    {"mV", Unit::kMillivolt, Quantity::kVoltage, "voltage", 0},
    {"mA", Unit::kMilliampere, Quantity::kCurrent, "current", 0},
};

}  // namespace

std::span<const Field> Fields() { return kFields; }

const UnitRow* FindUnit(std::string_view latin1) {
  for (const UnitRow& row : kUnits) {
    if (row.latin1 == latin1) return &row;
  }
  return nullptr;
}

size_t Slug(std::string_view latin1, char* out) {
  size_t size = 0;
  bool gap = false;
  for (const char c : latin1) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!plain) {
      gap = true;
      continue;
    }
    if (gap && size > 0 && size + 1 < kMaxSlug) out[size++] = '_';
    gap = false;
    if (size < kMaxSlug) out[size++] = upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return size;
}

uint16_t KnownField(std::string_view slug, Unit unit, Form form) {
  for (const Rule& rule : kRules) {
    if (rule.form == form && rule.slug == slug && (rule.unit == Unit::kNone || rule.unit == unit)) return rule.field;
  }
  return kStaticFields;
}

FieldTable::FieldTable() {
  fields_.reserve(kStaticFields + kMaxRegistered);
  fields_.assign(kFields.begin(), kFields.end());
  states_.reserve(kMaxStates);
  texts_.reserve(kMaxTextBytes);
}

const char* FieldTable::Keep(std::string_view text) {
  const char* kept = texts_.data() + texts_.size();
  texts_.insert(texts_.end(), text.begin(), text.end());
  texts_.push_back('\0');
  return kept;
}

uint16_t FieldTable::Register(const Field& field, std::string_view key, std::span<const State> states) {
  const auto same = [&](const Field& row) {
    if (row.key != key || row.quantity != field.quantity || row.unit != field.unit || row.kind != field.kind ||
        row.decimals != field.decimals || row.states.size() != states.size()) {
      return false;
    }
    return std::equal(states.begin(), states.end(), row.states.begin(), [](const State& a, const StateName& b) {
      return a.code == b.code && std::string_view(a.name.data(), a.size) == b.name;
    });
  };
  const auto found = std::find_if(fields_.begin(), fields_.end(), same);
  if (found != fields_.end()) return static_cast<uint16_t>(found - fields_.begin());
  size_t bytes = key.size() + 1;
  for (const State& state : states) bytes += state.size + 1;
  if (registered() >= kMaxRegistered || states_.size() + states.size() > kMaxStates ||
      texts_.size() + bytes > kMaxTextBytes) {
    ++refused_;
    return kFull;
  }
  Field row = field;
  row.key = Keep(key);
  const size_t first = states_.size();
  for (const State& state : states) states_.push_back({state.code, Keep({state.name.data(), state.size})});
  row.states = {states_.data() + first, states.size()};
  fields_.push_back(row);
  return static_cast<uint16_t>(fields_.size() - 1);
}

}  // namespace vesta::masterbus
