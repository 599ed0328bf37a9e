// The CAN vectors: frames and logs as text, slcan, and error frames, each by the functions that the sources use.
#include <algorithm>
#include <array>

#include "model/hex_digit.h"
#include "protocols/can_error.h"
#include "protocols/can_text.h"
#include "protocols/slcan/slcan.h"
#include "tests/vector_runner/formats.h"

namespace vesta::vectors {
namespace {

constexpr std::string_view kPrefix = "can/";

std::string HexText(std::span<const uint8_t> bytes, bool upper) {
  std::string text;
  for (const uint8_t byte : bytes) {
    for (const int digit : {byte >> 4, byte & 15}) {
      text += upper ? kUpperHexDigits[digit] : static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
  }
  return text;
}

std::string IdText(uint32_t id, bool wide) {
  std::string text;
  for (int shift = wide ? 28 : 8; shift >= 0; shift -= 4) text += kUpperHexDigits[id >> shift & 15];
  return text;
}

Json Describe(const can::TextFrame& frame) {
  Json json;
  json["id"] = IdText(frame.id, frame.is_extended || frame.is_error);
  json["extended"] = frame.is_extended;
  json["rtr"] = frame.is_remote;
  json["error"] = frame.is_error;
  json["len"] = frame.size;
  json["data"] = frame.is_remote ? "" : HexText({frame.data.data(), frame.size}, true);
  if (frame.is_fd) json["fd_flags"] = frame.fd_flags;
  if (frame.len8_dlc != 0) json["len8_dlc"] = frame.len8_dlc;
  return json;
}

Json Describe(const can::Frame& frame) {
  can::TextFrame text;
  text.id = frame.id;
  text.is_extended = frame.is_extended;
  text.is_remote = frame.is_remote;
  text.is_error = frame.is_error;
  text.size = frame.size;
  std::copy(frame.data.begin(), frame.data.end(), text.data.begin());
  return Describe(text);
}

// What was read as text goes through the datagram form and back, and through its text again.
void CheckRoundTrip(const can::TextFrame& text, Report* report) {
  const auto frame = can::ClassicFrame(text);
  if (!frame) return;
  std::array<uint8_t, can::kMaxFrameSize> bytes;
  const auto again = can::ReadFrame({bytes.data(), can::WriteFrame(*frame, bytes)});
  if (!again) return report->Differ("datagram", Shown(Describe(*frame)), "nothing");
  Compare("datagram", Describe(*frame), Describe(*again), report);
  char written[can::kFrameTextSize];
  const auto read = can::ParseFrameText({written, can::FormatFrameText(*frame, written)});
  if (!read) return report->Differ("text", Shown(Describe(*frame)), "nothing");
  Compare("text", Describe(*frame), Describe(*read), report);
}

void RunFrameText(const Json& one, Report* report) {
  const auto frame = can::ParseFrameText(one.at("text").get<std::string>());
  Compare("", one.at("expect"), frame ? Describe(*frame) : Json(nullptr), report);
  if (!frame) return;
  CheckRoundTrip(*frame, report);
  if (!one.contains("can_frame_le")) return;
  const auto classic = can::ClassicFrame(*frame);
  std::array<uint8_t, can::kKernelFrameSize> kernel;
  can::WriteKernelFrame(*classic, frame->len8_dlc, kernel);
  Compare("can_frame_le", one.at("can_frame_le"), HexText(kernel, false), report);
  const auto back = can::ReadKernelFrame(kernel);
  Compare("from can_frame_le", Describe(*classic), back ? Describe(*back) : Json(nullptr), report);
}

void RunCandump(const Json& one, Report* report) {
  const std::string line = one.at("line");
  can::CandumpLine read;
  Json got;
  switch (can::ParseCandumpLine(line, &read)) {
    case can::CandumpStatus::kSkip:
      got["status"] = "skip";
      break;
    case can::CandumpStatus::kReject:
      got["status"] = "reject";
      break;
    case can::CandumpStatus::kFrame:
      got["status"] = "frame";
      got["t_us"] = read.time_us;
      got["interface"] = read.interface_name;
      got["frame"] = Describe(read.frame);
      if (read.direction != can::Direction::kNotSaid) {
        got["direction"] = read.direction == can::Direction::kReceived ? "rx" : "tx";
      }
      break;
  }
  Compare("", one.at("expect"), got, report);
  const auto frame = got["status"] == "frame" ? can::ClassicFrame(read.frame) : std::nullopt;
  if (!frame) return;
  char text[can::kCandumpLineSize];
  const size_t size = can::FormatCandumpLine(read.time_us, read.interface_name, *frame, text);
  can::CandumpLine again;
  if (can::ParseCandumpLine({text, size - 1}, &again) != can::CandumpStatus::kFrame || again.time_us != read.time_us ||
      again.interface_name != read.interface_name || Describe(again.frame) != Describe(*frame)) {
    report->Differ("written line", line, std::string(text, size));
  }
}

class Events : public slcan::EventSink {
 public:
  void OnEvent(const slcan::Event& event) override {
    using Kind = slcan::EventKind;
    Json one;
    const std::string text(event.text);
    switch (event.kind) {
      case Kind::kFrame:
        one = {{"event", "frame"}, {"frame", Describe(event.frame)}};
        if (event.timestamp_ms >= 0) one["timestamp_ms"] = event.timestamp_ms;
        break;
      case Kind::kAccepted:
        one = {{"event", "ok"}};
        break;
      case Kind::kRefused:
        one = {{"event", "error"}};
        break;
      case Kind::kSent:
        one = {{"event", "sent"}};
        break;
      case Kind::kVersion:
        one = {{"event", "version"}, {"hardware", text.substr(0, 2)}, {"software", text.substr(2)}};
        break;
      case Kind::kVersionText:
        one = {{"event", "version_text"}, {"text", text}};
        break;
      case Kind::kSerial:
        one = {{"event", "serial"}, {"text", text}};
        break;
      case Kind::kStatusFlags:
        one = {{"event", "status_flags"}, {"flags", event.flags}};
        break;
      case Kind::kBusError:
        one = {{"event", "bus_error"}, {"errors", Json::array()}};
        for (const char letter : text) one["errors"].push_back(slcan::BusErrorName(letter));
        break;
      case Kind::kBusState:
        one = {{"event", "bus_state"},
               {"state", slcan::BusStateName(event.state)},
               {"rx_errors", event.rx_errors},
               {"tx_errors", event.tx_errors}};
        break;
      case Kind::kDiscard:
        one = {{"event", "discard"}, {"reason", event.reason}, {"text", text}};
        break;
    }
    list.push_back(std::move(one));
  }
  Json list = Json::array();
};

void RunSlcanRx(const Json& one, Report* report) {
  std::vector<std::vector<uint8_t>> chunks;
  std::vector<uint8_t> all;
  for (const Json& chunk : one.at("chunks_hex")) {
    chunks.push_back(FromHex(chunk.get<std::string>()));
    all.insert(all.end(), chunks.back().begin(), chunks.back().end());
  }
  std::vector<std::vector<uint8_t>> bytewise;
  for (const uint8_t byte : all) bytewise.push_back({byte});
  for (const auto& way : {chunks, bytewise, {all}}) {
    slcan::Receiver receiver;
    Events events;
    for (const auto& chunk : way) receiver.Receive(chunk, events);
    Compare("events", one.at("expect"), events.list, report);
    Compare("pending_bytes", one.at("pending_bytes"), receiver.pending(), report);
  }
}

void RunSlcanTx(const Json& one, Report* report) {
  Json got = nullptr;
  if (one.contains("frame")) {
    const auto text = can::ParseFrameText(one.at("frame").get<std::string>());
    const auto frame = text ? can::ClassicFrame(*text) : std::nullopt;
    char out[slcan::kMaxFrameText];
    const size_t size = frame ? slcan::FormatFrame(*frame, out) : 0;
    if (size > 0) got = std::string(out, size);
  } else if (const auto open =
                 slcan::OpenSequence(one.at("bitrate").get<uint32_t>(), one.at("listen_only").get<bool>())) {
    got = std::string(*open);
  }
  Compare("", one.at("expect_ascii"), got, report);
}

void RunErrorFrame(const Json& one, Report* report) {
  const auto text = can::ParseFrameText(one.at("frame").get<std::string>());
  const auto frame = text ? can::ClassicFrame(*text) : std::nullopt;
  if (!frame || !frame->is_error) return report->Differ("", "an error frame", one.at("frame"));
  const can::ErrorReport read = can::ReadErrorFrame(*frame);
  Json got;
  got["classes"] = Json::array();
  for (size_t bit = 0; bit < can::kErrorClasses; ++bit) {
    if ((read.classes >> bit & 1) != 0) got["classes"].push_back(can::ErrorClassName(bit));
  }
  if ((read.classes & can::kController) != 0) {
    got["controller"] = Json::array();
    for (size_t bit = 0; bit < can::kControllerBits; ++bit) {
      if ((read.controller >> bit & 1) != 0) got["controller"].push_back(can::ControllerBitName(bit));
    }
  }
  if ((read.classes & can::kCountersValid) != 0) {
    got["tx_errors"] = read.tx_errors;
    got["rx_errors"] = read.rx_errors;
  }
  Compare("", one.at("expect"), got, report);
}

}  // namespace

bool ClaimsCan(const VectorFile& file) {
  return file.json.is_object() && file.json.contains("format") && file.json["format"].is_string() &&
         file.json["format"].get<std::string>().rfind(kPrefix, 0) == 0;
}

void RunCan(const VectorFile& file, Results* results) {
  const std::string kind = file.json.at("format").get<std::string>().substr(kPrefix.size());
  for (const Json& one : file.json.at("cases")) {
    Report* report = results->Add(one.at("name").get<std::string>());
    if (kind == "frame_text") {
      RunFrameText(one, report);
    } else if (kind == "candump") {
      RunCandump(one, report);
    } else if (kind == "slcan_rx") {
      RunSlcanRx(one, report);
    } else if (kind == "slcan_tx") {
      RunSlcanTx(one, report);
    } else if (kind == "error_frames") {
      RunErrorFrame(one, report);
    } else {
      report->Differ("format", "a kind that is known", kind);
    }
  }
}

}  // namespace vesta::vectors
