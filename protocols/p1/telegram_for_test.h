// Telegrams and a recording listener for the tests of the P1 protocol.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/p1/crc16.h"
#include "protocols/p1/session.h"

namespace vesta::p1 {

inline Bytes AsBytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

inline constexpr std::string_view kTestHeader = "/TST5\\2TEST";

// Lines with CR LF, an end mark and the right checksum.
inline std::string MakeTelegram(const std::vector<std::string>& lines, std::string_view header = kTestHeader,
                                bool with_crc = true) {
  std::string text = std::string(header) + "\r\n\r\n";
  for (const std::string& line : lines) text += line + "\r\n";
  text += "!";
  char crc[8] = "";
  if (with_crc) std::snprintf(crc, sizeof(crc), "%04X", Crc16Arc(AsBytes(text)));
  return text + crc + "\r\n";
}

inline constexpr UtcUs kJune_us = 1718447696 * kUsPerSecond;  // 2024-06-15T10:34:56Z = 240615123456S

inline const std::vector<std::string> kBasicLines = {
    "1-3:0.2.8(50)",     "0-0:1.0.0(240615123456S)", "0-0:96.1.1(4530303532)", "1-0:1.8.1(004321.123*kWh)",
    "0-0:96.14.0(0002)", "1-0:1.7.0(00.512*kW)",
};

inline std::vector<std::string> With(std::vector<std::string> lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

// The same lines with another clock.
inline std::vector<std::string> At(std::vector<std::string> lines, const std::string& clock) {
  for (std::string& line : lines) {
    if (line.rfind("0-0:1.0.0(", 0) == 0) line = "0-0:1.0.0(" + clock + ")";
  }
  return lines;
}

struct SeenDevice {
  uint16_t slot;
  std::string identity;
  bool on_wire;
  DeviceKind kind;
  std::string manufacturer;
  std::string model;
  std::string firmware;
  uint16_t parent;
};

struct SeenReading {
  uint16_t device;
  std::string key;
  Value value;
  std::string text;  // of a text; else the decimal
  ValueQuality quality;
  TimeQuality time_quality;
  UtcUs time_us;
  uint16_t index;
  uint8_t flags;
};

struct SeenFrame {
  FrameVerdict verdict;
  std::string reason;
  std::string raw;
  uint64_t offset;
  bool encrypted;
  std::vector<SeenReading> readings;

  const SeenReading* Find(std::string_view key, uint16_t device = kNoDevice) const {
    for (const SeenReading& r : readings) {
      if (r.key == key && (device == kNoDevice || r.device == device)) return &r;
    }
    return nullptr;
  }
  size_t Count(std::string_view key) const {
    return static_cast<size_t>(
        std::count_if(readings.begin(), readings.end(), [key](const SeenReading& r) { return r.key == key; }));
  }
};

class Recorder : public SessionEvents {
 public:
  void OnDevice(uint16_t slot, const DeviceInfo& d) override {
    devices.push_back({slot, std::string(d.identity), d.identity_on_wire, d.kind, std::string(d.manufacturer),
                       std::string(d.model), std::string(d.firmware), d.parent});
  }
  void OnFrame(const FrameEvent& f) override {
    SeenFrame seen{f.verdict, f.reason, std::string(f.raw.begin(), f.raw.end()), f.stream_offset, f.link_encrypted, {}};
    for (const Reading& r : f.readings) {
      std::string text;
      if (r.value.kind() == ValueKind::kText) text = std::string(r.value.text());
      if (r.value.kind() == ValueKind::kDecimal) {
        char decimal[kDecimalTextSize];
        text = std::string(decimal, FormatDecimal(r.value.decimal(), decimal));
      }
      const Value kept = r.value.kind() == ValueKind::kText ? Value::None() : r.value;
      seen.readings.push_back(
          {r.device, Fields()[r.field].key, kept, text, r.quality, r.time_quality, r.time_us, r.index, r.flags});
    }
    frames.push_back(std::move(seen));
  }
  const SeenFrame& last() const { return frames.back(); }

  std::vector<SeenDevice> devices;
  std::vector<SeenFrame> frames;
};

// A session with its recorder and clock.
struct Bench {
  explicit Bench(const Options& options = Options()) : session(options) {
    now.utc_us = kJune_us;
    now.clock = ClockQuality::kSynchronised;
  }
  const SeenFrame& Send(std::string_view bytes) {
    session.Receive(AsBytes(bytes), now, recorder);
    now.monotonic_us += 100 * kUsPerMs;
    return recorder.last();
  }
  void Pass(int64_t us) {
    now.monotonic_us += us;
    session.Tick(now, recorder);
  }
  void Reset() { session.LinkReset(now, recorder); }

  P1Session session;
  Recorder recorder;
  Now now;
};

}  // namespace vesta::p1
