// The MEDIBUS vectors: streams of a device, exchanges, and messages of the original ESP32 nodes.
#include <algorithm>

#include "protocols/medibus/legacy_mqtt.h"
#include "tests/vector_runner/formats.h"
#include "tests/vector_runner/medibus_exchange.h"
#include "tests/vector_runner/medibus_readings.h"

namespace vesta::vectors {
namespace {

using Chunks = std::vector<std::vector<uint8_t>>;

class FrameList : public medibus::ParserSink {
 public:
  void OnParsed(const medibus::Frame& frame) override { frames.push_back(Own(frame)); }
  void OnDropped(Bytes, uint64_t, const char* reason) override { ++dropped[reason]; }
  void OnRealtimeByte(uint8_t, const Now&) override {}
  void OnFlow(bool suspend, const Now&) override { flow.push_back(suspend ? "suspend" : "resume"); }
  std::vector<OwnedFrame> frames;
  std::map<std::string, uint64_t> dropped;
  Json flow = Json::array();
};

Chunks Cut(const std::vector<uint8_t>& bytes, size_t size) {
  Chunks chunks;
  for (size_t i = 0; i < bytes.size(); i += size) {
    const size_t n = std::min(size, bytes.size() - i);
    chunks.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                        bytes.begin() + static_cast<std::ptrdiff_t>(i + n));
  }
  return chunks;
}

void RunStream(const Json& expect, const Chunks& chunks, Report* report) {
  FrameList list;
  medibus::Parser parser(&list);
  medibus::Options options;
  options.passive = true;
  medibus::MedibusSession session(options);
  ToldFrames told(&session);
  const Now now;
  for (const std::vector<uint8_t>& chunk : chunks) {
    parser.Receive(chunk, now);
    session.Receive(chunk, now, told);
    if (!session.Transmit().empty()) report->Differ("sent", "nothing from a listener", "bytes");
  }
  const size_t frames_heard = told.frames.size();
  parser.Reset();
  session.LinkReset(now, told);

  const Json& frames = expect.at("frames");
  if (frames.size() != list.frames.size()) {
    report->Differ("frames", std::to_string(frames.size()), std::to_string(list.frames.size()));
  }
  size_t at = 0;  // in what the session told, what it dropped apart
  for (size_t i = 0; i < std::min(frames.size(), list.frames.size()); ++i) {
    const std::string path = "frames[" + std::to_string(i) + "]";
    CompareMedibus(frames[i], list.frames[i], path, report);
    while (at < frames_heard && told.frames[at].verdict == FrameVerdict::kDiscarded) ++at;
    if (at >= frames_heard || told.frames[at].raw != list.frames[i].raw) {
      report->Differ(path, "told by the session", "not or out of order");
      return;
    }
    const ToldFrame& frame = told.frames[at++];
    const bool accepted = frame.verdict == FrameVerdict::kAccepted;
    if (accepted != frames[i].at("checksum_ok").get<bool>()) report->Differ(path, "the other verdict", frame.reason);
    if (accepted) {
      CompareReadings(frames[i], frame, path, report);
    } else if (!frame.readings.empty()) {
      report->Differ(path, "no readings", "readings");
    }
  }

  const Json errors = {{"truncated_frames", session.counters().truncated},
                       {"checksum_errors", session.counters().checksum_errors},
                       {"stray_bytes", session.stray_bytes()},
                       {"aborted_frames", session.counters().aborted}};
  Json expected_errors = expect.at("errors");
  if (!expected_errors.contains("aborted_frames")) expected_errors["aborted_frames"] = 0;
  Compare("errors", expected_errors, errors, report);
  Compare("flow_events", expect.contains("flow_events") ? expect["flow_events"] : Json::array(), list.flow, report);
  const uint64_t flow = session.suspends_heard() + session.resumes_heard();
  if (flow != list.flow.size()) report->Differ("flow_events", "heard by the session", std::to_string(flow));
}

void RunStreams(const Json& vector, Results* results) {
  const Json& stream = vector.at("stream");
  std::vector<uint8_t> bytes;
  Chunks as_given;
  if (stream.contains("chunks_hex")) {
    for (const Json& hex : stream["chunks_hex"]) {
      as_given.push_back(FromHex(hex.get<std::string>()));
      bytes.insert(bytes.end(), as_given.back().begin(), as_given.back().end());
    }
    RunStream(vector.at("expect"), as_given, results->Add("chunks as given"));
  } else {
    bytes = FromHex(stream.at("hex").get<std::string>());
  }
  for (const size_t size : {size_t{1}, size_t{7}, size_t{64}}) {
    RunStream(vector.at("expect"), Cut(bytes, size), results->Add("chunks of " + std::to_string(size)));
  }
  RunStream(vector.at("expect"), {bytes}, results->Add("all at once"));
}

void RunLegacy(const Json& vector, Report* report) {
  const std::string payload = vector.at("payload_text");
  const Json& expect = vector.at("expect");
  medibus::LegacyMessage message;
  if (!medibus::ReadLegacyMessage(payload, &message)) {
    report->Differ("payload_text", "a message", "none");
    return;
  }
  char utc[kIso8601Size + 1];
  utc[FormatIso8601(medibus::LegacyTime(message, 120), utc)] = '\0';
  const Json got = {{"device_id", std::string(message.node_id)},
                    {"timestamp_text", std::string(message.time_text)},
                    {"timestamp_utc_if_offset_plus2", utc}};
  Json head = expect;
  head.erase("frame");
  Compare("expect", head, got, report);

  // On through the listener that any frame goes through.
  const Bytes frame{message.frame.data(), message.frame_size};
  RunStream({{"frames", {expect.at("frame")}},
             {"errors", {{"truncated_frames", 0}, {"checksum_errors", 0}, {"stray_bytes", 0}}}},
            {std::vector<uint8_t>(frame.begin(), frame.end())}, report);
}

}  // namespace

bool ClaimsMedibus(const VectorFile& file) {
  return file.json.is_object() && file.json.value("format", "") == "medibus-vector/1";
}

void RunMedibus(const VectorFile& file, Results* results) {
  const std::string mode = file.json.at("mode");
  if (mode == "stream") {
    RunStreams(file.json, results);
  } else if (mode == "exchange") {
    RunMedibusExchange(file.json, results->Add(""));
  } else if (mode == "legacy-mqtt") {
    RunLegacy(file.json, results->Add(""));
  } else {
    results->Add("")->Differ("mode", "stream, exchange or legacy-mqtt", mode);
  }
}

}  // namespace vesta::vectors
