#include "simulators/incubator_fault_run.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "simulators/incubator.h"

namespace vesta::simulators {
namespace {

constexpr uint64_t kSeeds = 24;
constexpr double kHours = 4;

// The full size is the benchmark's. VESTA_MEDIBUS_SEED=N replays one seed.
TEST(IncubatorFaultRun, NothingIsLostAndTheSessionComesBack) {
  const char* only = std::getenv("VESTA_MEDIBUS_SEED");
  const uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const uint64_t last = only == nullptr ? kSeeds : first;
  uint64_t whole = 0, harmed = 0, bouts = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const FaultRunResult run = RunIncubatorFaults(seed, kHours);
    ASSERT_EQ(run.failure, "") << "replay with VESTA_MEDIBUS_SEED=" << seed;
    EXPECT_GT(run.sessions, 1u);
    whole += run.frames_whole;
    harmed += run.frames - run.frames_whole;
    bouts += run.bouts;
  }
  if (only != nullptr) return;
  // The run is worth nothing when hardly anything happens in it.
  EXPECT_GT(whole, 100'000u);
  EXPECT_GT(harmed, 5'000u);
  EXPECT_GT(bouts, 200u);
}

TEST(IncubatorFaultRun, TheSameSeedIsTheSameRun) {
  const FaultRunResult a = RunIncubatorFaults(7, 1);
  const FaultRunResult b = RunIncubatorFaults(7, 1);
  EXPECT_EQ(a.frames, b.frames);
  EXPECT_EQ(a.messages_sent, b.messages_sent);
  EXPECT_NE(a.frames, RunIncubatorFaults(8, 1).frames);
}

TEST(IncubatorFaults, AreReadByName) {
  IncubatorFault fault;
  std::string error;
  ASSERT_TRUE(ParseIncubatorFault("noise:7", &fault, &error));
  EXPECT_EQ(fault.kind, IncubatorFaultKind::kNoise);
  EXPECT_EQ(fault.amount, 7);
  ASSERT_TRUE(ParseIncubatorFault("clock-drift:-30", &fault, &error));
  EXPECT_EQ(fault.amount, -30);
  EXPECT_FALSE(ParseIncubatorFault("noise:0", &fault, &error));
  EXPECT_FALSE(ParseIncubatorFault("fire", &fault, &error));
  EXPECT_NE(error.find("lost-bytes"), std::string::npos);
}

}  // namespace
}  // namespace vesta::simulators
