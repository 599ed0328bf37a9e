// The Instant Readout vectors: adverts through the Bluetooth session, key texts, and the codes that must have names.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "protocols/ble_advert.h"
#include "protocols/victron/enums.h"
#include "protocols/victron/products.h"
#include "protocols/victron/records.h"
#include "protocols/victron/session.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

using victron::BleSession;

constexpr uint64_t kAddress = 0xC0FFEE000001;
constexpr uint16_t kCompany = 0x02E1;

struct Seen {
  bool any_frame = false;
  FrameVerdict verdict = FrameVerdict::kAccepted;
  std::string reason;
  bool is_repeat = false;
  std::map<std::string, Value> values;  // by field key, texts copied below
  std::map<std::string, std::string> texts;
  size_t devices = 0;
  std::string model;
};

class Recorder : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo& device) override {
    ++seen.devices;
    seen.model = device.model;
  }
  void OnFrame(const FrameEvent& frame) override {
    seen.any_frame = true;
    seen.verdict = frame.verdict;
    seen.reason = frame.reason;
    seen.is_repeat = frame.link.is_repeat;
    for (const Reading& reading : frame.readings) {
      const std::string key = victron::Fields()[reading.field].key;
      if (reading.value.kind() == ValueKind::kText) {
        seen.texts[key] = reading.value.text();
      } else {
        seen.values[key] = reading.value;
      }
    }
  }
  Seen seen;
};

std::vector<uint8_t> Datagram(const std::vector<uint8_t>& advertising_data, uint8_t scanner = 0) {
  ble::Advert advert;
  advert.address = kAddress;
  advert.rssi_dbm = -60;
  advert.scanner = scanner;
  advert.data = advertising_data;
  std::vector<uint8_t> bytes(ble::kMaxAdvertSize);
  bytes.resize(ble::WriteAdvert(advert, bytes));
  return bytes;
}

std::vector<uint8_t> Element(const std::vector<uint8_t>& manufacturer_data) {
  std::vector<uint8_t> element;
  element.push_back(static_cast<uint8_t>(manufacturer_data.size() + 3));
  element.push_back(ble::kTypeManufacturer);
  element.push_back(kCompany & 0xFF);
  element.push_back(kCompany >> 8);
  for (const uint8_t byte : manufacturer_data) element.push_back(byte);
  return element;
}

std::unique_ptr<victron::KeyRing> RingOf(const Json& key_hex) {
  auto ring = std::make_unique<victron::KeyRing>();
  if (key_hex.is_string()) {
    const victron::KeyText key = victron::ParseKeyText(key_hex.get<std::string>());
    if (key.result == victron::KeyTextResult::kOk) ring->SetKey(kAddress, key.key);
  }
  return ring;
}

Seen Hear(const Json& key_hex, const std::vector<uint8_t>& advertising_data) {
  const auto ring = RingOf(key_hex);
  BleSession session(ring.get());
  Recorder recorder;
  const Now now;
  session.Receive(Datagram(advertising_data), now, recorder);
  return recorder.seen;
}

// What a plain record says by itself.
Seen Decode(uint16_t type, const std::vector<uint8_t>& payload) {
  victron::FieldMemory memory;
  victron::ReadingWriter writer;
  writer.Start(0, {0, TimeQuality::kHubNotSynchronised}, &memory);
  victron::DecodeRecord(type, victron::LoadRecord(payload), writer);
  Recorder recorder;
  FrameEvent frame;
  frame.readings = writer.readings();
  recorder.OnFrame(frame);
  return recorder.seen;
}

void ExpectSame(const Seen& plain, Seen heard, Report* report) {
  heard.values.erase("rssi");
  if (plain.texts != heard.texts) report->Differ("texts", std::to_string(plain.texts.size()), "others");
  if (plain.values.size() != heard.values.size()) {
    report->Differ("values", std::to_string(plain.values.size()), std::to_string(heard.values.size()));
  }
  for (const auto& [key, value] : plain.values) {
    const auto found = heard.values.find(key);
    if (found == heard.values.end() || !(found->second == value)) report->Differ(key, "the payload's", "another");
  }
}

