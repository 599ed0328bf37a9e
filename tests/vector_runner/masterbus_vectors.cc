// The MasterBus vectors: single frames, dates, and whole captures through a session.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "model/hex_digit.h"
#include "protocols/can_text.h"
#include "protocols/masterbus/session.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

using masterbus::BusDevice;
using masterbus::BusView;
using masterbus::Frame;
using masterbus::Item;
using masterbus::kNone;
using masterbus::Menu;
using masterbus::Presentation;
using masterbus::Role;

constexpr std::string_view kPrefix = "masterbus/";

std::string HexNumber(uint32_t value, int digits, bool upper = true) {
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    const char digit = kUpperHexDigits[value >> shift & 15];
    text += upper ? digit : static_cast<char>(std::tolower(digit));
  }
  return text;
}

// Nine significant digits, as the vectors have them; null when it is no number.
Json Number(float real) {
  if (!std::isfinite(real)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(real));
  return std::strtod(text, nullptr);
}

Json DateJson(const masterbus::Date& date) { return {{"day", date.day}, {"month", date.month}, {"year", date.year}}; }

Json DurationJson(const masterbus::Duration& d) {
  return {{"days", d.days}, {"hour", d.hour}, {"minute", d.minute}, {"second", d.second}};
}

Json Describe(const Frame& frame) {
  Json json;
  if (frame.role == Role::kErrorFrame || frame.role == Role::kRemote || frame.role == Role::kStandard) {
    return {{"class", masterbus::RoleName(frame.role)}};
  }
  json["kind"] = HexNumber(frame.kind, 2);
  json["device_type"] = frame.device_type();
  json["uid"] = HexNumber(frame.unique_id(), 5);
  json["address"] = HexNumber(frame.address, 6);
  json["role"] = masterbus::RoleName(frame.role);
  if (frame.menu != Menu::kNone) json["menu"] = masterbus::MenuName(frame.menu);
  if (frame.role == Role::kUnknownKind) return json;
  if (frame.role == Role::kMalformed) {
    // Which item was meant is told of a value whose length is wrong.
    const bool of_value = (frame.kind & 0x0F) == 0 || (frame.kind & 0x0F) == 7;
    if (frame.menu != Menu::kNone && of_value) json["item"] = frame.number;
    return json;
  }
  switch (frame.role) {
    case Role::kAnnounce:
      json["ref_type"] = frame.announced_type;
      json["ref_uid"] = HexNumber(frame.announced_uid, 5);
      json["counter"] = frame.counter;
      json["byte5"] = frame.trailer[0];
      json["byte6"] = frame.trailer[1];
      json["byte7"] = frame.trailer[2];
      break;
    case Role::kPoll:
      break;
    case Role::kPropertyRequest:
    case Role::kPropertyReply:
    case Role::kPropertyNoValue:
      json["op"] = HexNumber(frame.op, 2);
      if (frame.op == masterbus::kPropertyString) {
        json["string_id"] = frame.number;
        json["segment"] = frame.selector;
        if (frame.role == Role::kPropertyReply) {
          json["last"] = frame.text_ends;
          std::string hex;
          for (size_t i = 0; i < frame.text_size; ++i) hex += HexNumber(frame.raw[i], 2, false);
          json["text_hex"] = hex;
        }
      } else {
        json["selector"] = HexNumber(frame.selector, 2);
        if (frame.has_word) json["value"] = frame.word;
      }
      break;
    case Role::kValueRequest:
    case Role::kValueNoValue:
    case Role::kValue:
    case Role::kValueWrite:
      json["item"] = frame.number;
      if (frame.has_real) {
        std::string hex;
        for (const uint8_t byte : frame.raw) hex += HexNumber(byte, 2, false);
        json["raw"] = hex;
        json["f32"] = Number(frame.real);
      }
      break;
    default: {
      const bool group = frame.role == Role::kGroupMetaRequest || frame.role == Role::kGroupMetaReply ||
                         frame.role == Role::kGroupMetaNoValue;
      json["op"] = HexNumber(frame.op, 2);
      if (masterbus::MetaOpName(frame.op)[0] != '\0') json["op_name"] = masterbus::MetaOpName(frame.op);
      json[group ? "group" : "item"] = frame.number;
      if (masterbus::IsIndexed(frame.op)) json["index"] = frame.index;
      if (frame.has_real) json["f32"] = Number(frame.real);
      if (frame.has_word) json["u16"] = frame.word;
    }
  }
  return json;
}

