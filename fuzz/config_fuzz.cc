// Any text as a configuration: no crash, and every complaint has its place. Files and the environment stay out of it.
#include <cstdint>
#include <cstdlib>

#include "hub/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vesta::hub::ConfigProblem;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto no_environment = [](const std::string&) { return std::nullopt; };
  const vesta::hub::LoadedConfig loaded = vesta::hub::LoadConfig(text, "/nowhere", no_environment);
  if (loaded.problems.size() > vesta::hub::kMaxProblems + 1) std::abort();
  if (!loaded.usable && loaded.problems.empty()) std::abort();
  for (const ConfigProblem& problem : loaded.problems) {
    if (problem.what.empty()) std::abort();
    if (vesta::hub::FormatProblem("fuzz", problem).empty()) std::abort();
  }
  return 0;
}
