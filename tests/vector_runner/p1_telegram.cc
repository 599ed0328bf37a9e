#include "tests/vector_runner/p1_telegram.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "protocols/p1/crc16.h"
#include "protocols/p1/text.h"

namespace vesta::vectors {
namespace {

using p1::Channel;
using p1::ChannelReading;
using p1::Content;
using p1::Scalar;
using p1::ScalarKind;
using p1::Stamp;
using p1::StampStatus;

// Fields that the vectors' writers had no name for.
constexpr std::string_view kBeyondVectors[] = {"power_import_average",
                                               "power_absolute_average",
                                               "power_net_average",
                                               "power_factor_min",
                                               "demand_period",
                                               "current_transformer_ratio",
                                               "voltage_transformer_ratio",
                                               "demand_import_last",
                                               "demand_export_last",
                                               "reactive_demand_import_last",
                                               "reactive_demand_export_last",
                                               "apparent_demand_import_last",
                                               "apparent_demand_export_last",
                                               "voltage_sag_duration_l1",
                                               "voltage_sag_duration_l2",
                                               "voltage_sag_duration_l3",
                                               "voltage_sag_magnitude_l1",
                                               "voltage_sag_magnitude_l2",
                                               "voltage_sag_magnitude_l3",
                                               "voltage_swell_duration_l1",
                                               "voltage_swell_duration_l2",
                                               "voltage_swell_duration_l3",
                                               "voltage_swell_magnitude_l1",
                                               "voltage_swell_magnitude_l2",
                                               "voltage_swell_magnitude_l3"};

Json Latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<uint8_t>(c);
    if (b < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | b >> 6));
      out.push_back(static_cast<char>(0x80 | (b & 0x3F)));
    }
  }
  return out;
}

Json OrNull(std::string_view text) { return text.empty() ? Json(nullptr) : Latin1(text); }

const char* StatusName(StampStatus status) {
  switch (status) {
    case StampStatus::kOk:
      return "ok";
    case StampStatus::kPlaceholder:
      return "placeholder";
    case StampStatus::kInvalid:
      return "invalid";
    case StampStatus::kAmbiguous:
      return "ambiguous";
    case StampStatus::kNonexistent:
      return "nonexistent";
  }
  return "";
}

Json Dst(const Stamp& stamp) { return stamp.letter == 0 ? Json(nullptr) : Json(stamp.letter == 'S'); }

Json ShortStamp(std::string_view raw, const Stamp& stamp) {
  return {{"raw", Latin1(raw)}, {"utc", UtcText(stamp.utc_us)}, {"status", StatusName(stamp.status)}};
}

std::string UpperHex(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
  return out;
}

Json TextOfHex(std::string_view hex) {
  if (!p1::IsPrintableHex(hex)) return nullptr;
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out.push_back(static_cast<char>(p1::HexByte(hex.data() + i)));
  return out;
}

Json IdOf(const p1::ObisRow* row, std::string_view raw, const p1::TimeRules& rules) {
  const Scalar scalar = p1::Classify(row, raw, rules);
  Json text = nullptr;
  if (scalar.kind == ScalarKind::kOctets) text = TextOfHex(scalar.text);
  if (scalar.kind == ScalarKind::kText) text = Latin1(scalar.text);
  return {{"raw", Latin1(raw)}, {"text", text}};
}