void RunFrame(const Json& one, Report* report) {
  const auto text = can::ParseFrameText(one.at("frame").get<std::string>());
  const auto frame = text ? can::ClassicFrame(*text) : std::nullopt;
  if (!frame) return report->Differ("frame", "a frame", one.at("frame"));
  const Frame read = masterbus::ReadMasterBusFrame(*frame);
  Json got = Describe(read);
  // What the number would be, were the item a date.
  if (one.at("expect").contains("date")) {
    const auto date = masterbus::ReadDate(read.real);
    got["date"] = date ? DateJson(*date) : Json(nullptr);
  }
  if (one.at("expect").contains("clock")) {
    const auto clock = masterbus::ReadDuration(read.real);
    got["clock"] = clock ? DurationJson(*clock) : Json(nullptr);
  }
  Compare("", one.at("expect"), got, report);
}

void RunDateTime(const Json& one, Report* report) {
  const Json& given = one.at("f32");
  float real = std::nanf("");
  if (given.is_number()) real = given.get<float>();
  if (given.is_string() && given != "nan") real = given == "-inf" ? -INFINITY : INFINITY;
  Json got = nullptr;
  if (one.at("kind") == "date") {
    if (const auto date = masterbus::ReadDate(real)) got = DateJson(*date);
  } else if (const auto duration = masterbus::ReadDuration(real)) {
    got = DurationJson(*duration);
  }
  Compare("", one.at("expect"), got, report);
}

class Readings : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override { count += frame.readings.size(); }
  size_t count = 0;
};

std::string Utf8(std::string_view latin1) {
  std::string text(2 * latin1.size(), '\0');
  text.resize(masterbus::ToUtf8(latin1, text.data()));
  return text;
}

Json DescribeItem(const BusView& view, const Item& item) {
  Json json;
  json["item"] = item.number;
  json["menu"] = masterbus::MenuName(item.menu);
  json["values"] = item.seen.values;
  if ((item.known & masterbus::kHasPresentation) != 0) json["visualization"] = static_cast<int>(item.presentation);
  if ((item.known & masterbus::kHasWritable) != 0) json["writable_raw"] = item.writable;
  if ((item.known & masterbus::kHasMinimum) != 0) json["min"] = Number(item.minimum);
  if ((item.known & masterbus::kHasMaximum) != 0) json["max_or_count"] = Number(item.maximum_or_count);
  if ((item.known & masterbus::kHasStep) != 0) json["step"] = Number(item.step);
  if ((item.known & masterbus::kHasDefault) != 0) json["default"] = Number(item.factory_default);
  if (item.seen.has_real) {
    json["first"] = Number(item.seen.first);
    json["last"] = Number(item.seen.last);
    json["lowest"] = Number(item.seen.lowest);
    json["highest"] = Number(item.seen.highest);
  }
  if (!view.LabelOf(item).empty()) json["name"] = Utf8(view.LabelOf(item));
  if (!view.UnitOf(item).empty()) json["unit"] = Utf8(view.UnitOf(item));
  for (uint16_t at = item.first_option; at != kNone; at = view.model().option(at).next) {
    const masterbus::Option& option = view.model().option(at);
    const masterbus::Text* label = option.has_label ? view.model().FindText(item.device, option.text_id) : nullptr;
    if (label != nullptr) json["options"][std::to_string(option.index)] = Utf8(label->view());
  }
  if (item.seen.has_real && item.presentation == Presentation::kDuration) {
    if (const auto clock = masterbus::ReadDuration(item.seen.last)) json["last_clock"] = DurationJson(*clock);
  }
  if (item.seen.has_real && item.presentation == Presentation::kDate) {
    if (const auto date = masterbus::ReadDate(item.seen.last)) json["last_date"] = DateJson(*date);
  }
  return json;
}