// The vectors' name of a field -> the key in the field table.
std::string KeyOf(uint64_t type, const std::string& name) {
  static const std::map<std::pair<uint64_t, std::string>, std::string> kByType = {
      {{0x00, "temperature"}, "device_temperature"},
      {{0x02, "temperature"}, "battery_temperature"},
      {{0x03, "ac_current"}, "ac_out_current"},
      {{0x03, "ac_voltage"}, "ac_out_voltage"},
      {{0x03, "ac_apparent_power"}, "ac_out_apparent_power"},
      {{0x08, "temperature"}, "battery_temperature"},
      {{0x08, "ac_current"}, "ac_in_current"},
      {{0x08, "output1_voltage"}, "battery_voltage"},
      {{0x08, "output1_current"}, "battery_current"},
      {{0x08, "output2_voltage"}, "output_2_voltage"},
      {{0x08, "output2_current"}, "output_2_current"},
      {{0x08, "output3_voltage"}, "output_3_voltage"},
      {{0x08, "output3_current"}, "output_3_current"},
      {{0x09, "device_state"}, "protect_state"},
      {{0x09, "error_code"}, "charger_error"},
      {{0x0C, "alarm"}, "vebus_alarm"},
      {{0x0D, "temperature"}, "battery_temperature"},
      {{0xFF01, "error_code"}, "solarsense_error"},
      {{0xFF01, "battery_voltage"}, "sensor_battery_voltage"},
      {{0xFF01, "tx_power_dbm"}, "tx_power"},
  };
  const auto found = kByType.find({type, name});
  return found == kByType.end() ? name : found->second;
}

std::string Joined(uint32_t bits, const std::map<uint32_t, std::string>& names) {
  std::string text;
  for (uint32_t bit = 0; bit < 32; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    const auto found = names.find(bit);
    text += found == names.end() ? "bit_" + std::to_string(bit) : found->second;
  }
  return text.empty() ? "none" : text;
}

std::map<uint32_t, std::string> NamesOf(std::span<const StateName> states) {
  std::map<uint32_t, std::string> names;
  for (const StateName& state : states) names[state.code] = state.name;
  return names;
}

void ExpectText(const Seen& seen, const std::string& key, const std::string& expected, Report* report) {
  const auto found = seen.texts.find(key);
  const std::string got = found == seen.texts.end() ? "nothing" : found->second;
  if (got != expected) report->Differ(key, expected, got);
}

void ExpectFlag(const Seen& seen, const std::string& key, bool expected, Report* report) {
  const auto found = seen.values.find(key);
  const bool is_there = found != seen.values.end() && found->second.kind() == ValueKind::kState;
  if (!is_there || found->second.state() != (expected ? 1u : 0u)) {
    report->Differ(key, expected ? "on" : "off", is_there ? std::to_string(found->second.state()) : "nothing");
  }
}

// Bit fields have become texts and flags. False when `name` is not one.
bool CheckBits(const std::string& name, const Json& expected, const Seen& seen, Report* report) {
  static const std::map<std::string, std::pair<std::string, std::span<const StateName>>> kTexts = {
      {"alarm_reason", {"alarm_reason", victron::kAlarmReasonBits}},
      {"warning_reason", {"warning_reason", victron::kAlarmReasonBits}},
      {"off_reason", {"off_reason", victron::kOffReasonBits}},
      {"bms_flags", {"bms_status", victron::kBmsFlagBits}},
      {"smartlithium_error", {"smartlithium_error", victron::kSmartlithiumErrorBits}},
  };
  if (const auto text = kTexts.find(name); text != kTexts.end()) {
    const uint32_t bits = expected.get<uint32_t>();
    ExpectText(seen, text->second.first, Joined(bits, NamesOf(text->second.second)), report);
    if (name == "alarm_reason") ExpectFlag(seen, "alarm", bits != 0, report);
    if (name == "bms_flags") ExpectFlag(seen, "charging_allowed", (bits >> 25 & 1) != 0, report);
    return true;
  }
  if (name == "io_status") {
    const char* const kFlags[] = {"contactor_closed", "charging_allowed", "discharging_allowed",        "relay",
                                  "aux_output",       "remote_enabled",   "alternator_charging_allowed"};
    uint32_t bits = expected.get<uint32_t>();
    for (const char* flag : kFlags) {
      if ((bits & 3) == 1 || (bits & 3) == 2) ExpectFlag(seen, flag, (bits & 3) == 1, report);
      bits >>= 2;
    }
    return true;
  }
  if (name == "warnings_alarms") {
    uint32_t alarms = 0;
    uint32_t warnings = 0;
    for (uint32_t n = 0; n < 9; ++n) {
      const uint32_t code = expected.get<uint32_t>() >> (2 * n) & 3;
      if (code == 3) alarms |= 1u << n;
      if (code == 2) warnings |= 1u << n;
    }
    ExpectText(seen, "alarm_reason", Joined(alarms, NamesOf(victron::kBmsWarningFields)), report);
    ExpectText(seen, "warning_reason", Joined(warnings, NamesOf(victron::kBmsWarningFields)), report);
    return true;
  }
  return false;
}

