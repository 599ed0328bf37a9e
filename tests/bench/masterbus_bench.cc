// Prints how many frames a second one core turns into readings: "bar NAME VALUE LIMIT ok|short".
//
// The captured start of a bus (discovery and values) and a whole hour of it over and over, in the datagram form that a
// source hands on.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "protocols/can_text.h"
#include "protocols/masterbus/session.h"

namespace {

constexpr int kRounds = 5;  // the median counts
constexpr int kLoops = 200;
constexpr double kLimitPerSecond = 1e6;

struct Counter : vesta::SessionEvents {
  void OnDevice(uint16_t, const vesta::DeviceInfo&) override {}
  void OnFrame(const vesta::FrameEvent& frame) override {
    frames += frame.verdict == vesta::FrameVerdict::kAccepted;
    readings += frame.readings.size();
  }
  size_t frames = 0;
  size_t readings = 0;
};

}  // namespace

int main() {
  std::vector<std::vector<uint8_t>> datagrams;
  std::ifstream log(VESTA_SOURCE_DIR "/tests/vectors/masterbus/boot-three-nodes.log");
  std::string line;
  while (std::getline(log, line)) {
    vesta::can::CandumpLine read;
    if (vesta::can::ParseCandumpLine(line, &read) != vesta::can::CandumpStatus::kFrame) continue;
    std::array<uint8_t, vesta::can::kMaxFrameSize> bytes;
    const size_t size = vesta::can::WriteFrame(*vesta::can::ClassicFrame(read.frame), bytes);
    datagrams.emplace_back(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
  }
  if (datagrams.size() != 1730) {
    std::fprintf(stderr, "masterbus_bench: the captured bus is not there\n");
    return 1;
  }
  std::vector<double> per_second;
  for (int round = 0; round < kRounds; ++round) {
    vesta::masterbus::MasterBusSession session{vesta::masterbus::Options()};
    Counter counter;
    vesta::Now now;
    const auto start = std::chrono::steady_clock::now();
    for (int loop = 0; loop < kLoops; ++loop) {
      for (const auto& datagram : datagrams) {
        now.monotonic_us += 500;
        session.Receive(datagram, now, counter);
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (counter.frames != datagrams.size() * kLoops || counter.readings < 196u * kLoops) {
      std::fprintf(stderr, "masterbus_bench: %zu frames, %zu readings\n", counter.frames, counter.readings);
      return 1;
    }
    per_second.push_back(static_cast<double>(counter.frames) / seconds);
  }
  std::sort(per_second.begin(), per_second.end());
  const double median = per_second[kRounds / 2];
  const bool ok = median >= kLimitPerSecond;
  std::printf("bar masterbus_frames_per_second %.0f %.0f %s\n", median, kLimitPerSecond, ok ? "ok" : "short");
  return ok ? 0 : 1;
}
