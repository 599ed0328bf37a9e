// The crash loops in full size: crash_bench [POINTS [SEED]]
#include <fmt/format.h>

#include <cstdlib>

#include "hub/store/temporary_store.h"
#include "tests/crash/crash_loops.h"

namespace {

bool Print(const char* bar, const vesta::hub::CrashResult& result, uint64_t limit) {
  const bool ok = result.error.empty() && result.points >= limit;
  fmt::print("{} acknowledged readings had to survive\n", result.acknowledged);
  if (!result.error.empty()) fmt::print("lost: {}\n", result.error);
  fmt::print("bar {} {} {} {}\n", bar, result.points, limit, ok ? "ok" : "short");
  std::fflush(stdout);
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr uint64_t kLimit = 500;
  const uint64_t points = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kLimit;
  const auto seed = static_cast<uint32_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1);
  bool ok = Print("store_power_cut_points", vesta::hub::PowerCutLoop(points, seed, true), kLimit);
  const vesta::hub::TemporaryFolder folder;
  ok &= Print("store_sigkill_points", vesta::hub::SigkillLoop(points, seed, folder.File("")), kLimit);
  return ok ? 0 : 1;
}