Json DescribeDevice(const BusView& view, uint16_t at, const BusDevice& device) {
  const masterbus::Model& model = view.model();
  Json json;
  json["address"] = HexNumber(device.address, 6);
  json["device_type"] = device.type();
  json["uid"] = HexNumber(device.unique_id(), 5);
  json["announces"] = device.announces;
  json["polls"] = device.polls;
  json["name"] = view.NameOf(at).empty() ? Json(nullptr) : Json(Utf8(view.NameOf(at)));
  json["properties"] = Json::object();
  for (uint16_t p = device.first_property; p != kNone; p = model.property(p).next) {
    const masterbus::Property& one = model.property(p);
    json["properties"][HexNumber(one.op, 2) + HexNumber(one.selector, 2)] = one.has_value ? Json(one.value) : nullptr;
  }
  json["group_counts"] = Json::object();
  for (uint16_t g = device.first_group; g != kNone; g = model.group(g).next) {
    const masterbus::Group& group = model.group(g);
    Json& one = json["group_counts"][masterbus::MenuName(group.menu)][std::to_string(group.number)];
    one = Json::object();
    if (group.has_count) one["count"] = group.count;
    for (uint16_t p = group.first_place; p != kNone; p = model.place(p).next) {
      one["items"][std::to_string(model.place(p).index)] = model.place(p).item;
    }
  }
  if (device.has_counter) json["counter_last"] = device.counter;
  std::vector<const Item*> items;
  view.ForEachItem(device, [&items](const Item& item) { items.push_back(&item); });
  std::sort(items.begin(), items.end(), [](const Item* a, const Item* b) {
    return a->menu != b->menu ? a->menu < b->menu : a->number < b->number;
  });
  json["items"] = Json::array();
  for (const Item* item : items) json["items"].push_back(DescribeItem(view, *item));
  json["strings"] = Json::object();
  for (uint16_t t = device.first_text; t != kNone; t = model.text(t).next) {
    json["strings"][std::to_string(model.text(t).id)] = Utf8(model.text(t).view());
  }
  return json;
}

Json DescribeWrite(const Frame& frame, UtcUs since_us) {
  Json json = Describe(frame);
  json["t"] = static_cast<double>(since_us) / 1e6;
  return json;
}

// Of a write only what the vectors name; the time as near as their decimals.
void CompareWrites(const Json& expected, const Json& got, Report* report) {
  if (expected.size() != got.size()) {
    return report->Differ("writes", std::to_string(expected.size()), std::to_string(got.size()));
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    for (const auto& [key, value] : expected[i].items()) {
      const std::string path = "writes[" + std::to_string(i) + "]." + key;
      const Json other = got[i].contains(key) ? got[i][key] : Json("nothing");
      const bool near = key == "t" && std::abs(value.get<double>() - other.get<double>()) < 0.002;
      if (!near) Compare(path, value, other, report);
    }
  }
}