Json ValueJson(const Scalar& s) {
  Json v = {{"raw", Latin1(s.raw)}};
  switch (s.kind) {
    case ScalarKind::kEmpty:
      v["kind"] = "empty";
      break;
    case ScalarKind::kNumber:
      v["kind"] = "number";
      v["num"] = DecimalText(s.number);
      v["unit"] = OrNull(s.unit);
      break;
    case ScalarKind::kStamp:
      v["kind"] = "timestamp";
      if (s.stamp.well_formed) v["dst"] = Dst(s.stamp);
      v["status"] = StatusName(s.stamp.status);
      v["utc"] = UtcText(s.stamp.utc_us);
      if (s.stamp.status == StampStatus::kAmbiguous || s.stamp.status == StampStatus::kNonexistent) {
        v["utc_alternative"] = UtcText(s.stamp.utc_alternative_us);
      }
      break;
    case ScalarKind::kOctets:
      v["kind"] = "octets";
      v["hex"] = UpperHex(s.text);
      v["text"] = TextOfHex(s.text);
      break;
    case ScalarKind::kObis:
      v["kind"] = "obis";
      break;
    case ScalarKind::kText:
      v["kind"] = "text";
      v["text"] = Latin1(s.text);
      break;
  }
  return v;
}

Json Objects(std::string_view body, const p1::TimeRules& rules, Json* messages) {
  Json objects = Json::array();
  p1::Tokenizer tokenizer(body);
  p1::Object object;
  *messages = Json::object();
  while (tokenizer.Next(&object)) {
    const std::string code(object.code, object.code_size);
    Json o = {{"obis", code}, {"line", object.line}};
    if (object.sixth_group >= 0) o["f"] = object.sixth_group;
    Json values = Json::array();
    p1::GroupCursor cursor(object.groups);
    std::string_view raw;
    while (cursor.Next(&raw)) values.push_back(ValueJson(p1::Classify(object.row, raw, rules)));
    if (code.rfind("0-0:96.13.", 0) == 0 && !values.empty() && values[0]["kind"] != "empty") {
      const Json hex = values[0].contains("hex") ? values[0]["hex"] : Json(nullptr);
      (*messages)[code] = {{"hex", hex}, {"text", values[0]["text"]}};
    }
    o["values"] = values;
    objects.push_back(o);
  }
  return objects;
}

Json ReadingJson(const ChannelReading& r) {
  Json j = {{"obis", std::string(r.row->text)}};
  if (r.stamped) j["timestamp"] = ShortStamp(r.stamp_raw, r.stamp);
  j["value"] = r.has_value ? Json(DecimalText(r.value)) : Json(nullptr);
  j["unit"] = OrNull(p1::WireUnit(r.unit));
  j["usable"] = r.usable;
  if (r.unit_inferred) j["unit_inferred"] = true;
  if (r.row->role == p1::Role::kChannelProfile) {
    j["status_bits"] = std::string(r.status);
    j["period_min"] = r.period_min;
    j["count"] = r.count;
    j["source_obis"] = std::string(r.source);
  }
  return j;
}

Json Channels(const Content& c, const p1::TimeRules& rules) {
  Json channels = Json::array();
  for (size_t i = 0; i < c.channels.size(); ++i) {
    const Channel& channel = c.channels[i];
    if (!channel.seen) continue;
    Json j = {{"channel", i + 1}};
    j["device_type"] = channel.device_type < 0 ? Json(nullptr) : Json(channel.device_type);
    Json name = nullptr;
    if (channel.device_type >= 0) {
      const Field& field = p1::Fields()[p1::kKnown.device_type];
      std::string text(FindStateName(field.states, static_cast<uint32_t>(channel.device_type)));
      std::replace(text.begin(), text.end(), '_', '-');
      name = text;
    }
    j["device_type_name"] = name;
    const p1::ObisRow* id_row = p1::FindObis("0-1:96.1.0");
    j["equipment_id"] = channel.id_seen ? IdOf(id_row, channel.id, rules) : Json(nullptr);
    j["readings"] = Json::array();
    for (size_t r = 0; r < channel.reading_count; ++r) j["readings"].push_back(ReadingJson(channel.readings[r]));
    if (channel.switch_state >= 0) j["switch_state"] = channel.switch_state;
    if (channel.contract_seen) j["contract_id"] = IdOf(id_row, channel.contract, rules);
    if (channel.valve >= 0) j["valve_state"] = channel.valve;
    channels.push_back(j);
  }
  return channels;
}

