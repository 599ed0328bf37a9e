#include "tests/vector_runner/medibus_exchange.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include "protocols/medibus/read_only_check_for_test.h"
#include "tests/vector_runner/medibus_readings.h"

namespace vesta::vectors {
namespace {

using medibus::MedibusSession;

constexpr int64_t kStep_us = 5 * kUsPerMs;
constexpr int64_t kAnswerWithin_us = kUsPerSecond;        // a strict answer
constexpr int64_t kRequestWithin_us = 90 * kUsPerSecond;  // the slowest request comes once a minute
constexpr int64_t kPlayerDelay_us = 20 * kUsPerMs;
constexpr int64_t kAfterwards_us = 1500 * kUsPerMs;  // realtime samples are handed on within a second

// Frames of the host as the device hears them.
class HostFrames : public medibus::ParserSink {
 public:
  void OnParsed(const medibus::Frame& frame) override { frames.push_back(Own(frame)); }
  void OnDropped(Bytes, uint64_t, const char* reason) override { dropped = reason; }
  void OnRealtimeByte(uint8_t byte, const Now&) override { realtime.push_back(byte); }
  void OnFlow(bool, const Now&) override { dropped = "flow"; }
  std::deque<OwnedFrame> frames;
  std::vector<uint8_t> realtime;
  std::string dropped;
};

class Player {
 public:
  Player(const Json& vector, Report* report)
      : steps_(vector.at("steps")), report_(report), session_(MakeOptions(steps_)), told_(&session_), parser_(&host_) {}

  void Run() {
    session_.LinkReset(now_, told_);
    for (at_ = 0; at_ < steps_.size() && !failed_; ++at_) {
      const Json& step = steps_[at_];
      const std::string dir = step.at("dir");
      if (dir == "none") {
        // Nothing from the device until the next step.
        silent_ = true;
        const int64_t until_us = at_ + 1 < steps_.size() ? steps_[at_ + 1].at("at_ms").get<int64_t>() * kUsPerMs : 0;
        const int64_t since_us = at_ > 0 ? steps_[at_ - 1].at("at_ms").get<int64_t>() * kUsPerMs : 0;
        Pass(std::max<int64_t>(until_us - since_us, 0));
        host_.frames.clear();  // what was asked into the silence stays without an answer
      } else if (dir == "device->host") {
        Send(step);
      } else {
        Await(step);
      }
    }
    Pass(kAfterwards_us);
    if (!check_.ok()) report_->Differ("sent", "messages that only read", check_.wrong());
    if (!host_.dropped.empty()) report_->Differ("sent", "whole frames", host_.dropped);
    if (session_.counters().checksum_errors != 0) report_->Differ("received", "whole frames", "checksum errors");
    CompareRealtime();
  }

 private:
  static medibus::Options MakeOptions(const Json& steps) {
    medibus::Options options;
    for (const Json& step : steps) {
      if (step.at("hex").get<std::string>().rfind("1B53", 0) == 0) options.link.realtime_streams = 2;
    }
    return options;
  }

  std::string Path() const { return "steps[" + std::to_string(at_) + "]"; }

  void Fail(const std::string& expected, const std::string& got) {
    report_->Differ(Path(), expected, got);
    failed_ = true;
  }

  void Tick() {
    now_.monotonic_us += kStep_us;
    now_.utc_us += kStep_us;
    if (session_.next_deadline_us() <= now_.monotonic_us) session_.Tick(now_, told_);
    TakeFromHost();
  }

  void TakeFromHost() {
    const Bytes bytes = session_.Transmit();
    const std::vector<uint8_t> sent(bytes.begin(), bytes.end());
    session_.Transmitted(sent.size());
    check_.Take(sent);
    parser_.Receive(sent, now_);
  }

  void Deliver(const std::vector<uint8_t>& bytes) { session_.Receive(bytes, now_, told_); }

  void Pass(int64_t us) {
    for (int64_t t = 0; t < us; t += kStep_us) {
      Tick();
      if (!silent_) AnswerOthers();
    }
  }

  // The code of the next request that the vector waits for, from the step at hand on.
  std::optional<uint8_t> NextRequest() const {
    for (size_t i = at_; i < steps_.size(); ++i) {
      if (steps_[i].at("dir") != "host->device") continue;
      const std::vector<uint8_t> bytes = FromHex(steps_[i].at("hex").get<std::string>());
      if (bytes[0] == medibus::kEsc) return bytes[1];
    }
    return std::nullopt;
  }

  // What the vector does not wait for is answered without content; the answers of the host are left for their steps.
  void AnswerOthers() {
    const std::optional<uint8_t> wanted = NextRequest();
    for (size_t i = 0; i < host_.frames.size();) {
      const OwnedFrame& frame = host_.frames[i];
      if (!frame.is_command || wanted == frame.code) {
        ++i;
        continue;
      }
      std::vector<uint8_t> answer = {medibus::kSoh, frame.code};
      const uint8_t sum = medibus::Checksum(answer);
      answer.push_back(static_cast<uint8_t>("0123456789ABCDEF"[sum >> 4]));
      answer.push_back(static_cast<uint8_t>("0123456789ABCDEF"[sum & 0xF]));
      answer.push_back(medibus::kCr);
      host_.frames.erase(host_.frames.begin() + static_cast<std::ptrdiff_t>(i));
      Deliver(answer);
      TakeFromHost();
    }
  }

