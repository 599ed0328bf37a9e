// What a MEDIBUS session costs: frames a second, and the share of a core that one incubator at full polling takes.
//
// medibus_frame_us: a recorded session of a TN500, frame by frame to readings. medibus_200_incubators_core_percent: 200
// sessions whose devices answer at once, polled as fast as the rules allow (a cycle a second), for a minute of virtual
// time; the hub's own work is not in it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "protocols/medibus/session.h"

namespace {

using vesta::kUsPerSecond;
using vesta::medibus::MedibusSession;
using vesta::medibus::Options;

constexpr int kLoops = 500;
constexpr size_t kIncubators = 200;
constexpr int64_t kMinute_us = 60 * kUsPerSecond;
constexpr double kFrameLimit_us = 5;
constexpr double kCoreLimit_percent = 2.5;  // a tenth of what the hub may take for all of it

class Counter : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t, const vesta::DeviceInfo&) override {}
  void OnFrame(const vesta::FrameEvent& frame) override {
    frames += frame.raw.empty() ? 0 : 1;
    readings += frame.readings.size();
  }
  size_t frames = 0;
  size_t readings = 0;
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<uint8_t> Recording() {
  std::ifstream in(VESTA_SOURCE_DIR "/tests/vectors/medibus/capture-tn500-2019-part1.json");
  const std::string json((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::string mark = "\"hex\": \"";
  std::vector<uint8_t> bytes;
  for (size_t at = json.find(mark) + mark.size(); at + 1 < json.size() && json[at] != '"'; at += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(json.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

// Answers like a TN500: the same values each time.
std::string AnswerTo(char code) {
  std::string frame = std::string("\x01") + code;
  if (code == 'R') frame += "5700'Babyleo TN500'01.06:06.00";
  if (code == '$') frame += "6530.86631.66C 18 6D33.36E   0C2 0.8E4 183EC  53F1   4F3 101";
  if (code == ')') frame += "1A 31.5";
  if (code == '\'') frame += "C43O2 SENS ERR ";
  if (code == '*')
    frame +=
        "138Air Mode\x03"
        "16GHumidity Control active\x03"
        "A5CClosed Care Therapy\x03";
  if (code == '(') frame += "18:54:5403-APR-19";
  const uint8_t sum = vesta::medibus::Checksum({reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  frame += "0123456789ABCDEF"[sum >> 4];
  frame += "0123456789ABCDEF"[sum & 0xF];
  return frame + '\r';
}

bool PrintBar(const char* name, double value, double limit) {
  const bool ok = value <= limit;
  std::printf("bar %s %.3f %.3f %s\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

}  // namespace

int main() {
  const std::vector<uint8_t> bytes = Recording();
  if (bytes.size() < 1000) {
    std::fprintf(stderr, "medibus_bench: the recording is not there\n");
    return 1;
  }
  Counter heard;
  Options listener;
  listener.passive = true;
  MedibusSession recorded(listener);
  const double before_s = Seconds();
  for (int i = 0; i < kLoops; ++i) recorded.Receive(bytes, vesta::Now(), heard);
  const double frame_us = (Seconds() - before_s) * 1e6 / static_cast<double>(heard.frames);

  std::vector<std::string> answers;
  for (int code = 0; code < 128; ++code) answers.push_back(AnswerTo(static_cast<char>(code)));
  Options fastest;
  fastest.link.cycle_us = kUsPerSecond;
  fastest.link.alarm_period_us = kUsPerSecond;
  Counter polled;
  std::vector<std::unique_ptr<MedibusSession>> sessions;
  vesta::Now now;
  for (size_t i = 0; i < kIncubators; ++i) {
    sessions.push_back(std::make_unique<MedibusSession>(fastest));
    sessions.back()->LinkReset(now, polled);
  }
  const double polling_s = Seconds();
  for (; now.monotonic_us < kMinute_us; now.monotonic_us += 10000) {
    now.utc_us = now.monotonic_us;
    for (const std::unique_ptr<MedibusSession>& session : sessions) {
      if (session->next_deadline_us() > now.monotonic_us) continue;
      session->Tick(now, polled);
      for (vesta::Bytes sent = session->Transmit(); !sent.empty(); sent = session->Transmit()) {
        const std::string& answer = answers[sent[1] & 0x7F];
        session->Transmitted(sent.size());
        session->Receive({reinterpret_cast<const uint8_t*>(answer.data()), answer.size()}, now, polled);
      }
    }
  }
  const double percent = (Seconds() - polling_s) / (static_cast<double>(kMinute_us) / kUsPerSecond) * 100;
  std::printf(
      "%.0f frames a second; %zu incubators polled each second: %zu frames and %zu readings a second, "
      "%.4f %% of a core each, %zu bytes of session each beside its tables\n",
      1e6 / frame_us, kIncubators, polled.frames / 60, polled.readings / 60, percent / static_cast<double>(kIncubators),
      sizeof(MedibusSession));
  const bool frame_ok = PrintBar("medibus_frame_us", frame_us, kFrameLimit_us);
  const bool core_ok = PrintBar("medibus_200_incubators_core_percent", percent, kCoreLimit_percent);
  // Every session must have been polled: seven requests the first second, six after.
  const bool honest = polled.frames > kIncubators * 300 && heard.frames == static_cast<size_t>(kLoops) * 39;
  if (!honest) std::fprintf(stderr, "medibus_bench: %zu and %zu frames\n", heard.frames, polled.frames);
  return frame_ok && core_ok && honest ? 0 : 1;
}
