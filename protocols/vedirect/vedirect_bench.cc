// Prints how many text blocks a second one core turns into readings: "bar NAME VALUE LIMIT ok|short", at least LIMIT.
//
// Blocks of a solar charger with 20 fields, each with values of its own, in chunks as a serial port delivers them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "protocols/vedirect/vedirect_for_test.h"

namespace {

using vesta::vedirect::VedirectSession;

constexpr int kRounds = 5;  // the median counts
constexpr size_t kBlocks = 2000;
constexpr int kLoops = 10;
constexpr size_t kChunk = 64;
constexpr double kBlocksPerSecondLimit = 100000;

class Counter : public vesta::SessionEvents {
 public:
  void OnDevice(uint16_t, const vesta::DeviceInfo&) override {}
  void OnFrame(const vesta::FrameEvent& frame) override {
    accepted += frame.verdict == vesta::FrameVerdict::kAccepted;
    readings += frame.readings.size();
  }
  size_t accepted = 0;
  size_t readings = 0;
};

std::string Stream() {
  std::string stream;
  for (size_t i = 0; i < kBlocks; ++i) {
    stream += vesta::vedirect::Block({{"PID", "0xA053"},
                                      {"FW", "159"},
                                      {"SER#", "HQ2101ABCDE"},
                                      {"V", std::to_string(12000 + i)},
                                      {"I", std::to_string(i * 7)},
                                      {"VPV", std::to_string(31000 + i)},
                                      {"PPV", std::to_string(i % 200)},
                                      {"CS", "3"},
                                      {"MPPT", "2"},
                                      {"OR", "0x00000000"},
                                      {"ERR", "0"},
                                      {"LOAD", "ON"},
                                      {"IL", std::to_string(i % 900)},
                                      {"H19", std::to_string(8272 + i)},
                                      {"H20", std::to_string(i)},
                                      {"H21", "119"},
                                      {"H22", "25"},
                                      {"H23", "300"},
                                      {"HSDS", "274"},
                                      {"Relay", "OFF"}});
  }
  return stream;
}

}  // namespace

int main() {
  const std::string text = Stream();
  const vesta::Bytes stream = vesta::vedirect::AsBytes(text);
  std::vector<double> per_second;
  bool honest = true;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int loop = 0; loop < kLoops; ++loop) {
      VedirectSession session{vesta::vedirect::Options()};
      Counter counter;
      const vesta::Now now;
      session.LinkReset(now, counter);
      for (size_t at = 0; at < stream.size(); at += kChunk) {
        session.Receive(stream.subspan(at, std::min(kChunk, stream.size() - at)), now, counter);
      }
      honest = honest && counter.accepted == kBlocks && counter.readings >= kBlocks * 12;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    per_second.push_back(kLoops * kBlocks / took.count());
  }
  if (!honest) {
    std::fprintf(stderr, "vedirect_bench: not every block gave its readings\n");
    return 1;
  }
  std::sort(per_second.begin(), per_second.end());
  const double median = per_second[per_second.size() / 2];
  const bool ok = median >= kBlocksPerSecondLimit;
  std::printf("bar vedirect_blocks_per_s %.0f %.0f %s\n", median, kBlocksPerSecondLimit, ok ? "ok" : "short");
  return ok ? 0 : 1;
}
