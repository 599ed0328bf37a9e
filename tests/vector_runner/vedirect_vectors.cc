// VE.Direct: streams of text and HEX in any chunks through the session, and HEX frames one by one, both ways.
//
// vedirect-text.json and vedirect-hex.json, whose shapes tests/vectors/victron/README.md describes.
#include <cinttypes>
#include <cmath>
#include <cstdlib>
#include <string>

#include "protocols/vedirect/firmware.h"
#include "protocols/vedirect/hex.h"
#include "protocols/vedirect/labels.h"
#include "protocols/vedirect/records.h"
#include "protocols/vedirect/session.h"
#include "protocols/victron/registers.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

using vedirect::HexEnd;
using vedirect::HexFrame;
using vedirect::HexProblem;
using vedirect::LabelForm;

std::string TextOf(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string LowerHex(Bytes bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

bool Near(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return std::abs(a.get<double>() - b.get<double>()) < 1e-6;
  return a == b;
}

void Expect(const std::string& path, const Json& expected, const Json& got, Report* report) {
  if (!Near(expected, got)) report->Differ(path, Shown(expected), Shown(got));
}

// A label's value in the shape of the vectors' `parsed`.
Json Parsed(std::string_view label, std::string_view text) {
  const vedirect::LabelRow* row = vedirect::FindLabel(label);
  Value value;
  if (row == nullptr) return std::string(text);
  if (!vedirect::ReadLabelValue(*row, text, &value)) return "unreadable";
  std::array<char, vedirect::kFirmwareTextSize> version;
  if (row->form == LabelForm::kFirmware) return std::string(vedirect::FirmwareOfLabel(text, version));
  if (row->form == LabelForm::kFirmwareExtended) return std::string(vedirect::FirmwareOfExtendedLabel(text, version));
  if (value.is_none()) return nullptr;
  if (row->form == LabelForm::kOnOff) return value.state() == 1;
  if (row->form == LabelForm::kSignedState) return static_cast<int16_t>(value.state());
  if (value.kind() == ValueKind::kText) return std::string(value.text());
  // The table keeps charges drawn positive; the vectors have the sign of the wire.
  if (row->form == LabelForm::kDrawn && text.front() == '-') return -value.ToDouble();
  return value.ToDouble();
}

class EventLog final : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override { ++devices; }
  void OnFrame(const FrameEvent& frame) override {
    const bool is_hex = !frame.raw.empty() && frame.raw[0] == ':';
    Json event;
    event["type"] = is_hex ? "hex" : "text";
    const bool accepted = frame.verdict == FrameVerdict::kAccepted;
    if (is_hex) {
      event["frame"] = TextOf(frame.raw);
      if (!accepted) event["reason"] = frame.reason;
    } else {
      event["checksum_ok"] = accepted;
      if (accepted) AddFields(TextOf(frame.raw), frame.readings, &event);
    }
    events.push_back(std::move(event));
  }

  std::vector<Json> events;
  std::vector<std::string> wrong_readings;
  size_t readings = 0;
  size_t devices = 0;

 private:
  void AddFields(const std::string& block, std::span<const Reading> got, Json* event) {
    readings += got.size();
    Json fields = Json::array();
    Json parsed = Json::object();
    vedirect::BlockFields iterator(block);
    std::string_view label;
    std::string_view text;
    while (iterator.Next(&label, &text)) {
      fields.push_back({{"label", std::string(label)}, {"value", std::string(text)}});
      parsed[std::string(label)] = Parsed(label, text);
      CheckReading(label, text, got);
    }
    (*event)["fields"] = std::move(fields);
    (*event)["parsed"] = std::move(parsed);
  }

  // Where the session gave a reading of the label's own field, it must be the label's value.
  void CheckReading(std::string_view label, std::string_view text, std::span<const Reading> got) {
    const vedirect::LabelRow* row = vedirect::FindLabel(label);
    Value value;
    if (row == nullptr || row->field == victron::kNoField || !vedirect::ReadLabelValue(*row, text, &value)) return;
    if (row->form == LabelForm::kAlarmBits || row->form == LabelForm::kOffBits) return;
    for (const Reading& reading : got) {
      if (reading.field == row->field && !(reading.value == value)) wrong_readings.emplace_back(label);
    }
  }
};

EventLog Play(Bytes stream, size_t chunk) {
  vedirect::VedirectSession session{vedirect::Options()};
  EventLog log;
  Now now;
  session.LinkReset(now, log);
  for (size_t at = 0; at < stream.size(); at += chunk) {
    session.Receive(stream.subspan(at, std::min(chunk, stream.size() - at)), now, log);
  }
  session.LinkReset(now, log);
  return log;
}

void RunTextCase(const Json& vector, Report* report) {
  const std::vector<uint8_t> stream = FromHex(vector["stream_hex"].get_ref<const std::string&>());
  for (const size_t chunk : {size_t{1}, size_t{7}, size_t{64}, stream.size()}) {
    const std::string with = "chunks of " + std::to_string(chunk);
    const EventLog log = Play(stream, chunk);
    const Json& expected = vector["expected"];
    if (log.events.size() != expected.size()) {
      report->Differ(with + " events", Shown(expected), Shown(Json(log.events)));
      continue;
    }
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::string path = with + " event " + std::to_string(i);
      for (const auto& [key, value] : expected[i].items()) {
        if (key != "parsed") {
          Expect(path + "." + key, value, log.events[i].value(key, Json()), report);
          continue;
        }
        for (const auto& [label, number] : value.items()) {
          Expect(path + "." + label, number, log.events[i]["parsed"].value(label, Json()), report);
        }
      }
    }
    for (const std::string& label : log.wrong_readings)
      report->Differ(with + " reading of " + label, "the same", "other");
    if (log.readings == 0 || log.devices == 0) report->Differ(with, "readings of a device", "none");
  }
}

