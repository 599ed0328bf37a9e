// The crash loops in their small size, and the proof that they can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/store/temporary_store.h"
#include "tests/crash/crash_loops.h"

namespace vesta::hub {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(Crash, PowerCutsLoseNothing) {
  const CrashResult result = PowerCutLoop(60, 20250811, true);
  EXPECT_EQ(result.error, "");
  EXPECT_GE(result.points, 60u);
  EXPECT_GT(result.acknowledged, 10000u);
}

// Without fsync the same loop must find what was acknowledged missing, from any seed: readings gone without a trace, a
// hole in the journal, numbers that would be given out again, or a database of which pages are missing.
TEST(Crash, ThePowerCutLoopNoticesAMissingSync) {
  for (const uint32_t seed : {1u, 2u, 3u, 4u}) {
    const CrashResult result = PowerCutLoop(60, seed, false);
    EXPECT_THAT(result.error, AnyOf(HasSubstr("(acknowledged): 0 of"), HasSubstr("the journal is damaged: commit"),
                                    HasSubstr("would be given out again"), HasSubstr("is malformed")))
        << "seed " << seed;
  }
}

TEST(Crash, KillsLoseNothing) {
  const TemporaryFolder folder;
  const CrashResult result = SigkillLoop(40, 20250811, folder.File(""));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.points, 40u);
  EXPECT_GT(result.acknowledged, 1000u);
}

}  // namespace
}  // namespace vesta::hub
