// Adverts by UDP, the source's socket included, to readings on the disk: what 1,000 a second cost, and what a flood of
// foreign ones does to the known devices. One hub's inside: source, session, intake, live view, journal, SQLite store
// with fsync. The adverts are sent by another process, so that their making is not counted. Figures are printed only
// when every advert became its readings.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <functional>

#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/intake/session_line.h"
#include "hub/sources/source.h"
#include "hub/store/sqlite_store.h"
#include "protocols/victron/advert_for_test.h"
#include "tests/system/hub_process.h"
#include "tests/system/udp_sender.h"

namespace vesta {
namespace {

constexpr uint64_t kFirstAddress = 0xC0FFEE000000;
constexpr int kDevices = 20;
constexpr int kSeconds = 10;  // as long as a commit interval by default
constexpr int kPerSecond = 1000;
constexpr double kCoreLimit_percent = 3;
constexpr int kFloodPerSecond = 10000;
constexpr int kKnownPerSecond = 100;
// A known advert behind a flood waits for one turn of the source at most, and for what else the machine does.
constexpr double kDelayLimit_ms = 50;
constexpr double kGrowthLimit_kib = 4096;

int64_t MonotonicUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kUsPerSecond + now.tv_nsec / 1000;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double ResidentKib() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  file >> pages >> pages;
  return static_cast<double>(pages) * 4;
}

// Sends make(i) for i = 0 .. count - 1, evenly, from a process of its own.
pid_t SendFrom(uint16_t port, int count, int per_second, const std::function<std::vector<uint8_t>(int)>& make) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  std::vector<std::vector<uint8_t>> datagrams;
  for (int i = 0; i < count; ++i) datagrams.push_back(make(i));
  const test::UdpSender sender(port);
  const int64_t start_us = MonotonicUs();
  for (int i = 0; i < count; ++i) {
    const int64_t due_us = start_us + i * kUsPerSecond / per_second;
    // Bursts of a millisecond: finer sleeping would cost the machine more than what is measured.
    if (due_us > MonotonicUs()) {
      const timespec until{due_us / kUsPerSecond, (due_us % kUsPerSecond) * 1000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    sender.Send(datagrams[static_cast<size_t>(i)]);
  }
  _exit(0);
}

std::vector<uint8_t> KnownAdvert(int i) {
  const int nonce = i / kDevices;
  return victron::SolarAdvertForTest(kFirstAddress + static_cast<uint64_t>(i % kDevices), victron::kKeyForTest,
                                     static_cast<uint16_t>(nonce + 1), static_cast<uint16_t>(1200 + nonce % 300));
}

// A phone's advert, from an address of its own each time.
std::vector<uint8_t> ForeignAdvert(int i) {
  const uint8_t data[] = {14, ble::kTypeManufacturer, 0x4C, 0x00, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  ble::Advert advert;
  advert.address = 0x400000000000 + static_cast<uint64_t>(i);
  advert.address_is_random = true;
  advert.data = data;
  std::vector<uint8_t> datagram(ble::kMaxAdvertSize);
  datagram.resize(ble::WriteAdvert(advert, datagram));
  return datagram;
}

struct Inside {
  Inside() : port(test::FreePort()), directory(), journal(io, clock, *OpenStore(), hub_directory, {}) {
    auto state = store->Restore();
    if (!state || !journal.Open(*state)) std::abort();
    for (int i = 0; i < kDevices; ++i) keys.SetKey(kFirstAddress + static_cast<uint64_t>(i), victron::kKeyForTest);
    config.name = "relay";
    config.type = "udp";
    config.protocol = "victron";
    config.tcp_port = port;
    hub::LineOptions options;
    options.source = "relay";
    options.protocol = "victron";
    options.datagrams = true;
    line = std::make_unique<hub::SessionLine>(io, clock, options, hub::MakeSession(config, &keys), hub_directory,
                                              journal, live);
    source = hub::MakeSource(io, config, *line);
    source->Start();
  }
  ~Inside() {
    source->Stop();
    journal.Close();
  }
  hub::Store* OpenStore() {
    store = std::move(*hub::SqliteStore::Open(directory.path() + "/vesta.db", {}));
    return store.get();
  }
  // Until the sender has ended and what it sent was taken.
  void RunUntilSent(pid_t sender) {
    while (waitpid(sender, nullptr, WNOHANG) == 0) io.run_one_for(std::chrono::milliseconds(50));
    for (int i = 0; i < 10; ++i) io.run_one_for(std::chrono::milliseconds(20));
  }
  uint64_t Stored() {
    bool durable = false;
    journal.Flush([&] { durable = true; });
    while (!durable) io.run_one();
    uint64_t stored = 0;
    auto reader = store->OpenReader();
    for (hub::JournalNumber after = 0;;) {
      auto batch = (*reader)->ReadJournal(after, 10'000);
      if (!batch || batch->records.empty()) return stored;
      stored += batch->records.size();
      after = batch->records.back().number;
    }
  }

  uint16_t port;
  test::TempDirectory directory;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  hub::SystemClock clock;
  hub::Directory hub_directory;
  std::unique_ptr<hub::SqliteStore> store;
  hub::LiveView live{clock, hub_directory};
  hub::Journal journal;
  victron::KeyRing keys;
  hub::SourceConfig config;
  std::unique_ptr<hub::SessionLine> line;
  std::unique_ptr<hub::Source> source;
};

bool Bar(const char* name, double value, double limit) {
  const bool ok = value <= limit;
  fmt::print("bar {} {:.2f} {:g} {}\n", name, value, limit, ok ? "ok" : "short");
  return ok;
}

bool MeasureLoad() {
  Inside inside;
  constexpr int kCount = kPerSecond * kSeconds;
  const double cpu = CpuSeconds();
  const int64_t start_us = MonotonicUs();
  inside.RunUntilSent(SendFrom(inside.port, kCount, kPerSecond, KnownAdvert));
  const uint64_t accepted = inside.line->health().frames_accepted;
  bool durable = false;
  inside.journal.Flush([&] { durable = true; });
  while (!durable) inside.io.run_one();
  const double used = CpuSeconds() - cpu;
  const double wall = static_cast<double>(MonotonicUs() - start_us) / kUsPerSecond;
  const uint64_t readings = inside.line->health().readings;
  const uint64_t stored = inside.Stored();
  if (accepted != kCount || stored != readings || readings < kCount) {
    fmt::print(stderr, "{} of {} adverts, {} readings, {} stored\n", accepted, kCount, readings, stored);
    return false;
  }
  fmt::print("{} adverts in {:.1f} s gave {} readings\n", accepted, wall, readings);
  return Bar("adverts_1000_per_second_core_percent", used / wall * 100, kCoreLimit_percent);
}

bool MeasureFlood() {
  Inside inside;
  constexpr int kKnown = kKnownPerSecond * kSeconds;
  const double before_kib = ResidentKib();
  // The sender keeps a fixed beat: what comes later after its neighbour than the beat was delayed here or there.
  std::vector<int64_t> arrived_us;
  arrived_us.reserve(kKnown);
  inside.line->Tap([&](const FrameEvent& frame, const Now&) {
    if (frame.verdict == FrameVerdict::kAccepted) arrived_us.push_back(MonotonicUs());
  });
  const pid_t flood = SendFrom(inside.port, kFloodPerSecond * kSeconds, kFloodPerSecond, ForeignAdvert);
  inside.RunUntilSent(SendFrom(inside.port, kKnown, kKnownPerSecond, KnownAdvert));
  inside.RunUntilSent(flood);
  if (arrived_us.size() != kKnown) {
    fmt::print(stderr, "{} of {} known adverts came through\n", arrived_us.size(), kKnown);
    return false;
  }
  std::vector<double> late_ms;
  for (size_t i = 0; i < arrived_us.size(); ++i) {
    const int64_t beat_us = static_cast<int64_t>(i) * kUsPerSecond / kKnownPerSecond;
    late_ms.push_back(static_cast<double>(arrived_us[i] - arrived_us[0] - beat_us) / 1000);
  }
  const double first = *std::min_element(late_ms.begin(), late_ms.end());
  std::sort(late_ms.begin(), late_ms.end());
  const double p99 = late_ms[late_ms.size() * 99 / 100] - first;
  const hub::SourceHealth health = inside.line->ReportedHealth();
  fmt::print("{} foreign adverts counted, {} lost in the socket\n", health.counters.at("foreign"),
             health.frames_discarded.contains("socket_full") ? health.frames_discarded.at("socket_full") : 0);
  bool good = Bar("known_advert_delay_p99_ms_under_flood", p99, kDelayLimit_ms);
  good &= Bar("flood_memory_growth_kib", ResidentKib() - before_kib, kGrowthLimit_kib);
  return good;
}

}  // namespace
}  // namespace vesta

int main() {
  bool good = vesta::MeasureLoad();
  good &= vesta::MeasureFlood();
  return good ? 0 : 1;
}
