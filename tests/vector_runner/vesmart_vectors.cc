// The VE.Smart vectors: sessions of adverts, messages in the clear, serial numbers, advert structure, register table.
#include <cmath>
#include <map>

#include "protocols/ble_advert.h"
#include "protocols/vesmart/receiver.h"
#include "protocols/victron/registers.h"
#include "protocols/victron/session.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

constexpr size_t kCompanySize = 2;

std::string Hex16(uint16_t id, bool upper) {
  const uint8_t bytes[] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id & 0xFF)};
  std::string hex = ToHex(bytes);
  if (upper) {
    for (char& c : hex) c = static_cast<char>(std::toupper(c));
  }
  return hex;
}

void Expect(const std::string& path, const std::string& expected, const std::string& got, Report* report) {
  if (expected != got) report->Differ(path, expected, got);
}

// The registers of a message against `readings`, read by the table that the session uses.
void CheckMessage(const std::vector<uint8_t>& clear, const Json& expected, Report* report) {
  constexpr double kRelativeTolerance = 1e-6;
  if (!clear.empty()) Expect("first_byte", Shown(expected["first_byte"]), std::to_string(clear[0]), report);
  vesmart::Items items(clear);
  uint16_t id = 0;
  vesmart::Bytes value;
  size_t count = 0;
  while (items.Next(&id, &value)) {
    const std::string path = "register " + Hex16(id, true);
    if (count == expected["readings"].size()) {
      report->Differ(path, "none", "one more");
      break;
    }
    const Json& want = expected["readings"][count++];
    Expect(path, want["register"], Hex16(id, true), report);
    Expect(path + " bytes", want["bytes"], ToHex(value), report);
    const victron::Register* row = victron::FindRegister(id);
    if (!want["name"].is_null() && row == nullptr) report->Differ(path, "known", "unknown");
    if (want.contains("product_id")) {
      const auto product = static_cast<uint16_t>(value[1] | value[2] << 8);
      Expect(path + " product", want["product_id"], Hex16(product, true), report);
    }
    if (row == nullptr || !want.contains("value")) continue;
    victron::RegisterNumber number;
    if (!victron::ReadRegister(*row, value, &number)) {
      report->Differ(path, "a number", "none");
    } else if (want["value"].is_null()) {
      if (number.is_available) report->Differ(path, "not available", std::to_string(number.raw));
    } else {
      const double got = static_cast<double>(number.raw) * std::pow(10.0, number.exponent);
      const double wanted = want["value"];
      if (std::abs(got - wanted) > kRelativeTolerance * std::abs(wanted) || !number.is_available) {
        report->Differ(path, Shown(want["value"]), std::to_string(got));
      }
    }
  }
  if (count < expected["readings"].size()) report->Differ("readings", "more", std::to_string(count));
  if (items.is_truncated() != expected["truncated"].get<bool>()) report->Differ("truncated", "otherwise", "");
}

class Recorder : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo& device) override { serials[std::string(device.identity)] = device.serial; }
  void OnFrame(const FrameEvent& frame) override {
    ++frames;
    verdict = frame.verdict;
    reason = frame.reason;
    is_repeat = frame.link.is_repeat;
    values.clear();
    for (const Reading& reading : frame.readings) {
      if (reading.value.kind() == ValueKind::kDecimal) values[reading.field] = reading.value;
    }
  }
  std::map<std::string, std::string> serials;  // by the identity of the device
  size_t frames = 0;
  FrameVerdict verdict = FrameVerdict::kAccepted;
  std::string reason;
  bool is_repeat = false;
  std::map<uint16_t, Value> values;
};

