// Prints whether a session outlives 10,000 hours on a bad line: "bar NAME VALUE LIMIT ok|short".
//
// medibus_fault_hours: simulated hours over all seeds in which everything held (incubator_fault_run.h).
// VESTA_MEDIBUS_SEED=N replays one seed; VESTA_MEDIBUS_HOURS=N runs so many hours in all.
#include <cstdio>
#include <cstdlib>

#include "simulators/incubator_fault_run.h"

namespace {

constexpr double kHours = 10000;
constexpr double kHoursPerSeed = 25;

double NumberOf(const char* variable, double otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtod(text, nullptr);
}

}  // namespace

int main() {
  const double wanted = NumberOf("VESTA_MEDIBUS_HOURS", kHours);
  const double only_seed = NumberOf("VESTA_MEDIBUS_SEED", 0);
  double hours = 0;
  double longest_s = 0;
  bool failed = false;
  uint64_t frames = 0, messages = 0, undetected = 0, bouts = 0;
  for (uint64_t seed = only_seed > 0 ? static_cast<uint64_t>(only_seed) : 1; hours < wanted; ++seed) {
    const vesta::simulators::FaultRunResult run = vesta::simulators::RunIncubatorFaults(seed, kHoursPerSeed);
    if (!run.failure.empty()) {
      failed = true;
      std::printf("%s\nreplay: VESTA_MEDIBUS_SEED=%llu\n", run.failure.c_str(), static_cast<unsigned long long>(seed));
      break;
    }
    hours += run.hours;
    frames += run.frames;
    messages += run.messages_sent;
    undetected += run.damage_undetected;
    bouts += run.bouts;
    if (run.longest_recovery_s > longest_s) longest_s = run.longest_recovery_s;
    if (only_seed > 0) break;
  }
  std::printf(
      "%llu bouts of faults, %llu frames of the device, %llu messages of the host, longest recovery %.1f s, "
      "%llu frames damaged beyond the checksum's sight\n",
      static_cast<unsigned long long>(bouts), static_cast<unsigned long long>(frames),
      static_cast<unsigned long long>(messages), longest_s, static_cast<unsigned long long>(undetected));
  const bool ok = !failed && (hours >= wanted || only_seed > 0);
  std::printf("bar medibus_fault_hours %.0f %.0f %s\n", hours, wanted, ok ? "ok" : "short");
  return ok ? 0 : 1;
}
