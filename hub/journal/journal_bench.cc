// Journal and store alone: readings given to Append until all are durable, everything on one core, default options.
//
// 28 series, all of one second together, as a smart meter sends them; fsync included. The main thread appends as fast
// as the journal takes it: when too many wait it lets the writer go first, as a source that can wait does.
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>

#include "hub/clock/clock.h"
#include "hub/journal/journal.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

constexpr uint64_t kReadings = 3000000;
constexpr SeriesId kSeries = 28;
constexpr double kLimit = 100000;
// Far below what the journal would refuse.
constexpr uint64_t kPauseAt = kMaxWaitingRecords / 4;

double Run(const std::string& path) {
  auto store = OpenStore(path);
  const auto state = store->Restore();
  boost::asio::io_context io;
  const auto keep_running = boost::asio::make_work_guard(io);
  const SystemClock clock;
  Directory directory;
  DeviceInfo info;
  info.identity = "E1";
  info.identity_on_wire = true;
  const DeviceId device = directory.Resolve("bench", "bench", info, 0);
  for (SeriesId i = 0; i < kSeries; ++i) {
    const std::string key = fmt::format("field{}", i);
    Field field;
    field.key = key.c_str();
    directory.ResolveSeries(device, field);
  }
  Journal journal(io, clock, *store, directory, {});
  if (!journal.Open(*state)) return 0;

  const auto start = std::chrono::steady_clock::now();
  std::vector<Record> records(kSeries);
  UtcUs time_us = 1754900000 * kUsPerSecond;
  for (uint64_t given = 0; given < kReadings; given += kSeries, time_us += kUsPerSecond) {
    for (SeriesId i = 0; i < kSeries; ++i) {
      Record& record = records[i];
      record = {};
      record.series = i + 1;
      record.time_us = time_us;
      record.received_us = time_us + 412345;
      record.time_quality = TimeQuality::kDeviceClock;
      record.value = Value::OfDecimal(static_cast<int64_t>(1000 * i + (given * 7919) % 997), -3);
    }
    if (!journal.Append(records)) return 0;
    io.poll();
    while (journal.health().waiting_records > kPauseAt) io.run_one();
  }
  bool done = false;
  journal.Flush([&done] { done = true; });
  while (!done) io.run_one();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} commits, {:.1f} bytes a reading on disk\n", journal.health().commits,
             static_cast<double>(journal.health().store_bytes) / kReadings);
  return kReadings / took.count();
}

}  // namespace
}  // namespace vesta::hub

int main() {
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(0, &core);
  if (sched_setaffinity(0, sizeof(core), &core) != 0) fmt::print("not pinned to one core\n");
  const vesta::hub::TemporaryFolder folder;
  const double rate = vesta::hub::Run(folder.File("vesta.db"));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} kB resident at most, {:.2f} us of processor a reading\n", usage.ru_maxrss,
             (static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
              static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)) /
                 vesta::hub::kReadings);
  const bool ok = rate >= vesta::hub::kLimit;
  fmt::print("bar journal_readings_per_second {:.0f} {:.0f} {}\n", rate, vesta::hub::kLimit, ok ? "ok" : "short");
  return ok ? 0 : 1;
}
