// Four bars of a MasterBus under stress, each "bar NAME VALUE LIMIT ok|short".
//
// masterbus_replay_100x_lost: all recorded buses, a hundred times as fast, by UDP into the real program: frames that it
// did not count or readings that it did not store. masterbus_flood_*: a simulated boat whose bus carries ten thousand
// devices that a babbling node makes up, unknown frames and error reports, in virtual time through session, journal and
// store: readings that the three real devices lost against the same boat in peace, devices that the hub made of it, and
// memory that the process grew by.
#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/intake/session_line.h"
#include "hub/store/sqlite_store.h"
#include "protocols/can_text.h"
#include "protocols/can_udp.h"
#include "simulators/masterbus_bus.h"
#include "tests/system/hub_process.h"
#include "tests/system/udp_sender.h"

namespace vesta {
namespace {

constexpr const char* kLogs[] = {"boot-three-nodes", "configure-g2i1", "configure-g3i2", "date-time", "idle"};
constexpr size_t kRecordedFrames = 5060;
constexpr int kSpeed = 100;
constexpr UtcUs kStart_us = 1786429285000000;
constexpr int64_t kBoat_s = 120;
constexpr int64_t kInventedPerSecond = 100;  // twelve thousand in all
// As many as the table of the session has.
constexpr double kMostDevices = 128;
constexpr double kMostGrowth_kib = 4096;
const std::set<std::string> kKnown = {"6F1297", "3AF412", "28A031"};

bool PrintBar(const char* name, double value, double limit) {
  fmt::print("bar {} {:.0f} {:.0f} {}\n", name, value, limit, value <= limit ? "ok" : "short");
  return value <= limit;
}

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Timed {
  int64_t at_us;
  can::Frame frame;
};

// One log behind the other.
std::vector<Timed> ReadLogs() {
  std::vector<Timed> all;
  int64_t offset_us = 0;
  for (const char* name : kLogs) {
    std::ifstream log(fmt::format("{}/tests/vectors/masterbus/{}.log", VESTA_SOURCE_DIR, name));
    std::string line;
    int64_t first_us = -1;
    while (std::getline(log, line)) {
      can::CandumpLine read;
      if (can::ParseCandumpLine(line, &read) != can::CandumpStatus::kFrame) continue;
      const int64_t time_us = read.time_us;
      if (first_us < 0) first_us = time_us;
      all.push_back({offset_us + (time_us - first_us) / kSpeed, *can::ClassicFrame(read.frame)});
    }
    if (!all.empty()) offset_us = all.back().at_us;
  }
  return all;
}

uint64_t SumOf(const nlohmann::json& counts) {
  uint64_t sum = 0;
  for (const auto& count : counts) sum += count.get<uint64_t>();
  return sum;
}

uint64_t StoredReadings(const std::string& path) {
  auto store = hub::SqliteStore::Open(path, {});
  if (!store) return 0;
  auto reader = (*store)->OpenReader();
  uint64_t stored = 0;
  for (hub::JournalNumber after = 0;;) {
    auto batch = (*reader)->ReadJournal(after, 10'000);
    if (!batch || batch->records.empty()) return stored;
    stored += batch->records.size();
    after = batch->records.back().number;
  }
}

bool ReplayBar() {
  const std::vector<Timed> recorded = ReadLogs();
  if (recorded.size() != kRecordedFrames) {
    fmt::print(stderr, "the recorded buses are missing\n");
    return false;
  }
  const test::TempDirectory directory;
  const uint16_t udp_port = test::FreePort();
  const std::string config = directory.Write("vesta.json", fmt::format(R"({{"storage": {{"directory": "{}/data"}},
      "sources": [{{"name": "boat", "type": "can-udp", "protocol": "masterbus", "port": {}}}]}})",
                                                                       directory.path(), udp_port));
  test::HubProcess hub({"run", "--config", config, "--http", fmt::format("127.0.0.1:{}", test::FreePort())});
  if (hub.WaitForPort() == 0) {
    fmt::print(stderr, "{}\n", hub.Output());
    return false;
  }
  const test::UdpSender sender(udp_port);
  const int64_t start_us = NowUs();
  uint32_t sequence = 0;
  for (const Timed& one : recorded) {
    const int64_t wait_us = start_us + one.at_us - NowUs();
    if (wait_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
    can::UdpWriter writer;
    writer.Begin(sequence++);
    writer.Add(one.frame);
    sender.Send(writer.datagram());
  }
  uint64_t heard = 0;
  uint64_t readings = 0;
  test::WaitFor([&] {
    const nlohmann::json sources = hub.Api("sources");
    if (!sources.is_object()) return false;
    const nlohmann::json& source = sources["sources"][0];
    heard = source["frames_accepted"].get<uint64_t>() + SumOf(source["frames_rejected"]) +
            SumOf(source["frames_discarded"]);
    readings = source["readings"].get<uint64_t>();
    return heard >= kRecordedFrames;
  });
  hub.Signal(SIGTERM);
  hub.WaitForExit();
  const uint64_t stored = StoredReadings(directory.path() + "/data/vesta.db");
  if (readings == 0) return false;
  const auto missing = [](uint64_t wanted, uint64_t there) { return wanted > there ? wanted - there : 0; };
  return PrintBar("masterbus_replay_100x_lost",
                  static_cast<double>(missing(kRecordedFrames, heard) + missing(readings, stored)), 0);
}

double ResidentKib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    double kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

struct BoatRun {
  uint64_t known_readings = 0;
  size_t devices = 0;
  double growth_kib = 0;
  uint64_t frames = 0;
  uint64_t unknown = 0;
  uint64_t errors = 0;
};

BoatRun RunBoat(std::vector<simulators::BusFaultSetting> faults) {
  const test::TempDirectory folder;
  boost::asio::io_context io(1);
  const auto work = boost::asio::make_work_guard(io);
  hub::ManualClock clock(kStart_us);
  hub::Directory directory;
  auto store = hub::SqliteStore::Open(folder.path() + "/vesta.db", {});
  auto state = (*store)->Restore();
  hub::Journal journal(io, clock, **store, directory, {});
  if (!journal.Open(*state)) return {};
  hub::LiveView live(clock, directory);
  hub::SourceConfig config;
  config.protocol = "masterbus";
  hub::LineOptions options{"boat", "bench", "masterbus", "", hub::ArchivePolicy::kSampled, false};
  hub::SessionLine line(io, clock, options, hub::MakeSession(config), directory, journal, live);
  line.Opened();

  simulators::MasterBusOptions boat;
  boat.start_us = kStart_us;
  boat.faults = std::move(faults);
  simulators::MasterBusBus bus(boat);
  BoatRun run;
  double before_kib = 0;
  while (bus.next_us() < kStart_us + kBoat_s * kUsPerSecond) {
    const simulators::MasterBusBus::Sent sent = bus.Next();
    clock.Advance(sent.time_us - clock.Read().utc_us);
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    line.Received({bytes.data(), can::WriteFrame(sent.frame, bytes)});
    io.poll();
    ++run.frames;
    // The tables stand and the store has warmed up.
    if (before_kib == 0 && sent.time_us > kStart_us + kBoat_s / 6 * kUsPerSecond) before_kib = ResidentKib();
  }
  bool durable = false;
  journal.Flush([&] { durable = true; });
  while (!durable) io.run_one();
  run.growth_kib = ResidentKib() - before_kib;
  run.devices = directory.devices().size();
  for (const auto& [reason, count] : line.health().frames_rejected) run.unknown += reason == "unknown_kind" ? count : 0;
  for (const auto& [reason, count] : line.health().frames_discarded) run.errors += reason == "error_frame" ? count : 0;
  auto reader = (*store)->OpenReader();
  for (hub::JournalNumber after = 0;;) {
    auto batch = (*reader)->ReadJournal(after, 10'000);
    if (!batch || batch->records.empty()) break;
    for (const hub::Record& record : batch->records) {
      const hub::Series* const series = directory.FindSeries(record.series);
      run.known_readings += kKnown.count(directory.FindDevice(series->device)->identity);
    }
    after = batch->records.back().number;
  }
  return run;
}

bool FloodBars() {
  using simulators::BusFault;
  const BoatRun peace = RunBoat({});
  const BoatRun flood =
      RunBoat({{BusFault::kBabble, kInventedPerSecond}, {BusFault::kUnknownKind, 1}, {BusFault::kErrorFrames, 60}});
  const uint64_t invented = flood.frames - peace.frames - flood.unknown - flood.errors;
  if (peace.known_readings == 0 || invented < 10'000 || flood.unknown == 0 || flood.errors == 0) {
    fmt::print(stderr, "{} readings in peace, {} devices invented, {} unknown frames, {} errors\n",
               peace.known_readings, invented, flood.unknown, flood.errors);
    return false;
  }
  const uint64_t lost = peace.known_readings > flood.known_readings ? peace.known_readings - flood.known_readings : 0;
  bool good = PrintBar("masterbus_flood_known_readings_lost", static_cast<double>(lost), 0);
  good &= PrintBar("masterbus_flood_hub_devices", static_cast<double>(flood.devices), kMostDevices);
  good &= PrintBar("masterbus_flood_memory_growth_kib", flood.growth_kib, kMostGrowth_kib);
  return good;
}

int Run() {
  const bool flood = FloodBars();
  const bool replay = ReplayBar();
  return flood && replay ? 0 : 1;
}

}  // namespace
}  // namespace vesta

int main() { return vesta::Run(); }