struct SeenHex {
  HexProblem problem;
  HexFrame frame;
};

class HexLog final : public vedirect::FramerSink {
 public:
  void OnText(Bytes, uint64_t, bool) override {}
  void OnDiscarded(Bytes, uint64_t, const char*) override {}
  void OnHex(Bytes raw, uint64_t, HexEnd end) override {
    SeenHex seen;
    seen.problem = vedirect::DecodeHex(raw, end, &seen.frame);
    frames.push_back(seen);
  }
  std::vector<SeenHex> frames;
};

std::string ReasonWord(HexProblem problem) {
  const std::string name = vedirect::HexProblemName(problem);
  return name.empty() ? name : name.substr(name.find('_') + 1);
}

Json NumberOrNull(uint32_t number, uint32_t none) { return number == none ? Json() : Json(number); }

Json UpperHex(uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "%08" PRIX32, number);
  return text;
}

Json DescribeRecord(uint16_t reg, Bytes value) {
  if (reg == 0x1050) {
    vedirect::HistoryDay day;
    if (!vedirect::ReadHistoryDay(value, &day)) return "unreadable";
    return {{"yield", day.yield / 100.0},
            {"consumed", day.consumed / 100.0},
            {"battery_voltage_max", day.battery_max / 100.0},
            {"battery_voltage_min", day.battery_min / 100.0},
            {"error_database", day.error_database},
            {"errors", day.errors},
            {"time_bulk_min", day.bulk},
            {"time_absorption_min", day.absorption},
            {"time_float_min", day.floating},
            {"power_max", day.power_max},
            {"battery_current_max", day.battery_current_max / 10.0},
            {"panel_voltage_max", day.panel_max / 100.0},
            {"day_sequence", day.day}};
  }
  if (reg == 0xEC20) {
    std::array<vedirect::ReceiveEntry, 4> entries;
    if (!vedirect::ReadReceiveList(value, &entries)) return "unreadable";
    Json list = Json::array();
    for (const vedirect::ReceiveEntry& entry : entries) {
      list.push_back({{"register", entry.reg},
                      {"age_s", NumberOrNull(entry.age_s, 0xFF)},
                      {"priority", NumberOrNull(entry.priority, 0xFF)},
                      {"sender", entry.sender == UINT32_MAX ? Json() : UpperHex(entry.sender)}});
    }
    return list;
  }
  uint8_t version = 0;
  std::array<vedirect::NetworkDevice, 2> entries;
  if (!vedirect::ReadDeviceList(value, &version, &entries)) return "unreadable";
  Json list = Json::array();
  for (const vedirect::NetworkDevice& entry : entries) {
    if (entry.address == UINT32_MAX) {
      list.push_back(nullptr);
      continue;
    }
    list.push_back({{"address", UpperHex(entry.address)},
                    {"product_id", entry.product},
                    {"age_s", entry.age_s},
                    {"app_version_raw", UpperHex(entry.firmware)},
                    {"rssi", entry.rssi_dbm == 0x7F ? Json() : Json(entry.rssi_dbm)}});
  }
  return {{"list_version", version}, {"entries", list}};
}