  void Send(const Json& step) {
    silent_ = false;
    Pass(kPlayerDelay_us);
    const size_t before = told_.frames.size();
    const std::vector<uint8_t> bytes = FromHex(step.at("hex").get<std::string>());
    Deliver(bytes);
    sent_at_us_ = now_.monotonic_us;
    const Json& expect = step.at("expect");
    const Json frames = expect.contains("frames") ? expect["frames"] : Json::array({expect});
    if (expect.contains("realtime")) realtime_ = expect["realtime"];
    if (realtime_.size() > 0) realtime_bytes_ = bytes;
    if (told_.frames.size() != before + frames.size()) {
      return Fail(std::to_string(frames.size()) + " frames", std::to_string(told_.frames.size() - before));
    }
    for (size_t i = 0; i < frames.size(); ++i) {
      const ToldFrame& told = told_.frames[before + i];
      if ((told.verdict == FrameVerdict::kAccepted) != frames[i].at("checksum_ok").get<bool>()) {
        Fail("the verdict of the checksum", told.reason);
      }
      CompareMedibus(frames[i], Parsed(told.raw), Path(), report_);
      CompareReadings(frames[i], told, Path(), report_);
    }
    if (expect.contains("data") && expect["data"].at("type") == "device_id" && expect["data"].contains("id_number")) {
      const std::string identity =
          expect["data"]["id_number"].get<std::string>() + " " + expect["data"]["name"].get<std::string>();
      bool found = false;
      for (const auto& [slot, told] : told_.devices) found = found || told == identity;
      if (!found) Fail("the device " + identity, "none");
    }
    TakeFromHost();
  }

  static OwnedFrame Parsed(const std::vector<uint8_t>& raw) {
    HostFrames sink;
    medibus::Parser parser(&sink);
    parser.Receive(raw, Now());
    return sink.frames.empty() ? OwnedFrame() : sink.frames[0];
  }

  void Await(const Json& step) {
    const std::vector<uint8_t> bytes = FromHex(step.at("hex").get<std::string>());
    if (bytes[0] >= medibus::kRealtimeBit) return AwaitRealtime(bytes);
    const bool is_answer = bytes[0] == medibus::kSoh;
    const int64_t since_us = is_answer ? sent_at_us_ : now_.monotonic_us;
    const int64_t limit_us = since_us + (is_answer ? kAnswerWithin_us : kRequestWithin_us);
    while (true) {
      if (!silent_) AnswerOthers();
      for (size_t i = 0; i < host_.frames.size(); ++i) {
        const OwnedFrame frame = host_.frames[i];
        if (frame.is_command == is_answer || frame.code != bytes[1]) continue;
        host_.frames.erase(host_.frames.begin() + static_cast<std::ptrdiff_t>(i));
        const bool strict = step.value("strict", false);
        if (strict && frame.raw != bytes) Fail("these bytes", "others");
        return;
      }
      if (now_.monotonic_us >= limit_us) return Fail(step.at("text").get<std::string>(), "nothing in time");
      Tick();
    }
  }

  void AwaitRealtime(const std::vector<uint8_t>& bytes) {
    const int64_t limit_us = now_.monotonic_us + kRequestWithin_us;
    while (host_.realtime.size() < bytes.size() && now_.monotonic_us < limit_us) {
      AnswerOthers();
      Tick();
    }
    if (host_.realtime != bytes) Fail("streams enabled", "other bytes");
    host_.realtime.clear();
  }

  // The readings, and below them the records as the product's decoder finds them.
  void CompareRealtime() {
    std::vector<double> values;
    Json records = Json::array();
    for (const Json& record : realtime_) {
      for (const Json& value : record.at("values")) values.push_back(value.get<double>());
      Json bare = record;
      bare.erase("values");
      records.push_back(bare);
    }
    std::vector<double> told;
    for (const ToldReading& reading : told_.realtime) {
      if (reading.value.kind() == ValueKind::kReal) told.push_back(reading.value.real());
    }
    bool same = told.size() == values.size();
    for (size_t i = 0; same && i < told.size(); ++i) same = std::abs(told[i] - values[i]) < 0.001;
    if (!same) report_->Differ("realtime", std::to_string(values.size()) + " values", "others");

    Json got = Json::array();
    medibus::RealtimeDecoder decoder;
    for (const uint8_t byte : realtime_bytes_) {
      medibus::RealtimeRecord record;
      if (byte < medibus::kRealtimeBit || !decoder.Take(byte, &record)) continue;
      Json one = {{"streams", Json::array()}, {"bin", Json::array()}};
      for (unsigned i = 0; i < medibus::kMaxRealtimeStreams; ++i) {
        if ((record.mask & (1u << i)) == 0) continue;
        one["streams"].push_back(i);
        one["bin"].push_back(record.bin[i]);
      }
      if (record.mark == medibus::BreathMark::kInspiration) one["sync"] = "inspiration_start";
      if (record.mark == medibus::BreathMark::kExpiration) one["sync"] = "expiration_start";
      got.push_back(one);
    }
    Compare("realtime", records, got, report_);
  }

  const Json& steps_;
  Report* report_;
  MedibusSession session_;
  ToldFrames told_;
  HostFrames host_;
  medibus::Parser parser_;
  medibus::ReadOnlyCheck check_;
  Now now_;
  size_t at_ = 0;
  bool failed_ = false;
  bool silent_ = false;
  int64_t sent_at_us_ = 0;
  Json realtime_ = Json::array();
  std::vector<uint8_t> realtime_bytes_;
};

}  // namespace

void RunMedibusExchange(const Json& vector, Report* report) { Player(vector, report).Run(); }

}  // namespace vesta::vectors
