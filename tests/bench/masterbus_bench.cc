// Two bars of a MasterBus, each "bar NAME VALUE LIMIT ok|short".
//
// masterbus_frames_per_second: frames to readings on one core, the captured start of a bus over and over in the
// datagram form that a source hands on. masterbus_full_bus_percent: processor time of one hub, transport excepted, from
// those frames to committed readings (session, intake, live view, journal, SQLite with fsync), as a share of the time
// that a full bus of 250 kbit/s takes to carry them.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/intake/session_line.h"
#include "hub/store/sqlite_store.h"
#include "protocols/can_text.h"
#include "protocols/masterbus/session.h"
#include "tests/system/hub_process.h"

namespace vesta {
namespace {

constexpr int kRounds = 5;  // the median counts
constexpr int kLoops = 200;
constexpr int kHubLoops = 120;
constexpr size_t kFrames = 1730;
constexpr size_t kValues = 196;
constexpr double kLimitPerSecond = 1e6;
constexpr double kLimitPercent = 3;
constexpr double kBitsPerSecond = 250000;
// An extended frame without data, with the gap behind it and without stuff bits: the bus can't be faster.
constexpr size_t kFrameBits = 67;
constexpr uint64_t kMostWaiting = 100000;

struct Recorded {
  std::vector<std::vector<uint8_t>> datagrams;
  double bus_seconds = 0;
};

Recorded ReadLog() {
  Recorded recorded;
  std::ifstream log(VESTA_SOURCE_DIR "/tests/vectors/masterbus/boot-three-nodes.log");
  std::string line;
  while (std::getline(log, line)) {
    can::CandumpLine read;
    if (can::ParseCandumpLine(line, &read) != can::CandumpStatus::kFrame) continue;
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    const size_t size = can::WriteFrame(*can::ClassicFrame(read.frame), bytes);
    recorded.datagrams.emplace_back(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    recorded.bus_seconds += static_cast<double>(kFrameBits + 8u * read.frame.size) / kBitsPerSecond;
  }
  return recorded;
}

struct Counter : SessionEvents {
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override {
    frames += frame.verdict == FrameVerdict::kAccepted;
    readings += frame.readings.size();
  }
  size_t frames = 0;
  size_t readings = 0;
};

bool PrintBar(const char* name, double value, double limit, bool ok) {
  fmt::print("bar {} {:.2f} {:.2f} {}\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

bool DecodeBar(const Recorded& recorded) {
  std::vector<double> per_second;
  for (int round = 0; round < kRounds; ++round) {
    masterbus::MasterBusSession session{masterbus::Options()};
    Counter counter;
    Now now;
    const auto start = std::chrono::steady_clock::now();
    for (int loop = 0; loop < kLoops; ++loop) {
      for (const auto& datagram : recorded.datagrams) {
        now.monotonic_us += 500;
        session.Receive(datagram, now, counter);
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (counter.frames != kFrames * kLoops || counter.readings < kValues * kLoops) {
      fmt::print(stderr, "{} frames, {} readings\n", counter.frames, counter.readings);
      return false;
    }
    per_second.push_back(static_cast<double>(counter.frames) / seconds);
  }
  std::sort(per_second.begin(), per_second.end());
  const double median = per_second[kRounds / 2];
  return PrintBar("masterbus_frames_per_second", median, kLimitPerSecond, median >= kLimitPerSecond);
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool HubBar(const Recorded& recorded) {
  const test::TempDirectory directory_path;
  boost::asio::io_context io(1);
  const auto work = boost::asio::make_work_guard(io);
  hub::SystemClock clock;
  hub::Directory directory;
  auto store = hub::SqliteStore::Open(directory_path.path() + "/vesta.db", {});
  auto state = (*store)->Restore();
  hub::Journal journal(io, clock, **store, directory, {});
  if (!journal.Open(*state)) return false;
  hub::LiveView live(clock, directory);
  hub::SourceConfig config;
  config.protocol = "masterbus";
  hub::LineOptions options{"boat", "bench", "masterbus", "", hub::ArchivePolicy::kSampled, false};
  hub::SessionLine line(io, clock, options, hub::MakeSession(config), directory, journal, live);
  line.Opened();

  const double start = ProcessorSeconds();
  for (int loop = 0; loop < kHubLoops; ++loop) {
    for (const auto& datagram : recorded.datagrams) {
      line.Received(datagram);
      io.poll();
      while (journal.health().waiting_records > kMostWaiting) io.run_one();
    }
  }
  bool durable = false;
  journal.Flush([&] { durable = true; });
  while (!durable) io.run_one();
  const double used = ProcessorSeconds() - start;

  uint64_t stored = 0;
  auto reader = (*store)->OpenReader();
  for (hub::JournalNumber after = 0;;) {
    auto batch = (*reader)->ReadJournal(after, 10'000);
    if (!batch || batch->records.empty()) break;
    stored += batch->records.size();
    after = batch->records.back().number;
  }
  const uint64_t readings = line.health().readings;
  if (line.health().frames_accepted != kFrames * kHubLoops || stored != readings || readings < kValues * kHubLoops) {
    fmt::print(stderr, "{} frames, {} readings, {} stored\n", line.health().frames_accepted, readings, stored);
    return false;
  }
  const double percent = 100 * used / (recorded.bus_seconds * kHubLoops);
  return PrintBar("masterbus_full_bus_percent", percent, kLimitPercent, percent <= kLimitPercent);
}

int Run() {
  const Recorded recorded = ReadLog();
  if (recorded.datagrams.size() != kFrames) {
    fmt::print(stderr, "the captured bus is missing\n");
    return 1;
  }
  const bool decode = DecodeBar(recorded);
  const bool whole = HubBar(recorded);
  return decode && whole ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() { return vesta::Run(); }