// What the session made of the advert, in the words of the vectors.
std::string OutcomeOf(const Recorder& recorder, size_t frames_before, const victron::BleCounters& before,
                      const victron::BleCounters& after) {
  const auto grew = [&before, &after](vesmart::Outcome outcome) {
    const auto i = static_cast<size_t>(outcome);
    return after.messages[i] > before.messages[i];
  };
  if (after.foreign > before.foreign) return "not_victron";
  if (after.unknown_format > before.unknown_format) return "unknown_op";
  if (recorder.frames == frames_before) return "nothing";
  if (recorder.verdict == FrameVerdict::kRejected)
    return recorder.reason == "no_key" ? "instant_readout" : recorder.reason;
  if (recorder.is_repeat) return grew(vesmart::Outcome::kDuplicate) ? "duplicate" : "repeat";
  if (grew(vesmart::Outcome::kOverflowRecorded)) return "overflow_recorded";
  if (grew(vesmart::Outcome::kDecoded)) return "decoded";
  return "accepted";
}

void RunSession(const Json& vector, Report* report) {
  victron::KeyRing ring;
  for (const Json& network : vector["networks"]) {
    uint16_t id = 0;
    const victron::KeyText key = victron::ParseKeyText(network["key"].get<std::string>());
    if (!victron::ParseNetworkId(network["id"].get<std::string>(), &id)) report->Differ("network id", "valid", "not");
    ring.SetNetwork(id, key.key);
  }
  victron::BleSession session(&ring);
  vesmart::Receiver receiver;  // the same code beside, for what a session does not tell: network, overflow, cleartext
  Recorder recorder;
  size_t number = 0;
  for (const Json& step : vector["adverts"]) {
    const std::string path = "advert " + std::to_string(number++);
    const Json& expected = step["expect"];
    const std::vector<uint8_t> data = FromHex(step["manufacturer_data"].get<std::string>());
    std::vector<uint8_t> element = {static_cast<uint8_t>(data.size() + 1), ble::kTypeManufacturer};
    element.insert(element.end(), data.begin(), data.end());
    ble::Advert advert;
    victron::ParseAddress(step["mac"].get<std::string>(), &advert.address);
    advert.rssi_dbm = step["rssi"].get<int8_t>();
    advert.data = element;
    std::vector<uint8_t> datagram(ble::kMaxAdvertSize);
    datagram.resize(ble::WriteAdvert(advert, datagram));
    Now now;
    now.monotonic_us = static_cast<int64_t>(step["t"].get<double>() * 1e6);
    const victron::BleCounters before = session.counters();
    const size_t frames = recorder.frames;
    session.Receive(datagram, now, recorder);
    const std::string outcome = OutcomeOf(recorder, frames, before, session.counters());
    Expect(path, expected["result"], outcome, report);
    if (!expected.contains("network")) continue;

    vesmart::Message message;
    receiver.Receive(std::span(data).subspan(kCompanySize), ring, &message);
    Expect(path + " network", expected["network"], Hex16(message.network, false), report);
    Expect(path + " serial", expected["serial"], ToHex(message.serial), report);
    if (expected.contains("overflow"))
      Expect(path + " overflow", expected["overflow"], ToHex(message.overflow), report);
    if (outcome != "decoded" && outcome != "duplicate") continue;
    char identity[victron::kAddressTextSize];
    victron::FormatAddress(advert.address, identity);
    Expect(path + " serial text", expected["serial_text"], recorder.serials[{identity, sizeof(identity)}], report);
    Expect(path + " cleartext", expected["cleartext"], ToHex(message.cleartext), report);
    CheckMessage({message.cleartext.begin(), message.cleartext.end()}, expected, report);
    if (outcome == "duplicate" && !recorder.values.empty()) report->Differ(path, "no readings", "some");
    if (outcome == "duplicate") continue;
    for (const Json& want : expected["readings"]) {
      if (!want.contains("value") || want["value"].is_null() || want["unit"].is_null()) continue;
      const victron::Register* row =
          victron::FindRegister(static_cast<uint16_t>(std::stoul(want["register"].get<std::string>(), nullptr, 16)));
      if (row == nullptr || victron::Fields()[row->field].pace == Pace::kSlow) continue;
      const auto got = recorder.values.find(row->field);
      if (got == recorder.values.end() || std::abs(got->second.ToDouble() - want["value"].get<double>()) > 1e-9) {
        report->Differ(path + " reading", Shown(want), "another or none");
      }
    }
  }
}

