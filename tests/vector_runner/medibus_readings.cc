#include "tests/vector_runner/medibus_readings.h"

#include <cmath>
#include <cstdlib>

namespace vesta::vectors {
namespace {

using medibus::Group;

uint8_t ByteOf(const std::string& hex) { return static_cast<uint8_t>(std::strtoul(hex.c_str(), nullptr, 16)); }

std::string KeyOf(Group group, const std::string& code) {
  const medibus::CodeRow* row =
      medibus::FindRow(0, medibus::Family::kIncubator, medibus::MeaningOf(group), ByteOf(code), nullptr);
  std::string lower;
  for (const char c : code) lower += static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  const std::string by_code = std::string(medibus::GroupName(group)) + "_" + lower;
  if (row == nullptr) return by_code;
  return medibus::MeaningOf(group) == group ? row->field.key : "inc_" + by_code;
}

const ToldReading* Find(const ToldFrame& told, const std::string& key) {
  for (const ToldReading& reading : told.readings) {
    if (reading.key == key) return &reading;
  }
  return nullptr;
}

void CompareValue(const Json& item, Group group, const ToldFrame& told, const std::string& path, Report* report) {
  const std::string key = KeyOf(group, item.at("code"));
  const ToldReading* reading = Find(told, key);
  const bool has_number = item.at("value").is_number();
  if (reading == nullptr) {
    // A date is told when it changes.
    if (!item.contains("day")) report->Differ(path + "." + key, "a reading", "none");
    return;
  }
  if (has_number != (reading->value.kind() == ValueKind::kDecimal)) {
    report->Differ(path + "." + key, has_number ? "a number" : "no number", "the other");
  } else if (has_number && std::abs(reading->value.ToDouble() - item["value"].get<double>()) > 1e-9) {
    report->Differ(path + "." + key, Shown(item["value"]), std::to_string(reading->value.ToDouble()));
  }
  if (item.contains("day")) {
    char date[16];
    std::snprintf(date, sizeof(date), "%02d-%02d", item["day"].get<int>() % 100, item["month"].get<int>() % 100);
    if (reading->text != date) report->Differ(path + "." + key, date, reading->text);
  }
}

// The flags that are on after the frame are those of the list, no more and no less.
void CompareLevels(const Json& items, Group group, const ToldFrame& told, const std::string& path, Report* report) {
  std::set<std::string> expected;
  for (const Json& item : items) expected.insert(KeyOf(group, item.at("code")));
  const std::string prefix = std::string(medibus::GroupName(group)) + "_";
  std::set<std::string> on;
  for (const auto& [key, level] : told.levels) {
    if (key.rfind(prefix, 0) == 0 && level == 1) on.insert(key);
  }
  if (on != expected) report->Differ(path, std::to_string(expected.size()) + " levels", std::to_string(on.size()));
}

}  // namespace

void ToldFrames::OnDevice(uint16_t slot, const DeviceInfo& device) {
  devices[slot] = std::string(device.identity.substr(0, device.identity.find('-'))) + " " + std::string(device.model);
}

void ToldFrames::OnFrame(const FrameEvent& frame) {
  ToldFrame told;
  told.verdict = frame.verdict;
  told.reason = frame.reason;
  told.raw.assign(frame.raw.begin(), frame.raw.end());
  for (const Reading& r : frame.readings) {
    ToldReading reading;
    reading.device = r.device;
    reading.key = session_->fields()[r.field].key;
    reading.quality = r.quality;
    if (r.value.kind() == ValueKind::kText) {
      reading.text = std::string(r.value.text());
    } else {
      reading.value = r.value;
    }
    if (r.value.kind() == ValueKind::kState) levels_[reading.key] = r.value.state();
    if (r.value.is_none()) levels_.erase(reading.key);
    told.readings.push_back(std::move(reading));
  }
  told.levels = levels_;
  if (told.raw.empty()) return;
  if (told.raw[0] >= medibus::kRealtimeBit) {
    realtime.insert(realtime.end(), told.readings.begin(), told.readings.end());
  } else {
    frames.push_back(std::move(told));
  }
}

void CompareReadings(const Json& expected, const ToldFrame& told, const std::string& path, Report* report) {
  if (!expected.contains("data") || expected.at("kind") != "response") return;
  const Json& data = expected["data"];
  const Group group = GroupOf(ByteOf(expected.at("code")));
  const std::string where = path + ".readings";
  if (group == Group::kAlarm1 || group == Group::kAlarm2 || group == Group::kText) {
    CompareLevels(data.at("items"), group, told, where, report);
  } else if (group != Group::kCountOfGroups) {
    for (const Json& item : data.at("items")) CompareValue(item, group, told, where, report);
  } else if (data.at("type") == "datetime" && data.contains("device_local")) {
    const ToldReading* offset = Find(told, "device_clock_offset");
    UtcUs local = kNoTime;
    ParseIso8601(data["device_local"].get<std::string>() + "Z", &local);
    // The runner's clock stands at 0 at the start, so the offset is the device's time but for the time that passed.
    const bool right =
        offset != nullptr && std::abs(offset->value.ToDouble() - static_cast<double>(local / kUsPerSecond)) < 600;
    if (!right) report->Differ(where, "the clock's offset", offset == nullptr ? "none" : "another");
  }
}

}  // namespace vesta::vectors