void CheckField(uint64_t type, const std::string& name, const Json& expected, bool ambiguous, const Seen& seen,
                Report* report) {
  if (CheckBits(name, expected, seen, report)) return;
  if (name.ends_with("_range")) {
    // A cell at an end of the scale; the product says it once for all cells.
    const auto range = seen.values.find("cell_range");
    const uint32_t bit = expected == "below" ? 1 : 2;
    if (range == seen.values.end() || (range->second.state() & bit) == 0) report->Differ(name, expected, "in range");
    return;
  }
  const std::string key = KeyOf(type, name);
  if (victron::FindField(key) == victron::kNoField) return report->Differ(name, "a field", "none by that name");
  const auto found = seen.values.find(key);
  const bool has_value = found != seen.values.end() && !found->second.is_none();
  if (expected.is_null()) {
    if (has_value && !ambiguous) report->Differ(name, "not available", std::to_string(found->second.ToDouble()));
    return;
  }
  if (!has_value) {
    if (!ambiguous) report->Differ(name, Shown(expected), "not available");
    return;
  }
  if (found->second.kind() == ValueKind::kState) {
    const uint32_t mask = name == "monitor_mode" ? 0xFFFF : 0xFFFFFFFF;
    if (found->second.state() != (static_cast<uint32_t>(expected.get<int64_t>()) & mask)) {
      report->Differ(name, Shown(expected), std::to_string(found->second.state()));
    }
    return;
  }
  constexpr double kTolerance = 1e-9;  // decimals are exact
  if (std::abs(found->second.ToDouble() - expected.get<double>()) > kTolerance) {
    report->Differ(name, Shown(expected), std::to_string(found->second.ToDouble()));
  }
}

void RunRecord(const Json& vector, Report* report) {
  const Json& expected = vector["expected"];
  const uint64_t type = expected["record_type"];
  const Seen seen = Hear(vector["key_hex"], Element(FromHex(vector["advert_hex"].get<std::string>())));
  if (!expected["decoded"].get<bool>()) {
    if (seen.reason != "unknown_type") report->Differ("reason", "unknown_type", seen.reason);
    return;
  }
  if (!seen.any_frame || seen.verdict != FrameVerdict::kAccepted) report->Differ("verdict", "accepted", seen.reason);
  const victron::Product* product = victron::FindProduct(expected["product_id"].get<uint16_t>());
  const std::string model = product == nullptr ? "" : product->name;
  if (seen.model != model) report->Differ("model", model, seen.model);
  const Json ambiguous = vector.value("ambiguous_fields", Json::array());
  for (const auto& [name, value] : expected["fields"].items()) {
    const bool is_ambiguous = std::find(ambiguous.begin(), ambiguous.end(), name) != ambiguous.end();
    CheckField(type, name, value, is_ambiguous, seen, report);
  }
  ExpectSame(Decode(static_cast<uint16_t>(type), FromHex(vector["payload_hex"].get<std::string>())), seen, report);
}

void CheckStatus(const std::string& status, const Seen& seen, Report* report) {
  // VE.Smart shares the company: no Instant Readout, but told as of a network whose key is not known.
  const bool is_network = seen.reason == vesmart::OutcomeName(vesmart::Outcome::kForeignGroup);
  const std::string got = !seen.any_frame || is_network             ? "ignored"
                          : seen.verdict == FrameVerdict::kAccepted ? "ok"
                          : seen.reason == "instant_readout_off"    ? "presence_only"
                          : seen.reason == "short"                  ? "malformed"
                                                                    : seen.reason;
  const bool holds = status == "ok_or_rejected"         ? seen.any_frame
                     : status == "ignored_or_malformed" ? got == "ignored" || got == "malformed"
                                                        : got == status;
  if (!holds) report->Differ("status", status, got);
}

void RunSingle(const Json& vector, const std::vector<uint8_t>& advertising_data, Report* report) {
  const Json& expected = vector["expected"];
  const std::string status = expected["status"];
  const Seen seen = Hear(vector["key_hex"], advertising_data);
  CheckStatus(status, seen, report);
  if (expected.contains("model_name") && expected["model_name"].is_null() && !seen.model.empty()) {
    report->Differ("model", "none", seen.model);
  }
  if (expected.contains("fields_all_null")) {
    for (const auto& [key, value] : seen.values) {
      if (key != "rssi" && !value.is_none()) report->Differ(key, "not available", "a value");
    }
  }
  const std::string payload = expected.value("payload_hex", expected.value("payload_first_16_hex", std::string()));
  if (status == "ok" && !payload.empty()) {
    ExpectSame(Decode(expected["record_type"].get<uint16_t>(), FromHex(payload)), seen, report);
  }
}