Json FieldsJson(const Content& c) {
  Json fields = Json::object();
  for (size_t i = 0; i < c.number_count; ++i) {
    const Reading& r = c.numbers[i];
    const Field& field = p1::Fields()[r.field];
    std::string key = field.key;
    if (key.rfind("limiter_threshold", 0) == 0) key = "limiter_threshold";
    Json j = Json::object();
    if (r.value.kind() == ValueKind::kState) {
      const bool digit = !c.breaker_raw.empty() && p1::IsDigit(c.breaker_raw.front());
      if (digit) {
        j["value"] = std::to_string(r.value.state());
      } else {
        j["text"] = std::string(c.breaker_raw);
      }
    } else {
      j["value"] = DecimalText(r.value.decimal());
    }
    if (!p1::WireUnit(field.unit).empty()) j["unit"] = std::string(p1::WireUnit(field.unit));
    fields[key] = j;
  }
  return fields;
}

Json VersionJson(const Content& c) {
  if (!c.version.empty()) {
    Json dsmr = nullptr;
    if (c.version.size() == 2 && p1::IsDigit(c.version[0])) {
      dsmr = std::string(1, c.version[0]) + "." + std::string(1, c.version[1]);
    }
    return {{"obis", "1-3:0.2.8"}, {"raw", std::string(c.version)}, {"dsmr", dsmr}};
  }
  if (c.emucs_version.empty()) return nullptr;
  const std::string_view raw = c.emucs_version;
  const Json text = p1::IsHex(raw) ? TextOfHex(raw) : Latin1(raw);
  return {{"obis", "0-0:96.1.4"}, {"raw", std::string(raw)}, {"text", text}, {"dsmr", nullptr}};
}

Json TariffJson(const Content& c, const Json& rule) {
  if (!c.tariff.seen) return nullptr;
  Json meaning = nullptr;
  if (rule.is_string() && (c.tariff.number == 1 || c.tariff.number == 2)) {
    meaning = (c.tariff.number == 1) == (rule == "nl") ? "low" : "normal";
  }
  return {{"raw", Latin1(c.tariff.raw)}, {"number", c.tariff.number}, {"meaning", meaning}};
}

Json FailureLogJson(const Content& c, const p1::TimeRules& rules) {
  if (!c.failure_log_seen) return nullptr;
  p1::FailureLogCursor cursor(c.failure_log, rules);
  Json j = {{"declared", cursor.declared() < 0 ? Json(nullptr) : Json(cursor.declared())}, {"entries", Json::array()}};
  p1::FailureEntry entry;
  while (cursor.Next(&entry)) {
    j["entries"].push_back(
        {{"end", ShortStamp(entry.end_raw, entry.end)}, {"duration_s", DecimalText(entry.duration_s)}});
  }
  return j;
}

Json HistoryJson(const Content& c, const p1::TimeRules& rules) {
  if (!c.history_seen) return nullptr;
  p1::HistoryCursor cursor(c.history, rules);
  Json j = {{"declared", cursor.declared() < 0 ? Json(nullptr) : Json(cursor.declared())},
            {"columns", Json::array()},
            {"entries", Json::array()}};
  for (size_t i = 0; i < cursor.column_count(); ++i) j["columns"].push_back(std::string(cursor.column(i)));
  p1::HistoryEntry e;
  while (cursor.Next(&e)) {
    j["entries"].push_back({{"month_end", ShortStamp(e.month_raw, e.month_end)},
                            {"peak_at", ShortStamp(e.peak_raw, e.peak_at)},
                            {"value", DecimalText(e.value)},
                            {"unit", OrNull(p1::WireUnit(e.unit))}});
  }
  return j;
}

Json DemandMaxJson(const Content& c) {
  const p1::DemandMax& max = c.demand_max[0];
  if (!max.seen) return nullptr;
  return {{"at", ShortStamp(max.stamp_raw, max.stamp)},
          {"value", DecimalText(max.value)},
          {"unit", OrNull(p1::WireUnit(max.unit))}};
}

