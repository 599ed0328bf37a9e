// A P1 session takes its memory when it is made: nothing is allocated or freed while it works.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "protocols/p1/session.h"
#include "tests/counting_heap.h"

namespace vesta::p1 {
namespace {

class Nobody : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override { ++events; }
  void OnFrame(const FrameEvent&) override { ++events; }
  uint64_t events = 0;
};

TEST(P1Session, AllocatesNothingOnceItIsMade) {
  std::vector<std::vector<uint8_t>> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(VESTA_SOURCE_DIR "/tests/vectors/dsmr")) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".telegram" && extension != ".bin") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  ASSERT_GT(inputs.size(), 100u);
  Options options;
  options.has_key = true;
  options.key = {0x8F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5A, 0x69, 0x78, 0x87, 0x96, 0xA5, 0xB4, 0xC3, 0xD2, 0xE1, 0xF0};
  options.repair_line_ends = true;
  options.lenient_end_mark = true;
  P1Session session(options);
  Nobody nobody;
  Now now;
  const uint64_t before = g_allocations;
  for (const std::vector<uint8_t>& input : inputs) {
    session.Receive(input, now, nobody);
    now.monotonic_us += 10 * kUsPerSecond;
    session.Tick(now, nobody);
    session.LinkReset(now, nobody);
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_GT(nobody.events, inputs.size());
  EXPECT_GT(session.counters().readings, 1000u);
}

}  // namespace
}  // namespace vesta::p1
