#include "tests/crash/crash_loops.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "hub/store/sqlite_store.h"
#include "tests/crash/journal_life.h"
#include "tests/crash/power_cut_vfs.h"

namespace vesta::hub {
namespace {

constexpr char kPath[] = "/disk/vesta.db";
// Commits enough in one life to copy the write-ahead log back and to fold several times.
constexpr int kBatches = 160;
constexpr JournalNumber kBaseRecords = 500;

// A store with some readings in its journal that are not folded yet.
PowerCutVfs::Image NearlyFullTail() {
  PowerCutVfs disk("power-cut-base");
  SqliteStoreOptions options;
  options.vfs = disk.name();
  {
    auto store = SqliteStore::Open(kPath, options);
    CommitUnit unit;
    unit.devices.resize(1);
    unit.devices[0].id = 1;
    unit.devices[0].key = "base";
    unit.devices[0].protocol = "test";
    unit.series.resize(1);
    unit.series[0].id = 1;
    unit.series[0].device = 1;
    unit.series[0].field.key = "base";
    unit.batches.emplace_back();
    for (uint64_t i = 1; i < kBaseRecords; ++i) {
      Record record;
      record.number = i;
      record.series = 1;
      record.time_us = 1754900000 * kUsPerSecond + static_cast<int64_t>(i);
      record.received_us = record.time_us;
      record.value = Value::OfInteger(1);
      unit.batches[0].Add(record);
    }
    unit.reserved_numbers_end = kBaseRecords;
    if (!store || !(*store)->Commit(unit)) return {};
  }
  return disk.Save();
}

class Quiet {
 public:
  Quiet() : before_(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~Quiet() { spdlog::set_level(before_); }

 private:
  spdlog::level::level_enum before_;
};

// Points in a whole life on this disk.
uint64_t CountPoints(const PowerCutVfs::Image& base, uint32_t seed) {
  PowerCutVfs disk("power-cut-count");
  if (!base.empty()) disk.Load(base);
  LifeOptions life{kPath, disk.name(), true, seed, kBatches};
  Live(
      life, {}, [](const LifeReport&) {}, [] { return false; });
  return disk.points();
}

}  // namespace

CrashResult PowerCutLoop(uint64_t points, uint32_t seed, bool fsync) {
  const Quiet quiet;
  CrashResult result;
  std::mt19937 random(seed);
  const PowerCutVfs::Image nearly_full = NearlyFullTail();
  const PowerCutVfs::Image empty;
  const uint64_t whole_life[] = {CountPoints(empty, seed), CountPoints(nearly_full, seed)};
  while (result.points < points) {
    // Every fourth disk is a new one, whose file is made under the cuts.
    const bool is_new = random() % 4 == 0;
    PowerCutVfs disk("power-cut");
    if (!is_new) disk.Load(nearly_full);
    std::vector<LifeReport> lives;
    for (int life = 0; life < 2; ++life, ++result.points) {
      const auto life_seed = static_cast<uint32_t>(random());
      const auto reboot_seed = static_cast<uint32_t>(random());
      // The first points make the file; they are few and each deserves its share.
      const uint64_t point = 1 + (random() % 8 == 0 ? random() % 40 : random() % whole_life[is_new ? 0 : 1]);
      disk.CutAt(point);
      LifeReport report;
      std::string error = Live(
          {kPath, disk.name(), fsync, life_seed, kBatches}, lives, [&](const LifeReport& told) { report = told; },
          [&] { return disk.off(); });
      lives.push_back(report);
      result.acknowledged += report.acknowledged();
      disk.Reboot(reboot_seed);
      if (error.empty()) error = Verify(kPath, disk.name(), lives);
      if (!error.empty()) {
        result.error = fmt::format("{} disk, life {}, cut at point {}, seeds {} and {}: {}", is_new ? "new" : "used",
                                   life, point, life_seed, reboot_seed, error);
        return result;
      }
    }
  }
  return result;
}

namespace {

// Lives in a process of its own until it is killed; reports through the pipe.
[[noreturn]] void LiveAndReport(const LifeOptions& options, const std::vector<LifeReport>& lives, int pipe_fd) {
  const std::string error = Live(
      options, lives,
      [pipe_fd](const LifeReport& report) {
        if (write(pipe_fd, &report, sizeof(report)) != static_cast<ssize_t>(sizeof(report))) _exit(3);
      },
      [] { return false; });
  if (!error.empty()) fmt::print(stderr, "{}\n", error);
  _exit(error.empty() ? 0 : 2);
}

}  // namespace

CrashResult SigkillLoop(uint64_t points, uint32_t seed, const std::string& folder) {
  const Quiet quiet;
  CrashResult result;
  std::mt19937 random(seed);
  const std::string path = folder + "/vesta.db";
  constexpr uint64_t kLivesPerFile = 20;  // or checking it would take longer than the lives
  std::vector<LifeReport> lives;
  for (; result.points < points; ++result.points) {
    if (result.points % kLivesPerFile == 0) {
      lives.clear();
      for (const auto& file : std::filesystem::directory_iterator(folder)) std::filesystem::remove(file.path());
    }
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) return {result.points, result.acknowledged, "no pipe"};
    const auto life_seed = static_cast<uint32_t>(random());
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_fds[0]);
      LiveAndReport({path, "", true, life_seed, 1 << 20}, lives, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    // Every other life is killed at any moment from its start on, the others at any moment after their first report: on
    // a slow machine a life would else never get as far as to lose something.
    const std::chrono::microseconds delay(random() % 60000);
    const bool let_it_report = result.points % 2 == 0;
    std::atomic<bool> reported{false};
    // The pipe is read to its end after the kill: what was reported before counts.
    std::thread killer([child, delay, let_it_report, &reported] {
      const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (let_it_report && !reported && std::chrono::steady_clock::now() < limit) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::this_thread::sleep_for(delay);
      kill(child, SIGKILL);
    });
    LifeReport report;
    LifeReport told;
    while (read(pipe_fds[0], &told, sizeof(told)) == static_cast<ssize_t>(sizeof(told))) {
      report = told;
      reported = true;
    }
    close(pipe_fds[0]);
    killer.join();
    int status = 0;
    waitpid(child, &status, 0);
    lives.push_back(report);
    result.acknowledged += report.acknowledged();
    std::string error;
    if (!WIFSIGNALED(status)) error = fmt::format("the process ended by itself with {}", WEXITSTATUS(status));
    // A life may have given out numbers that it had no time to report.
    if (error.empty()) error = Verify(path, "", lives);
    if (!error.empty()) {
      result.error = fmt::format("kill {}, seed {}: {}", result.points, life_seed, error);
      return result;
    }
  }
  return result;
}

}  // namespace vesta::hub