// A register's value in the shape of the vectors.
void AddRegister(const HexFrame& frame, Json* got) {
  (*got)["register"] = frame.reg;
  (*got)["flags"] = frame.flags;
  (*got)["value_hex"] = LowerHex(frame.value());
  if (frame.reg == 0x1050 || frame.reg == 0xEC20 || frame.reg == 0xEC31 || frame.reg == 0xEC33) {
    (*got)["record"] = DescribeRecord(frame.reg, frame.value());
    return;
  }
  const victron::Register* row = victron::FindRegister(frame.reg);
  if (row == nullptr) return;
  if (row->coding == victron::Coding::kProductId && frame.value().size() == 4) {
    (*got)["value"] = vedirect::Little(frame.value(), 1, 2);
    return;
  }
  if (row->type == victron::RegisterType::kString) {
    const std::string text = TextOf(frame.value());
    (*got)["value"] = text.substr(0, text.find('\0'));
    return;
  }
  victron::RegisterNumber number;
  if (!victron::ReadRegister(*row, frame.value(), &number)) return;
  (*got)["raw"] = number.raw;
  (*got)["value"] =
      number.is_available ? Json(static_cast<double>(number.raw) * std::pow(10, number.exponent)) : Json();
}

void AddAnswer(const HexFrame& frame, const Json& expected, Json* got) {
  (*got)["data_hex"] = LowerHex(frame.bytes());
  if (frame.size < 2) return;
  const auto word = static_cast<uint16_t>(vedirect::Little(frame.bytes(), 0, 2));
  std::array<char, vedirect::kFirmwareTextSize> text;
  // An answer 1 does not say what was asked.
  if (expected.contains("product_id")) (*got)["product_id"] = word;
  if (expected.contains("version")) {
    const std::string version(vedirect::FirmwareOfPing(word, text));
    const size_t candidate = version.find("-rc");
    (*got)["version"] = version.substr(0, candidate);
    if (candidate != std::string::npos) (*got)["release_candidate"] = version.substr(candidate + 3);
  }
  static constexpr const char* kTypes[] = {"boot_loader", "application", "tester", "release_candidate"};
  (*got)["firmware_type"] = kTypes[word >> 14];
  if (frame.code == 4 && word == 0xAAAA) (*got)["error"] = "frame";
}

void CheckHexFrame(const Json& expected, const SeenHex& seen, const std::string& path, Report* report) {
  Json got;
  got["ok"] = seen.problem == HexProblem::kNone;
  if (seen.problem != HexProblem::kNone) {
    got["reason"] = ReasonWord(seen.problem);
  } else {
    got["code"] = seen.frame.code;
    if (seen.frame.has_register) {
      AddRegister(seen.frame, &got);
    } else {
      AddAnswer(seen.frame, expected, &got);
    }
  }
  for (const auto& [key, value] : expected.items()) {
    // The vectors' names and units of registers are not those of the table.
    if (key == "name" || key == "unit") continue;
    Expect(path + "." + key, value, got.value(key, Json()), report);
  }
}

void RunHexCase(const Json& vector, Report* report) {
  const std::string& text = vector["frame"].get_ref<const std::string&>();
  HexLog log;
  vedirect::Framer framer(log);
  framer.Receive({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0);
  const Json& expected = vector["expected"];
  const Json frames = expected.contains("frames") ? expected["frames"] : Json::array({expected});
  if (log.frames.size() != frames.size()) {
    report->Differ("frames", std::to_string(frames.size()), std::to_string(log.frames.size()));
    return;
  }
  for (size_t i = 0; i < frames.size(); ++i) CheckHexFrame(frames[i], log.frames[i], std::to_string(i), report);
  if (vector["direction"] != "host") return;
  // Building the same request must give the same bytes.
  std::array<uint8_t, vedirect::kMaxHexText> built;
  const HexFrame& frame = log.frames[0].frame;
  size_t size = vedirect::EncodeHex(frame.code, frame.bytes(), built);
  Expect("encoded", text, TextOf({built.data(), size}), report);
  if (frame.code != static_cast<uint8_t>(vedirect::HexCommand::kGet)) return;
  size = vedirect::EncodeGet(frame.reg, built);
  Expect("encoded get", text, TextOf({built.data(), size}), report);
}

bool IsNamed(const VectorFile& file, std::string_view name) { return file.name() == name; }

}  // namespace

bool ClaimsVedirect(const VectorFile& file) {
  return IsNamed(file, "vedirect-text.json") || IsNamed(file, "vedirect-hex.json");
}

void RunVedirect(const VectorFile& file, Results* results) {
  const bool is_text = IsNamed(file, "vedirect-text.json");
  for (const Json& vector : file.json) {
    Report* report = results->Add(vector["name"]);
    is_text ? RunTextCase(vector, report) : RunHexCase(vector, report);
  }
}

}  // namespace vesta::vectors