void RunSerial(const Json& vector, Report* report) {
  const std::vector<uint8_t> bytes = FromHex(vector["serial_bytes"].get<std::string>());
  char text[vesmart::kSerialTextSize];
  vesmart::FormatSerial({bytes[0], bytes[1], bytes[2], bytes[3]}, text);
  Expect("text", vector["expect"]["text"], std::string(text, sizeof(text)), report);
}

void RunStructure(const Json& vector, Report* report) {
  const std::vector<uint8_t> data = FromHex(vector["adv_data"].get<std::string>());
  const Json& expected = vector["expect"];
  ble::Elements elements(data);
  uint8_t type = 0;
  ble::Bytes content;
  std::string manufacturer_data;
  std::string op;
  while (elements.Next(&type, &content)) {
    if (type == ble::kTypeManufacturer && manufacturer_data.empty()) manufacturer_data = ToHex(content);
  }
  if (const auto found = ble::FindManufacturerData(data, 0x02E1); found && !found->empty()) {
    op = std::to_string(found->front());
  }
  if (elements.is_malformed() == expected["well_formed"].get<bool>()) report->Differ("well_formed", "otherwise", "");
  Expect("manufacturer_data", expected["manufacturer_data"].is_null() ? "" : expected["manufacturer_data"],
         manufacturer_data, report);
  Expect("op", expected["op"].is_null() ? "" : Shown(expected["op"]), op, report);
}

void RunRegister(const Json& vector, Report* report) {
  const auto id = static_cast<uint16_t>(std::stoul(vector["id"].get<std::string>(), nullptr, 16));
  const victron::Register* row = victron::FindRegister(id);
  if (row == nullptr) return report->Differ("register", "known", "unknown");
  static const std::map<std::string, victron::RegisterType> kTypes = {
      {"u8", victron::RegisterType::kU8},   {"u16", victron::RegisterType::kU16},
      {"u32", victron::RegisterType::kU32}, {"s16", victron::RegisterType::kS16},
      {"s32", victron::RegisterType::kS32}, {"raw", victron::RegisterType::kBytes},
  };
  if (kTypes.at(vector["type"]) != row->type) report->Differ("type", vector["type"], "another");
  const double scale = std::pow(10.0, row->exponent);
  if (std::abs(scale - vector["scale"].get<double>()) > 1e-9) {
    report->Differ("scale", Shown(vector["scale"]), std::to_string(scale));
  }
  if (vector["na"].is_string()) {
    const uint32_t na = static_cast<uint32_t>(std::stoul(vector["na"].get<std::string>(), nullptr, 16));
    if (!row->has_na || row->na != na) report->Differ("na", vector["na"], std::to_string(row->na));
  }
}

std::string KindOf(const Json& json) {
  if (!json.is_object()) return "";
  if (json.contains("registers")) return "registers";
  const std::string format = json.value("format", std::string());
  return format.starts_with("vesmart/") ? format.substr(8) : "";
}

}  // namespace

bool ClaimsVeSmart(const VectorFile& file) { return !KindOf(file.json).empty(); }

void RunVeSmart(const VectorFile& file, Results* results) {
  const std::string kind = KindOf(file.json);
  for (const Json& vector : file.json[kind == "registers" ? "registers" : "cases"]) {
    Report* report = results->Add(kind == "registers" ? vector["id"] : vector["name"]);
    if (kind == "registers") {
      RunRegister(vector, report);
    } else if (kind == "sessions") {
      RunSession(vector, report);
    } else if (kind == "tlv") {
      CheckMessage(FromHex(vector["cleartext"].get<std::string>()), vector["expect"], report);
    } else if (kind == "serial_text") {
      RunSerial(vector, report);
    } else if (kind == "adv_structure") {
      RunStructure(vector, report);
    } else {
      report->Differ("kind", "a known one", kind);
    }
  }
}

}  // namespace vesta::vectors
