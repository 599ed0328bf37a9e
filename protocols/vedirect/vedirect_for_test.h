// For the tests of VE.Direct: blocks and frames made by hand, and a log of what a session says.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/vedirect/session.h"

namespace vesta::vedirect {

inline Bytes AsBytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// A block of these fields with its checksum.
inline std::string Block(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string block;
  for (const auto& [label, value] : fields) block += "\r\n" + label + "\t" + value;
  block += "\r\nChecksum\t";
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<uint8_t>(c);
  return block + static_cast<char>(-sum & 0xFF);
}

inline std::string Frame(uint8_t code, std::string_view data) {
  std::array<uint8_t, kMaxHexText> out;
  const size_t size = EncodeHex(code, AsBytes(data), out);
  return {reinterpret_cast<const char*>(out.data()), size};
}

struct SeenReading {
  std::string key;
  std::string text;  // a decimal's digits, a state's code, a text, or "-" for none
  uint16_t device;
  uint16_t index;
  ValueQuality quality;
  UtcUs time_us;
};

struct SeenFrame {
  FrameVerdict verdict;
  std::string reason;
  std::string raw;
  uint64_t offset;
  std::vector<SeenReading> readings;
};

class Log final : public SessionEvents {
 public:
  void OnDevice(uint16_t slot, const DeviceInfo& device) override {
    if (devices.size() <= slot) devices.resize(slot + 1);
    devices[slot] = {std::string(device.identity), device.identity_on_wire, std::string(device.model),
                     std::string(device.firmware), device.kind};
  }
  void OnFrame(const FrameEvent& frame) override {
    SeenFrame seen{frame.verdict, frame.reason, {frame.raw.begin(), frame.raw.end()}, frame.stream_offset, {}};
    for (const Reading& r : frame.readings) {
      seen.readings.push_back(
          {victron::Fields()[r.field].key, TextOf(r.value), r.device, r.index, r.quality, r.time_us});
    }
    frames.push_back(std::move(seen));
  }
  // The newest reading of a field; "" when there was none.
  std::string Last(std::string_view key) const {
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      for (auto reading = frame->readings.rbegin(); reading != frame->readings.rend(); ++reading) {
        if (reading->key == key) return reading->text;
      }
    }
    return "";
  }
  size_t Count(std::string_view key) const {
    size_t count = 0;
    for (const SeenFrame& frame : frames) {
      for (const SeenReading& reading : frame.readings) count += reading.key == key;
    }
    return count;
  }

  struct Device {
    std::string identity;
    bool on_wire = false;
    std::string model;
    std::string firmware;
    DeviceKind kind = DeviceKind::kOther;
  };
  std::vector<Device> devices;
  std::vector<SeenFrame> frames;

 private:
  static std::string TextOf(const Value& value) {
    if (value.is_none()) return "-";
    if (value.kind() == ValueKind::kText) return std::string(value.text());
    if (value.kind() == ValueKind::kState) return std::to_string(value.state());
    char text[kDecimalTextSize];
    return {text, FormatDecimal(value.decimal(), text)};
  }
};

// A session whose time is moved by hand.
struct Bench {
  explicit Bench(const Options& options = {}) : session(options) {
    now.utc_us = 1718447696 * kUsPerSecond;
    now.clock = ClockQuality::kSynchronised;
    session.LinkReset(now, log);
  }
  void Send(std::string_view text) { session.Receive(AsBytes(text), now, log); }
  void Pass(int64_t us) {
    const int64_t end_us = now.monotonic_us + us;
    while (session.next_deadline_us() <= end_us) {
      const int64_t step_us = std::max<int64_t>(session.next_deadline_us() - now.monotonic_us, 0);
      now.monotonic_us += step_us;
      now.utc_us += step_us;
      session.Tick(now, log);
      if (step_us == 0 && session.next_deadline_us() <= now.monotonic_us) break;  // the question stands
    }
    now.utc_us += end_us - now.monotonic_us;
    now.monotonic_us = end_us;
  }
  // What the session wants to say.
  std::string Asked() {
    const Bytes bytes = session.Transmit();
    std::string text(bytes.begin(), bytes.end());
    session.Transmitted(bytes.size());
    return text;
  }

  VedirectSession session;
  Log log;
  Now now;
};

}  // namespace vesta::vedirect
