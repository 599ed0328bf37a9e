#include "hub/intake/medibus_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace vesta::hub {
namespace {

using medibus::CodeRow;
using medibus::Family;
using medibus::Format;
using medibus::Group;

constexpr size_t kColumns = 8;  // the ninth, evidence, is for people
constexpr size_t kMaxName = 48;
constexpr size_t kMaxKey = 28;

constexpr std::pair<std::string_view, Group> kGroups[] = {
    {"measured/1", Group::kMeasured1}, {"measured/2", Group::kMeasured2}, {"alarm/1", Group::kAlarm1},
    {"alarm/2", Group::kAlarm2},       {"setting/", Group::kSetting},     {"text/", Group::kText},
    {"realtime/", Group::kRealtime}};
constexpr std::pair<std::string_view, Format> kFormats[] = {
    {"decimal", Format::kDecimal}, {"ddmm", Format::kDayMonth}, {"hhmm", Format::kHourMinute},
    {"phrase", Format::kPhrase},   {"text", Format::kText},     {"waveform", Format::kWaveform}};
constexpr std::pair<std::string_view, Family> kFamilies[] = {
    {"", Family::kNone}, {"incubator", Family::kIncubator}, {"ventilator", Family::kVentilator}};

struct UnitRow {
  std::string_view text;
  Unit unit;
  Quantity quantity;
};
constexpr UnitRow kUnits[] = {
    {"Cel", Unit::kCelsius, Quantity::kTemperature},   {"%", Unit::kPercent, Quantity::kRatio},
    {"lx", Unit::kLux, Quantity::kIlluminance},        {"g", Unit::kGram, Quantity::kMass},
    {"kg", Unit::kKilogram, Quantity::kMass},          {"h", Unit::kHour, Quantity::kDuration},
    {"min", Unit::kMinute, Quantity::kDuration},       {"s", Unit::kSecond, Quantity::kDuration},
    {"/min", Unit::kPerMinute, Quantity::kNone},       {"dB(A)", Unit::kDecibelA, Quantity::kSoundLevel},
    {"mbar", Unit::kMillibar, Quantity::kPressure},    {"kPa", Unit::kKilopascal, Quantity::kPressure},
    {"mL", Unit::kMillilitre, Quantity::kVolume},      {"L", Unit::kLitre, Quantity::kVolume},
    {"L/min", Unit::kLitrePerMinute, Quantity::kNone}, {"mmHg", Unit::kMillimetreOfMercury, Quantity::kPressure},
    {"Hz", Unit::kHertz, Quantity::kFrequency},
};

template <typename Pairs, typename T>
bool Look(const Pairs& pairs, std::string_view text, T* out) {
  for (const auto& [name, value] : pairs) {
    if (name != text) continue;
    *out = value;
    return true;
  }
  return false;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

MedibusTable MedibusTable::Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  MedibusTable failed;
  if (!in.is_open() || error) {
    failed.problems_.push_back(fmt::format("{}: can't be read", path));
    return failed;
  }
  if (size > kMaxTableFileBytes) {
    failed.problems_.push_back(fmt::format("{}: larger than {} bytes", path, kMaxTableFileBytes));
    return failed;
  }
  return Parse(std::string(std::istreambuf_iterator<char>(in), {}), path);
}

MedibusTable MedibusTable::Parse(std::string_view text, const std::string& path) {
  MedibusTable table;
  for (const char c : std::filesystem::path(path).stem().string()) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
    table.version_ += plain ? c : '_';
  }
  size_t number = 0;
  size_t untold = 0;
  for (std::string_view line : Split(text, '\n')) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line[0] == '#' || line.substr(0, 5) == "kind,") continue;
    const std::string wrong = table.TakeLine(line);
    if (wrong.empty()) continue;
    if (table.problems_.size() < kMaxTableProblems) {
      table.problems_.push_back(fmt::format("{}:{}: {}", path, number, wrong));
    } else {
      ++untold;
    }
  }
  if (untold > 0) table.problems_.push_back(fmt::format("{}: and {} more lines", path, untold));
  return table;
}

std::string MedibusTable::TakeLine(std::string_view line) {
  const std::vector<std::string_view> cells = Split(line, ',');
  if (cells.size() < kColumns) return "fewer than eight columns";
  if (rows_.size() == medibus::kMaxSiteRows) return fmt::format("more than {} rows", medibus::kMaxSiteRows);
  CodeRow row;
  if (!Look(kGroups, fmt::format("{}/{}", cells[0], cells[1]), &row.group)) return "no such kind and codepage";
  const std::string_view code = cells[2];
  const auto [end, failed] = std::from_chars(code.data(), code.data() + code.size(), row.code, 16);
  if (code.size() != 2 || failed != std::errc() || end != code.data() + 2) return "the code is not two hex digits";
  if (cells[3].empty() || cells[3].size() > kMaxName || !IsPrintable(cells[3])) {
    return "the name is empty, too long or not printable";
  }
  if (!IsPrintable(cells[4]) || cells[4].size() > kMaxName) return "the unit is not printable";
  if (!Look(kFormats, cells[5], &row.format)) return "no such format";
  if (!Look(kFamilies, cells[7], &row.family)) return "no such family";
  size_t devices = 0;
  for (const std::string_view device : Split(cells[6], ' ')) {
    if (device.empty()) continue;
    if (devices == medibus::kMaxDevicesOfRow) return "more than four device numbers";
    uint16_t number = 0;
    const auto [stop, bad] = std::from_chars(device.data(), device.data() + device.size(), number);
    if (bad != std::errc() || stop != device.data() + device.size() || number == 0)
      return "a device number is no number";
    row.devices[devices++] = number;
  }
  if (devices == 0 && row.family == Family::kNone) return "neither a device number nor a family";

  row.name = Keep(std::string(cells[3])).data();
  row.unit_text = Keep(std::string(cells[4])).data();
  row.field.key = Keep(KeyOf(row, cells[3])).data();
  for (const UnitRow& unit : kUnits) {
    if (unit.text != cells[4]) continue;
    row.field.unit = unit.unit;
    row.field.quantity = unit.quantity;
  }
  row.field.decimals = row.field.unit == Unit::kCelsius ? 1 : 0;
  const bool is_alarm = row.group == Group::kAlarm1 || row.group == Group::kAlarm2;
  if (is_alarm) row.field.quantity = Quantity::kProblem;
  if (is_alarm || row.group == Group::kText) row.field.kind = FieldKind::kFlag;
  if (row.format == Format::kDayMonth) row.field.kind = FieldKind::kText;
  if (row.group == Group::kSetting) row.field.pace = Pace::kSlow;
  rows_.push_back(row);
  return "";
}

std::string MedibusTable::KeyOf(const CodeRow& row, std::string_view name) const {
  std::string key = "site_";
  for (const char c : name.substr(0, kMaxKey - key.size())) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    key += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
  }
  // The same name for another code, or another meaning: the code tells them apart.
  for (const CodeRow& other : rows_) {
    if (key != other.field.key || (other.group == row.group && other.code == row.code)) continue;
    return fmt::format("site_{}_{:02x}", medibus::GroupName(row.group), row.code);
  }
  return key;
}

}  // namespace vesta::hub
