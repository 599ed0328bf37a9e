#include "tests/vector_runner/medibus_frame.h"

#include <cstdio>
#include <cstdlib>

#include "protocols/medibus/values.h"

namespace vesta::vectors {
namespace {

using medibus::Group;

std::string Hex(uint8_t byte) {
  char text[3];
  std::snprintf(text, sizeof(text), "%02X", static_cast<unsigned>(byte));
  return text;
}

std::string PayloadText(std::span<const uint8_t> payload) {
  std::string text;
  for (const uint8_t byte : payload) {
    if (byte == medibus::kEtx) {
      text += "<ETX>";
    } else if (byte < 0x20) {
      text += "<" + Hex(byte) + ">";
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text;
}

double Number(Decimal decimal) {
  char text[kDecimalTextSize + 1];
  text[FormatDecimal(decimal, text)] = '\0';
  return std::strtod(text, nullptr);
}

void AddCode(const medibus::Record& record, Json* item) {
  (*item)["code"] = std::string(record.code_text);
  if (!record.code_valid) (*item)["code_valid"] = false;
}

const char* PriorityClass(uint8_t priority) {
  return priority <= 6 ? "advisory_no_tone" : priority <= 10 ? "advisory_tone" : priority <= 24 ? "caution" : "warning";
}

Json Values(Group group, std::string_view payload, Json data) {
  const medibus::RecordKind kind =
      group == Group::kSetting ? medibus::RecordKind::kSetting : medibus::RecordKind::kData;
  data["items"] = Json::array();
  medibus::RecordReader records(payload, kind);
  medibus::Record record;
  while (records.Next(&record)) {
    Json item;
    AddCode(record, &item);
    item["raw"] = std::string(record.field);
    item["value"] = nullptr;
    const medibus::CodeRow* row =
        medibus::FindRow(0, medibus::Family::kIncubator, medibus::MeaningOf(group), record.code, nullptr);
    const bool is_date = row != nullptr && row->format == medibus::Format::kDayMonth;
    Decimal number;
    if (!is_date && medibus::ReadNumber(record.field, &number) == medibus::FieldContent::kNumber) {
      item["value"] = Number(number);
    }
    if (row != nullptr) {
      item["name"] = row->name;
      item["unit"] = row->unit_text;
    }
    uint8_t day = 0;
    uint8_t month = 0;
    if (is_date && medibus::ReadDayMonth(record.field, &day, &month)) {
      item["day"] = day;
      item["month"] = month;
    }
    data["items"].push_back(item);
  }
  if (!records.leftover().empty()) data["leftover_bytes"] = records.leftover().size();
  return data;
}

Json Alarms(int page, std::string_view payload) {
  Json data = {{"type", "alarms"}, {"codepage", page}, {"items", Json::array()}};
  medibus::RecordReader records(payload, medibus::RecordKind::kAlarm);
  medibus::Record record;
  while (records.Next(&record)) {
    Json item = {{"priority_char", std::string(1, record.priority_char)},
                 {"priority", record.priority},
                 {"priority_class", PriorityClass(record.priority)}};
    AddCode(record, &item);
    item["phrase"] = std::string(medibus::Trimmed(record.field));
    data["items"].push_back(item);
  }
  if (!records.leftover().empty()) data["leftover_bytes"] = records.leftover().size();
  return data;
}

Json Texts(std::string_view payload) {
  Json data = {{"type", "text"}, {"items", Json::array()}};
  medibus::TextReader records(payload);
  medibus::Record record;
  while (records.Next(&record)) {
    Json item;
    AddCode(record, &item);
    item["text"] = std::string(record.field);
    data["items"].push_back(item);
  }
  if (!records.leftover().empty()) data["leftover_bytes"] = records.leftover().size();
  return data;
}

Json DateTime(std::string_view payload) {
  Json data = {{"type", "datetime"}, {"raw", std::string(payload)}};
  CivilTime time;
  if (medibus::ReadDateTime(payload, &time)) {
    char text[kIso8601Size + 1];
    text[FormatIso8601(CivilToUs(time), text)] = '\0';
    data["device_local"] = std::string(text).substr(0, 19);  // without the zone that it does not have
  }
  return data;
}

Json Identification(std::string_view payload) {
  Json data = {{"type", "device_id"}};
  medibus::DeviceId id;
  if (!medibus::ReadDeviceId(payload, &id)) return data;
  if (id.empty) {
    data["empty"] = true;
    return data;
  }
  data["id_number"] = std::string(id.number_text);
  data["name"] = std::string(id.name);
  data["revision_raw"] = std::string(id.revision);
  data["sw_revision"] = std::string(id.software);
  data["medibus_revision"] = std::string(id.medibus);
  return data;
}

Json RealtimeConfig(std::string_view payload) {
  Json data = {{"type", "realtime_config"}, {"items", Json::array()}};
  medibus::StreamConfigReader reader(payload);
  medibus::StreamConfig config;
  while (reader.Next(&config)) {
    data["items"].push_back({{"code", Hex(config.code)},
                             {"interval_us", config.interval_us},
                             {"min", Number(config.min)},
                             {"max", Number(config.max)},
                             {"maxbin", config.max_binary}});
  }
  return data;
}

Json Data(const OwnedFrame& frame) {
  const std::string_view payload = medibus::TextOf(frame.payload);
  if (frame.is_command) return {{"type", "command"}, {"argument_text", PayloadText(frame.payload)}};
  switch (frame.code) {
    case 0x24:
    case 0x2B:
      return Values(GroupOf(frame.code), payload, {{"type", "measured"}, {"codepage", frame.code == 0x24 ? 1 : 2}});
    case 0x25:
    case 0x2C:
      return Values(GroupOf(frame.code), payload, {{"type", "low_limits"}, {"codepage", frame.code == 0x25 ? 1 : 2}});
    case 0x26:
    case 0x2D:
      return Values(GroupOf(frame.code), payload, {{"type", "high_limits"}, {"codepage", frame.code == 0x26 ? 1 : 2}});
    case 0x29:
      return Values(Group::kSetting, payload, {{"type", "settings"}});
    case 0x27:
      return Alarms(1, payload);
    case 0x2E:
      return Alarms(2, payload);
    case 0x2A:
      return Texts(payload);
    case 0x28:
      return DateTime(payload);
    case 0x52:
      return Identification(payload);
    case 0x53:
      return RealtimeConfig(payload);
    case medibus::kNak:
      return {{"type", "nak"}};
    default:
      return {{"type", payload.empty() ? "ack" : "unknown"}};
  }
}

// Where the vector says less, or a number in another notation, the same counts as equal.
void Align(const Json& expected, Json* got) {
  if (expected.is_number() && got->is_number() && expected.get<double>() == got->get<double>()) {
    *got = expected;
  } else if (expected.is_object() && got->is_object()) {
    for (const char* optional : {"name", "unit"}) {
      if (expected.contains("raw") && !expected.contains(optional)) got->erase(optional);
    }
    if (expected.contains("leftover_bytes") && expected["leftover_bytes"].is_string() &&
        got->contains("leftover_bytes")) {
      const size_t size = expected["leftover_bytes"].get<std::string>().size();
      if ((*got)["leftover_bytes"] == size) (*got)["leftover_bytes"] = expected["leftover_bytes"];
    }
    for (const auto& [key, value] : expected.items()) {
      if (got->contains(key)) Align(value, &(*got)[key]);
    }
  } else if (expected.is_array() && got->is_array()) {
    for (size_t i = 0; i < std::min(expected.size(), got->size()); ++i) Align(expected[i], &(*got)[i]);
  }
}

}  // namespace

OwnedFrame Own(const medibus::Frame& frame) {
  return {frame.is_command,
          frame.code,
          {frame.payload.begin(), frame.payload.end()},
          {frame.raw.begin(), frame.raw.end()},
          frame.checksum_ok,
          frame.checksum_computed};
}

Group GroupOf(uint8_t code) {
  switch (code) {
    case 0x24:
      return Group::kMeasured1;
    case 0x2B:
      return Group::kMeasured2;
    case 0x25:
      return Group::kLowLimit1;
    case 0x2C:
      return Group::kLowLimit2;
    case 0x26:
      return Group::kHighLimit1;
    case 0x2D:
      return Group::kHighLimit2;
    case 0x29:
      return Group::kSetting;
    case 0x27:
      return Group::kAlarm1;
    case 0x2E:
      return Group::kAlarm2;
    case 0x2A:
      return Group::kText;
    default:
      return Group::kCountOfGroups;
  }
}

Json DescribeMedibus(const OwnedFrame& frame) {
  const std::span<const uint8_t> raw = frame.raw;
  Json json = {{"kind", frame.is_command ? "command" : "response"},
               {"code", Hex(frame.code)},
               {"payload_text", PayloadText(frame.payload)},
               {"checksum", std::string(medibus::TextOf(raw.subspan(raw.size() - 3, 2)))},
               {"checksum_ok", frame.checksum_ok}};
  if (frame.checksum_ok) {
    json["data"] = Data(frame);
  } else {
    json["checksum_expected"] = Hex(frame.checksum_computed);
  }
  return json;
}

void CompareMedibus(const Json& expected, const OwnedFrame& frame, const std::string& path, Report* report) {
  Json got = DescribeMedibus(frame);
  Align(expected, &got);
  if (!expected.contains("checksum_expected")) got.erase("checksum_expected");
  Compare(path, expected, got, report);
}

}  // namespace vesta::vectors
