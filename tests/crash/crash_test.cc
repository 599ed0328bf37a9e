// The crash loops in their small size, and the proof that they can fail.
#include <gtest/gtest.h>

#include "hub/store/temporary_store.h"
#include "tests/crash/crash_loops.h"

namespace vesta::hub {
namespace {

TEST(Crash, PowerCutsLoseNothing) {
  const CrashResult result = PowerCutLoop(60, 20250811, true);
  EXPECT_EQ(result.error, "");
  EXPECT_GE(result.points, 60u);
  EXPECT_GT(result.acknowledged, 10000u);
}

// Without fsync the same loop must find acknowledged readings missing, or a damaged file.
TEST(Crash, ThePowerCutLoopNoticesAMissingSync) {
  const CrashResult result = PowerCutLoop(60, 20250811, false);
  EXPECT_NE(result.error, "");
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