void RunSession(const VectorFile& file, Results* results) {
  const std::string name = file.json.at("log");
  Report* report = results->Add(name);
  const std::vector<uint8_t> log = ReadBytes(file.Beside(name));

  masterbus::MasterBusSession session{masterbus::Options()};
  Readings readings;
  UtcUs first_us = kNoTime;
  size_t frames = 0;
  Json writes = Json::array();
  for (auto begin = log.begin(); begin != log.end();) {
    const auto end = std::find(begin, log.end(), '\n');
    const std::string line(begin, end);
    begin = end == log.end() ? end : end + 1;
    can::CandumpLine read;
    if (can::ParseCandumpLine(line, &read) != can::CandumpStatus::kFrame) {
      report->Differ("log", "a frame in every line", line);
      continue;
    }
    const auto frame = can::ClassicFrame(read.frame);
    if (!frame) return report->Differ("log", "classic frames only", line);
    if (first_us == kNoTime) first_us = read.time_us;
    ++frames;
    const Frame of_bus = masterbus::ReadMasterBusFrame(*frame);
    if (of_bus.role == Role::kValueWrite) writes.push_back(DescribeWrite(of_bus, read.time_us - first_us));
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    session.Receive({bytes.data(), can::WriteFrame(*frame, bytes)},
                    {read.time_us, read.time_us, ClockQuality::kSynchronised}, readings);
  }

  const BusView view = session.view();
  const Json& expected = file.json.at("expect");
  Json got;
  got["frames"] = frames;
  got["roles"] = Json::object();
  uint64_t values = 0;
  for (size_t r = 0; r < static_cast<size_t>(Role::kCountOfRoles); ++r) {
    const auto role = static_cast<Role>(r);
    if (view.traffic().role(role) > 0) got["roles"][masterbus::RoleName(role)] = view.traffic().role(role);
  }
  values = view.traffic().role(Role::kValue);
  std::vector<std::pair<uint32_t, Json>> devices;
  view.ForEachDevice([&](uint16_t at, const BusDevice& device) {
    devices.emplace_back(device.address, DescribeDevice(view, at, device));
  });
  std::sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  got["devices"] = Json::array();
  for (auto& [address, device] : devices) got["devices"].push_back(std::move(device));
  CompareWrites(expected.at("writes"), writes, report);
  got["writes"] = expected.at("writes");
  Compare("", expected, got, report);
  // Every value on the bus is a reading, beside those of announces.
  if (readings.count < values) report->Differ("readings", std::to_string(values), std::to_string(readings.count));

  // What was learned survives a restart.
  masterbus::MasterBusSession restarted{masterbus::Options()};
  const std::vector<uint8_t> saved = session.SaveModel();
  if (!restarted.LoadModel(saved)) return report->Differ("saved model", "loads", "refused");
  for (const Json& device : got["devices"]) {
    const auto address = static_cast<uint32_t>(std::stoul(device["address"].get<std::string>(), nullptr, 16));
    const uint16_t at = restarted.view().model().FindDevice(address);
    if (at == kNone) {
      report->Differ("saved model", device["address"], "nothing");
      continue;
    }
    const Json again = DescribeDevice(restarted.view(), at, restarted.view().model().device(at));
    for (const char* key : {"name", "properties", "group_counts", "strings"}) {
      Compare(std::string("saved model.") + key, device[key], again[key], report);
    }
  }
}

}  // namespace

bool ClaimsMasterBus(const VectorFile& file) {
  return file.json.is_object() && file.json.contains("format") && file.json["format"].is_string() &&
         file.json["format"].get<std::string>().rfind(kPrefix, 0) == 0;
}

void RunMasterBus(const VectorFile& file, Results* results) {
  const std::string kind = file.json.at("format").get<std::string>().substr(kPrefix.size());
  if (kind == "session") return RunSession(file, results);
  for (const Json& one : file.json.at("cases")) {
    const std::string name = one.contains("name") ? one["name"].get<std::string>()
                                                  : one.at("kind").get<std::string>() + " " + one.at("f32").dump();
    Report* report = results->Add(name);
    if (kind == "frames") {
      RunFrame(one, report);
    } else if (kind == "date_time") {
      RunDateTime(one, report);
    } else {
      report->Differ("format", "a kind that is known", kind);
    }
  }
}

}  // namespace vesta::vectors