std::string Hex4(uint16_t crc) {
  char text[8];
  std::snprintf(text, sizeof(text), "%04X", crc);
  return text;
}

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Json CrcJson(std::string_view raw, size_t end_mark, bool complete, uint32_t* anomalies) {
  if (!complete) return {{"given", nullptr}, {"computed", nullptr}, {"state", "absent"}};
  const std::string given(raw.substr(end_mark + 1));
  const std::string computed = Hex4(p1::Crc16Arc(AsBytes(raw.substr(0, end_mark + 1))));
  if (given.empty()) return {{"given", nullptr}, {"computed", computed}, {"state", "absent"}};
  if (given != UpperHex(given)) *anomalies |= p1::kCrcLowerCase;
  if (given.size() < 4) *anomalies |= p1::kCrcUnpadded;
  const bool same = std::stoul(given, nullptr, 16) == std::stoul(computed, nullptr, 16);
  return {{"given", given}, {"computed", computed}, {"state", same ? "ok" : "mismatch"}};
}

Json Anomalies(uint32_t set, bool followed_by_junk) {
  std::vector<std::string> names;
  for (int i = 0; i < p1::kAnomalyCount; ++i) {
    if ((set & 1u << i) != 0) names.emplace_back(p1::AnomalyName(1u << i));
  }
  if (followed_by_junk) names.emplace_back("bytes-after-crc");
  std::sort(names.begin(), names.end());
  return names;
}

// The decoder may look a little beyond the end: a copy with room behind it.
std::unique_ptr<Content> Decode(std::string_view body, const p1::TimeRules& rules, std::string* storage) {
  constexpr size_t kRoom = 64;
  *storage = std::string(body);
  storage->append(kRoom, '\0');
  auto content = std::make_unique<Content>();
  const p1::Decoder decoder(rules);
  decoder.Decode(std::string_view(*storage).substr(0, body.size()), storage->data() + storage->size(), content.get(),
                 nullptr);
  decoder.ExamineLists(content.get());
  return content;
}

}  // namespace

std::string DecimalText(Decimal decimal) {
  char text[kDecimalTextSize];
  return std::string(text, FormatDecimal(decimal, text));
}

Json UtcText(UtcUs us) {
  if (us == kNoTime) return nullptr;
  char text[kIso8601Size];
  return std::string(text, FormatIso8601(us, text));
}

