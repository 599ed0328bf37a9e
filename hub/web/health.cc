#include "hub/web/health.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vesta::hub {
namespace {

void JudgeSource(const SourceHealth& source, int64_t now_us, std::vector<std::string>* reasons) {
  const std::string why = source.error.empty() ? "" : ": " + source.error;
  switch (source.state) {
    case SourceState::kStopped:
      return;  // switched off: nothing is promised of it
    case SourceState::kFailed:
      reasons->push_back(fmt::format("source {} can't work{}", source.name, why));
      return;
    case SourceState::kWaiting:
      reasons->push_back(fmt::format("source {} is not open{}", source.name, why));
      return;
    case SourceState::kOpening:
    case SourceState::kOpen:
      break;
  }
  if (source.last_frame_monotonic_us == INT64_MIN) {
    if (!source.hint.empty()) reasons->push_back(fmt::format("source {}: {}", source.name, source.hint));
    return;
  }
  const int64_t limit_us = std::clamp(source.interval_us ? *source.interval_us * 3 : kDefaultStaleAfter_us,
                                      kMinStaleAfter_us, kMaxStaleAfter_us);
  const int64_t age_us = now_us - source.last_frame_monotonic_us;
  if (age_us > limit_us) {
    reasons->push_back(fmt::format("source {} is silent for {} s", source.name, age_us / kUsPerSecond));
  }
}

}  // namespace

std::string_view StatusName(Verdict::Status status) {
  if (status == Verdict::Status::kOk) return "ok";
  return status == Verdict::Status::kDegraded ? "degraded" : "failing";
}

Verdict JudgeHealth(const ApiContext& context) {
  Verdict verdict;
  const Now now = context.clock.Read();
  const JournalHealth& journal = context.journal_health();
  if (!journal.error.empty()) {
    verdict.status = Verdict::Status::kFailing;
    verdict.reasons.push_back("readings can't be written to disk: " + journal.error);
    for (const SourceHealth& source : context.sources()) {
      if (!source.commit_each_frame || source.frames_pending + source.frames_refused == 0) continue;
      verdict.reasons.push_back(fmt::format("source {}: frames are heard and not received ({} wait, {} were refused)",
                                            source.name, source.frames_pending, source.frames_refused));
    }
  }
  std::vector<std::string> lesser = context.state().problems;
  for (const SourceHealth& source : context.sources()) JudgeSource(source, now.monotonic_us, &lesser);
  for (const OutputHealth& output : context.outputs()) {
    if (output.connected) continue;
    lesser.push_back(
        fmt::format("output {} is not connected{}", output.name, output.error.empty() ? "" : ": " + output.error));
  }
  if (context.directory.refused() > 0) lesser.push_back("there are more devices or series than the hub takes");
  if (verdict.status == Verdict::Status::kOk && !lesser.empty()) verdict.status = Verdict::Status::kDegraded;
  verdict.reasons.insert(verdict.reasons.end(), lesser.begin(), lesser.end());
  return verdict;
}

ProcessFacts ReadProcessFacts() {
  ProcessFacts facts;
  if (FILE* const file = std::fopen("/proc/self/statm", "re")) {
    unsigned long pages = 0;
    if (std::fscanf(file, "%*u %lu", &pages) == 1) {
      facts.resident_bytes = uint64_t{pages} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    }
    std::fclose(file);
  }
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto us = [](const timeval& t) {
      return static_cast<uint64_t>(t.tv_sec) * 1000000 + static_cast<uint64_t>(t.tv_usec);
    };
    facts.cpu_us = us(usage.ru_utime) + us(usage.ru_stime);
  }
  if (DIR* const folder = opendir("/proc/self/fd")) {
    while (const dirent* const entry = readdir(folder)) facts.open_files += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    if (facts.open_files > 0) --facts.open_files;  // the folder itself
  }
  return facts;
}

}  // namespace vesta::hub
