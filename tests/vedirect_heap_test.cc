// A VE.Direct session takes its memory when it is made: nothing is allocated or freed while it works.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "protocols/vedirect/multiplexer.h"
#include "tests/counting_heap.h"

namespace vesta::vedirect {
namespace {

class Nobody : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override { ++devices; }
  void OnFrame(const FrameEvent& frame) override { readings += frame.readings.size(); }
  uint64_t devices = 0;
  uint64_t readings = 0;
};

class NoLines final : public Selector {
 public:
  bool Select(uint32_t) override { return true; }
};

std::vector<std::vector<uint8_t>> Streams() {
  std::vector<std::vector<uint8_t>> streams;
  for (const auto& entry : std::filesystem::directory_iterator(VESTA_SOURCE_DIR "/fuzz/seeds/vedirect")) {
    std::ifstream in(entry.path(), std::ios::binary);
    streams.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return streams;
}

void Drive(Session& session, int64_t step_us, Nobody& nobody) {
  const std::vector<std::vector<uint8_t>> streams = Streams();
  ASSERT_GE(streams.size(), 5u);
  Now now;
  const uint64_t before = g_allocations;
  session.LinkReset(now, nobody);
  for (int round = 0; round < 50; ++round) {
    for (const std::vector<uint8_t>& stream : streams) {
      session.Receive({stream.data() + 1, stream.size() - 1}, now, nobody);
      now.monotonic_us += step_us;
      session.Tick(now, nobody);
      session.Transmitted(session.Transmit().size());
    }
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_GT(nobody.readings, 500u);
}

TEST(VedirectSession, AllocatesNothingOnceItIsMade) {
  Options options;
  options.poll.enabled = true;
  const auto session = std::make_unique<VedirectSession>(options);
  Nobody nobody;
  Drive(*session, 300 * kUsPerMs, nobody);
}

TEST(Multiplexer, AllocatesNothingOnceItIsMade) {
  const uint32_t channels[] = {7, 6, 1, 0};
  Multiplexer multiplexer(Options(), channels, std::make_unique<NoLines>());
  Nobody nobody;
  Drive(multiplexer, 300 * kUsPerMs, nobody);
}

}  // namespace
}  // namespace vesta::vedirect
