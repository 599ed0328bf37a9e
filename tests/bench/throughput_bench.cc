// From a frame's bytes to committed readings: P1 session, intake, live view, journal and SQLite store with fsync,
// everything of one hub but the transport, all threads pinned to one core. The input is the recorded stream of 566
// telegrams, over and over; every reading that the session gives must be in the store at the end, or the figure is not
// printed.
#include <fmt/format.h>
#include <sched.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <iterator>

#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/intake/session_line.h"
#include "hub/store/sqlite_store.h"
#include "tests/system/hub_process.h"

namespace vesta {
namespace {

constexpr int kRounds = 60;
constexpr size_t kChunkBytes = 4096;
constexpr double kLimitPerSecond = 100'000;
// A transport would be held back by a full pipe; here the loop holds itself back well below the journal's bound.
constexpr uint64_t kMostWaiting = 100'000;

void PinToOneCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(0, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

int Run() {
  std::ifstream file(VESTA_SOURCE_DIR "/tests/vectors/dsmr/str-real-isk-m550t-566.telegram", std::ios::binary);
  const std::vector<uint8_t> stream{std::istreambuf_iterator<char>(file), {}};
  if (stream.empty()) {
    fmt::print(stderr, "the recorded stream is missing\n");
    return 1;
  }
  PinToOneCore();
  const test::TempDirectory directory_path;
  boost::asio::io_context io(1);
  const auto work = boost::asio::make_work_guard(io);
  hub::SystemClock clock;
  hub::Directory directory;
  auto store = hub::SqliteStore::Open(directory_path.path() + "/vesta.db", {});
  auto state = (*store)->Restore();
  hub::Journal journal(io, clock, **store, directory, {});
  if (!journal.Open(*state)) return 1;
  hub::LiveView live(clock, directory);
  hub::SourceConfig config;
  config.protocol = "p1";
  hub::LineOptions options{"meter", "bench", "p1", "", hub::ArchivePolicy::kSampled, false};
  hub::SessionLine line(io, clock, options, hub::MakeSession(config), directory, journal, live);
  line.Opened();

  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) {
    for (size_t at = 0; at < stream.size(); at += kChunkBytes) {
      line.Received(Bytes(stream).subspan(at, std::min(kChunkBytes, stream.size() - at)));
      io.poll();
      while (journal.health().waiting_records > kMostWaiting) io.run_one();
    }
  }
  bool durable = false;
  journal.Flush([&] { durable = true; });
  while (!durable) io.run_one();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const uint64_t readings = line.health().readings;
  uint64_t stored = 0;
  auto reader = (*store)->OpenReader();
  for (hub::JournalNumber after = 0;;) {
    auto batch = (*reader)->ReadJournal(after, 10'000);
    if (!batch || batch->records.empty()) break;
    stored += batch->records.size();
    after = batch->records.back().number;
  }
  if (line.health().frames_accepted != 566u * kRounds || stored != readings || readings < 566u * kRounds * 20) {
    fmt::print(stderr, "{} frames, {} readings, {} stored\n", line.health().frames_accepted, readings, stored);
    return 1;
  }
  const double per_second = static_cast<double>(readings) / seconds;
  const bool ok = per_second >= kLimitPerSecond;
  fmt::print("bar frame_to_committed_readings_per_second {:.0f} {:.0f} {}\n", per_second, kLimitPerSecond,
             ok ? "ok" : "short");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() { return vesta::Run(); }