void RunSequence(const Json& vector, Report* report) {
  const auto ring = RingOf(vector["key_hex"]);
  BleSession session(ring.get());
  std::map<std::string, uint8_t> scanners;
  for (const Json& step : vector["steps"]) {
    const auto scanner = scanners.emplace(step["adapter"].get<std::string>(), scanners.size()).first->second;
    Recorder recorder;
    Now now;
    now.monotonic_us = step["t_ms"].get<int64_t>() * kUsPerMs;
    const victron::BleCounters before = session.counters();
    session.Receive(Datagram(Element(FromHex(step["advert_hex"].get<std::string>())), scanner), now, recorder);
    const victron::BleCounters& after = session.counters();
    const Seen& seen = recorder.seen;
    const std::string got = after.repeats > before.repeats                                    ? "repeat"
                            : after.old > before.old                                          ? "old"
                            : seen.verdict == FrameVerdict::kAccepted && !seen.values.empty() ? "new"
                                                                                              : seen.reason;
    if (got != step["expect"]) report->Differ("step at " + Shown(step["t_ms"]), Shown(step["expect"]), got);
    if (seen.is_repeat == (got == "new")) report->Differ("is_repeat", got, "the other way round");
    if (got != "new" && !seen.values.empty()) report->Differ("readings of a copy", "none", "some");
  }
}

void RunKeyText(const Json& vector, Report* report) {
  const victron::KeyText key = victron::ParseKeyText(vector["key_hex"].get<std::string>());
  const bool valid = key.result == victron::KeyTextResult::kOk;
  if (valid != vector["expected"]["key_valid"].get<bool>()) report->Differ("key_valid", valid ? "false" : "true", "");
}

bool IsAdvertFile(const Json& json) {
  return json.is_array() && !json.empty() && json[0].is_object() && json[0].contains("advert_hex");
}
bool IsEnumFile(const Json& json) { return json.is_object() && json.contains("device_state"); }

void RunEnums(const Json& json, Results* results) {
  // The bits of the capabilities register are not shown, so they have no names here.
  static const std::map<std::string, std::span<const StateName>> kTables = {
      {"device_state", victron::kDeviceStates},
      {"charger_error", victron::kChargerErrors},
      {"alarm_reason", victron::kAlarmReasonBits},
      {"off_reason", victron::kOffReasonBits},
      {"aux_mode", victron::kAuxModes},
      {"active_ac_in", victron::kActiveAcIns},
      {"vebus_alarm", victron::kVebusAlarms},
      {"monitor_mode", victron::kMonitorModes},
      {"balancer_status", victron::kBalancerStatuses},
      {"output_state", victron::kOutputStates},
      {"bms_flags", victron::kBmsFlagBits},
      {"smartlithium_error", victron::kSmartlithiumErrorBits},
      {"bms_error", victron::kBmsErrors},
      {"vebus_error", victron::kVebusErrors},
      {"bms_io_fields", victron::kBmsIoFields},
      {"bms_warnings_alarms_fields", victron::kBmsWarningFields},
      {"device_mode", victron::kDeviceModes},
      {"mppt_tracker_mode", victron::kTrackerModes},
      {"network_mode", victron::kNetworkModeBits},
      {"network_info", victron::kNetworkInfoBits},
      {"load_off_reason", victron::kLoadOffReasonBits},
  };
  const std::set<std::string> kNameless = {"not available", "reserved", "(unnamed)"};
  for (const auto& [name, list] : json.items()) {
    if (name == "capabilities") continue;
    Report* report = results->Add(name);
    const auto table = kTables.find(name);
    if (table == kTables.end()) {
      report->Differ(name, "a table of names", "none");
      continue;
    }
    for (const auto& [code, text] : list["values"].items()) {
      int64_t number = std::stol(code);
      if (list["kind"] == "2bit_start") number /= 2;
      const bool has_name = !FindStateName(table->second, static_cast<uint32_t>(number) & 0xFFFF).empty();
      const bool needs_name = kNameless.count(text.get<std::string>()) == 0;
      if (has_name != needs_name) report->Differ(code, needs_name ? text.get<std::string>() : "no name", "otherwise");
    }
  }
}

}  // namespace

bool ClaimsVictron(const VectorFile& file) { return IsAdvertFile(file.json) || IsEnumFile(file.json); }

void RunVictron(const VectorFile& file, Results* results) {
  if (IsEnumFile(file.json)) return RunEnums(file.json, results);
  for (const Json& vector : file.json) {
    Report* report = results->Add(vector["name"]);
    const std::string kind = vector.value("kind", std::string("record"));
    if (kind == "record") {
      RunRecord(vector, report);
    } else if (kind == "single") {
      RunSingle(vector, Element(FromHex(vector["advert_hex"].get<std::string>())), report);
    } else if (kind == "ad_structures") {
      RunSingle(vector, FromHex(vector["ad_hex"].get<std::string>()), report);
    } else if (kind == "sequence") {
      RunSequence(vector, report);
    } else if (kind == "key_text") {
      RunKeyText(vector, report);
    } else {
      report->Differ("kind", "a known one", kind);
    }
  }
}

}  // namespace vesta::vectors