std::string HexOf(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

bool SameDecimal(const std::string& a, const std::string& b) {
  Decimal x;
  Decimal y;
  return ParseDecimal(a, &x) && ParseDecimal(b, &y) && x == y;
}

Json DescribeTelegram(const TelegramView& view, const p1::TimeRules& rules, const Json& tariff_rule) {
  const size_t end_mark = view.complete ? p1::FindEndMark(view.raw) : view.raw.size();
  const std::string_view body = view.raw.substr(0, end_mark);
  std::string storage;
  const std::unique_ptr<Content> content = Decode(body, rules, &storage);
  const Content& c = *content;
  uint32_t anomalies = c.anomalies;
  if (view.complete && !body.empty() && body.back() == ')') anomalies |= p1::kEndMarkOnDataLine;
  Json t;
  t["offset"] = view.offset;
  t["complete"] = view.complete;
  t["length"] = view.raw.size();
  t["line_ending"] = (anomalies & p1::kLineEnding) != 0 ? "LF" : "CRLF";
  t["header"] = {{"raw", Latin1(c.header.raw)},
                 {"flag", Latin1(c.header.flag)},
                 {"baud_char", Latin1({&c.header.baud, 1})},
                 {"ident", Latin1(c.header.ident)}};
  t["crc"] = CrcJson(view.raw, end_mark, view.complete, &anomalies);
  Json messages;
  t["objects"] = Objects(body, rules, &messages);
  t["version"] = VersionJson(c);
  t["timestamp"] = nullptr;
  if (c.clock_seen) {
    t["timestamp"] = ShortStamp(c.clock_raw, c.clock);
    t["timestamp"]["dst"] = Dst(c.clock);
  }
  t["equipment_id"] = nullptr;
  if (!c.equipment_id.empty()) {
    const p1::ObisRow* row = p1::FindObis(c.id_rank > 1 ? "0-0:96.1.1" : "1-0:0.0.0");
    t["equipment_id"] = IdOf(row, c.equipment_id, rules);
  }
  t["fields"] = FieldsJson(c);
  t["mbus"] = Channels(c, rules);
  t["power_failure_log"] = FailureLogJson(c, rules);
  t["demand_history"] = HistoryJson(c, rules);
  t["demand_max_month"] = DemandMaxJson(c);
  t["messages"] = messages;
  t["tariff"] = TariffJson(c, tariff_rule);
  t["anomalies"] = Anomalies(anomalies, view.followed_by_junk);
  return t;
}

Json DescribeForStream(std::string_view raw, const p1::TimeRules& rules) {
  const size_t end_mark = p1::FindEndMark(raw);
  std::string storage;
  const std::unique_ptr<Content> content = Decode(raw.substr(0, end_mark), rules, &storage);
  const Content& c = *content;
  Json j;
  j["crc"] = std::string(raw.substr(std::min(raw.size(), end_mark + 1)));
  j["utc"] = c.clock_seen ? UtcText(c.clock.utc_us) : Json(nullptr);
  constexpr std::array<std::array<std::string_view, 2>, 6> kNames = {{{"energy_import_t1", "import_t1_kwh"},
                                                                      {"energy_import_t2", "import_t2_kwh"},
                                                                      {"energy_export_t1", "export_t1_kwh"},
                                                                      {"energy_export_t2", "export_t2_kwh"},
                                                                      {"power_import", "power_import_kw"},
                                                                      {"power_export", "power_export_kw"}}};
  for (size_t i = 0; i < c.number_count; ++i) {
    for (const auto& name : kNames) {
      if (p1::Fields()[c.numbers[i].field].key != name[0]) continue;
      j[std::string(name[1])] = DecimalText(c.numbers[i].value.decimal());
    }
  }
  for (size_t i = 0; i < c.channels.size(); ++i) {
    for (size_t r = 0; r < c.channels[i].reading_count; ++r) {
      const ChannelReading& reading = c.channels[i].readings[r];
      if (!reading.usable) continue;
      j["mbus"].push_back(
          {i + 1, UtcText(reading.stamp.utc_us), DecimalText(reading.value), std::string(p1::WireUnit(reading.unit))});
    }
  }
  if (!c.equipment_id.empty()) j["equipment_id"] = std::string(c.equipment_id);
  if (c.demand_max[0].seen) j["demand_max_month_kw"] = DecimalText(c.demand_max[0].value);
  return j;
}

void CheckFieldsBeyondVectors(const Json& expected_objects, Json* got_fields, const std::string& path, Report* report) {
  for (const std::string_view key : kBeyondVectors) {
    const std::string name(key);
    if (!got_fields->contains(name)) continue;
    const std::string value = (*got_fields)[name].at("value");
    bool found = false;
    for (const Json& object : expected_objects) {
      const p1::ObisRow* row = p1::FindObis(object.at("obis").get<std::string>());
      if (row == nullptr || row->field != p1::FindField(key)) continue;
      for (const Json& v : object.at("values")) {
        if (v.at("kind") != "number") continue;
        Decimal number;
        ParseDecimal(v.at("num").get<std::string>(), &number);
        const p1::UnitScale scale = p1::FindUnit(v.at("unit").is_string() ? v.at("unit").get<std::string>() : "");
        if (SameDecimal(DecimalText(Scale(number, scale.power)), value)) found = true;
      }
    }
    if (!found) report->Differ(path + "." + name, "the number of its object", value);
    got_fields->erase(name);
  }
}

}  // namespace vesta::vectors
