#include "app/decode_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/printable.h"
#include "app/reason_text.h"
#include "formats/json_writer.h"
#include "model/calendar.h"

namespace vesta::app {
namespace {

// A frame's line of JSON: some 200 readings of at most 300 bytes each, and one long message.
constexpr size_t kJsonLineBytes = 256 * 1024;

constexpr const char* kVerdicts[] = {"accepted", "rejected", "discarded"};
constexpr const char* kQualities[] = {"ok", "unavailable", "out_of_range", "suspect", "derived"};
constexpr const char* kTimeQualities[] = {"device_clock", "hub_synchronised", "hub_not_synchronised", "back_dated"};

constexpr int64_t kLastSecond = 253402300799;  // of the year 9999

std::string TimeText(UtcUs us) {
  if (us == kNoTime) return "no time";
  char text[kIso8601Size];
  return std::string(text, FormatIso8601(us, text));
}

std::string ValueText(const Value& value, const Field& field) {
  switch (value.kind()) {
    case ValueKind::kDecimal: {
      const Decimal decimal = value.decimal();
      if (field.unit == Unit::kUnixSecond && decimal.exponent == 0 && decimal.mantissa < kLastSecond) {
        return TimeText(decimal.mantissa * kUsPerSecond);
      }
      char text[kDecimalTextSize];
      return std::string(text, FormatDecimal(decimal, text));
    }
    case ValueKind::kReal:
      return fmt::format("{}", value.real());
    case ValueKind::kText:
      return "\"" + Printable(value.text()) + "\"";
    case ValueKind::kState: {
      const std::string_view name = FindStateName(field.states, value.state());
      if (!name.empty()) return std::string(name);
      char text[kUnknownStateSize];
      return std::string(text, FormatUnknownState(value.state(), text));
    }
    case ValueKind::kNone:
      break;
  }
  return "none";
}

}  // namespace

void DecodePrinter::OnDevice(uint16_t slot, const DeviceInfo& device) {
  std::string kind(DeviceKindName(device.kind));
  std::replace(kind.begin(), kind.end(), '_', ' ');
  std::string title = fmt::format("{} {}", kind, Printable(device.identity));
  if (!device.model.empty()) {
    title += fmt::format(" ({} {})", Printable(device.manufacturer), Printable(device.model));
  }
  devices_[session_][slot] = {title, std::string(device.identity)};
  if (!json_) return;
  std::string buffer(kJsonLineBytes, '\0');
  JsonWriter json(buffer.data(), buffer.size());
  json.BeginObject().Key("device").BeginObject();
  json.Key("identity").Text(device.identity).Key("kind").Text(DeviceKindName(device.kind));
  json.Key("manufacturer").Text(device.manufacturer).Key("model").Text(device.model);
  json.Key("serial").Text(device.serial).Key("firmware").Text(device.firmware);
  json.EndObject().EndObject();
  if (json.ok()) fmt::print("{}\n", json.view());
}

void DecodePrinter::OnFrame(const FrameEvent& frame) {
  // What a session finds out by the clock is not in the bytes.
  if (frame.raw.empty()) return;
  frame_bytes_ += frame.raw.size();
  if (frame.verdict == FrameVerdict::kAccepted) {
    ++accepted_;
  } else {
    ++problems_[frame.reason];
  }
  if (json_) {
    PrintJson(frame);
  } else {
    PrintTable(frame);
  }
}

void DecodePrinter::PrintTable(const FrameEvent& frame) const {
  if (frame.verdict != FrameVerdict::kAccepted) {
    fmt::print("{}: {} [{}], {} bytes from byte {}\n\n", kVerdicts[static_cast<size_t>(frame.verdict)],
               ExplainReason(frame.reason, frame.raw), frame.reason, frame.raw.size(), frame.stream_offset);
    return;
  }
  const UtcUs time_us = frame.readings.empty() ? kNoTime : frame.readings.front().time_us;
  fmt::print("{}: {}{} bytes{}\n", frame.readings.empty() ? "accepted" : TimeText(time_us),
             frame.link_encrypted ? "encrypted, " : "", frame.raw.size(),
             frame.readings.empty() ? ", no new readings" : "");
  const auto devices = devices_.find(session_);
  uint16_t device = kNoDevice;
  for (const Reading& reading : frame.readings) {
    if (reading.device != device) {
      device = reading.device;
      const bool known = devices != devices_.end() && devices->second.contains(device);
      fmt::print("  {}\n", known ? devices->second.at(device).title : "device");
    }
    const Field& field = session_->fields()[reading.field];
    const std::string_view unit = UnitText(field.unit);
    std::string line = fmt::format("    {:<32}{:>16}", field.key, ValueText(reading.value, field));
    if (!unit.empty() && field.unit != Unit::kUnixSecond && !reading.value.is_none()) line += fmt::format(" {}", unit);
    if (reading.quality != ValueQuality::kOk) {
      line += fmt::format("  [{}]", kQualities[static_cast<size_t>(reading.quality)]);
    }
    if (reading.time_us != time_us) line += fmt::format("  at {}", TimeText(reading.time_us));
    fmt::print("{}\n", line);
  }
  fmt::print("\n");
}

void DecodePrinter::PrintJson(const FrameEvent& frame) const {
  std::string buffer(kJsonLineBytes, '\0');
  JsonWriter json(buffer.data(), buffer.size());
  json.BeginObject().Key("frame").BeginObject();
  json.Key("verdict").Text(kVerdicts[static_cast<size_t>(frame.verdict)]);
  if (frame.verdict != FrameVerdict::kAccepted) {
    json.Key("reason").Text(frame.reason).Key("message").Text(ExplainReason(frame.reason, frame.raw));
  }
  json.Key("offset").Integer(static_cast<int64_t>(frame.stream_offset));
  json.Key("bytes").Integer(static_cast<int64_t>(frame.raw.size()));
  json.Key("encrypted").Boolean(frame.link_encrypted);
  json.Key("readings").BeginArray();
  const auto devices = devices_.find(session_);
  for (const Reading& reading : frame.readings) {
    const Field& field = session_->fields()[reading.field];
    const bool known = devices != devices_.end() && devices->second.contains(reading.device);
    const std::string_view state = reading.value.kind() == ValueKind::kState
                                       ? FindStateName(field.states, reading.value.state())
                                       : std::string_view();
    json.BeginObject();
    json.Key("device").Text(known ? devices->second.at(reading.device).identity : "");
    json.Key("field").Text(field.key).Key("value");
    WriteJsonValue(json, reading.value, field.kind, state);
    json.Key("unit").Text(UnitText(field.unit)).Key("time").Time(reading.time_us);
    json.Key("quality").Text(kQualities[static_cast<size_t>(reading.quality)]);
    json.Key("time_quality").Text(kTimeQualities[static_cast<size_t>(reading.time_quality)]);
    if (reading.index != 0) json.Key("index").Integer(reading.index);
    json.EndObject();
  }
  json.EndArray().EndObject().EndObject();
  if (json.ok()) {
    fmt::print("{}\n", json.view());
  } else {
    fmt::print(stderr, "vesta decode: the frame at byte {} has more to say than a line may hold\n",
               frame.stream_offset);
  }
}

}  // namespace vesta::app
