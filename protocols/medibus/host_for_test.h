// A session with a clock and a memory, for tests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/medibus/read_only_check_for_test.h"
#include "protocols/medibus/session.h"

namespace vesta::medibus {

struct HeardReading {
  std::string device;
  std::string key;
  ValueKind kind = ValueKind::kNone;
  double number = 0;  // of a decimal, a real or a state
  std::string text;
  ValueQuality quality = ValueQuality::kOk;
  UtcUs time_us = 0;
};

struct HeardFrame {
  FrameVerdict verdict;
  std::string reason;
  std::string raw;
  std::vector<HeardReading> readings;
};

class Host : public SessionEvents {
 public:
  explicit Host(const Options& options = {}) : session(options) {
    now.monotonic_us = 1'000'000'000;
    now.utc_us = 1767225600 * kUsPerSecond;
    now.clock = ClockQuality::kSynchronised;
  }

  void Open() { session.LinkReset(now, *this); }
  // A frame's content from SOH or ESC to before the checksum.
  void Hear(std::string_view content) { HearRaw(Whole(content)); }
  void HearRaw(std::string_view bytes) {
    session.Receive({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, now, *this);
  }
  static std::string Whole(std::string_view content) {
    std::string frame(content);
    const uint8_t sum = Checksum({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
    frame += "0123456789ABCDEF"[sum >> 4];
    frame += "0123456789ABCDEF"[sum & 0xF];
    return frame + '\r';
  }
  // Time passes, timers run.
  void Pass(int64_t us) {
    const int64_t until_us = now.monotonic_us + us;
    while (session.next_deadline_us() <= until_us) {
      const int64_t step_us = std::max<int64_t>(session.next_deadline_us() - now.monotonic_us, 0);
      now.monotonic_us += step_us;
      now.utc_us += step_us;
      const int64_t before_us = session.next_deadline_us();
      session.Tick(now, *this);
      if (session.next_deadline_us() <= now.monotonic_us && session.next_deadline_us() <= before_us) break;
    }
    now.utc_us += until_us - now.monotonic_us;
    now.monotonic_us = until_us;
  }
  // What the session wants to send, taken; checked against the list.
  std::string Sent() {
    const Bytes bytes = session.Transmit();
    std::string sent(TextOf(bytes));
    check.Take(bytes);
    session.Transmitted(sent.size());
    return sent;
  }
  // Brings the link up with a device: its identification.
  void Connect(std::string_view identification = "5700'Babyleo TN500'01.06:06.00") {
    Open();
    Pass(kFirstInitialise_us);
    Sent();
    Hear("\x01Q");
    Pass(kSettle_us);
    Sent();
    Hear("\x01R" + std::string(identification));
  }
  // Answers whatever is asked, empty, for a while.
  void Idle(int64_t us) {
    for (const int64_t until_us = now.monotonic_us + us; now.monotonic_us < until_us;) {
      const std::string sent = Sent();
      for (size_t i = 0; i + 1 < sent.size(); ++i) {
        if (sent[i] == kEsc) Hear(std::string("\x01") + sent[i + 1]);
      }
      if (sent.empty()) Pass(50 * kUsPerMs);
    }
  }

  void OnDevice(uint16_t slot, const DeviceInfo& info) override {
    devices[slot] = std::string(info.identity);
    infos[std::string(info.identity)] = std::string(info.model) + "|" + std::string(info.firmware);
  }
  void OnFrame(const FrameEvent& frame) override {
    HeardFrame heard{frame.verdict, frame.reason, std::string(TextOf(frame.raw)), {}};
    for (const Reading& r : frame.readings) {
      HeardReading reading;
      reading.device = devices.at(r.device);
      reading.key = session.fields()[r.field].key;
      reading.kind = r.value.kind();
      reading.number = r.value.kind() == ValueKind::kText ? 0 : r.value.ToDouble();
      if (r.value.kind() == ValueKind::kText) reading.text = std::string(r.value.text());
      reading.quality = r.quality;
      reading.time_us = r.time_us;
      latest[reading.device + "/" + reading.key] = reading;
      heard.readings.push_back(reading);
    }
    frames.push_back(heard);
  }
  const HeardReading& Latest(const std::string& key, const std::string& device = "5700-babyleo-tn500") {
    return latest[device + "/" + key];
  }

  MedibusSession session;
  ReadOnlyCheck check;
  Now now;
  std::vector<HeardFrame> frames;
  std::map<uint16_t, std::string> devices;
  std::map<std::string, std::string> infos;
  std::map<std::string, HeardReading> latest;
};

}  // namespace vesta::medibus
