#include "app/demo.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/exit_code.h"
#include "app/hub.h"
#include "app/run.h"
#include "app/simulate_victron.h"
#include "app/whole_file.h"
#include "hub/clock/clock.h"
#include "hub/config/load.h"
#include "hub/sources/capture_file.h"
#include "simulators/incubator_line.h"
#include "simulators/masterbus_feed.h"
#include "simulators/p1_feed.h"
#include "simulators/paced_feed.h"
#include "simulators/pty_port.h"
#include "simulators/tcp_port.h"
#include "simulators/udp_port.h"
#include "simulators/vedirect_feed.h"
#include "simulators/victron_feed.h"

namespace vesta::app {
namespace {

using simulators::P1Kind;
using simulators::VedirectKind;

// The meters were hung up so long before the first start: their counters stand at something plausible, and living
// through it takes a second at the most.
constexpr int64_t kHungUpBefore_us = 14ll * 86400 * kUsPerSecond;
constexpr int64_t kYesterday_us = 24ll * 3600 * kUsPerSecond;
constexpr uint64_t kVictronSeed = 5;  // one boat
constexpr char kYesterdaySuffix[] = "-yesterday";
constexpr int64_t kYesterdayStep_us = 60 * kUsPerSecond;
// The meters begin when the replay is over, at the latest after this.
constexpr auto kReplayLimit = std::chrono::seconds(30);
constexpr auto kReplayLook = std::chrono::milliseconds(50);

struct DemoMeter {
  const char* source;
  const char* title;
  P1Kind kind;
  bool tcp;
  bool yesterday;  // its last day is replayed at the first start
};
constexpr std::array<DemoMeter, 4> kMeters = {{
    {"house", "House", P1Kind::kDsmr5ThreePhase, false, true},
    {"office", "Office in Ghent", P1Kind::kBelgian, true, true},
    {"vineyard", "Vineyard in Remich", P1Kind::kLuxembourg, false, false},
    {"barn", "Old barn", P1Kind::kDsmr2, false, false},
}};

constexpr char kBoat[] = "boat";         // a MasterBus behind an slcan adapter
constexpr char kRadio[] = "boat-radio";  // Bluetooth adverts by way of a relay
// On VE.Direct cables; they begin to speak with the meters.
struct DemoVictron {
  const char* source;
  const char* title;  // "" = named by its kind and model
  VedirectKind kind;
};
constexpr std::array<DemoVictron, 2> kVictron = {{
    {"boat-solar", "Boat roof", VedirectKind::kSolarLarge},
    {"boat-battery", "", VedirectKind::kBatteryMonitor},
}};

struct DemoIncubator {
  const char* source;
  const char* title;
  const char* key;
  simulators::IncubatorKind kind;
};
constexpr std::array<DemoIncubator, 2> kIncubators = {{
    {"bed-1", "Incubator, bed 1", "medibus_bed-1_5700-babyleo-tn500", simulators::IncubatorKind::kBabyleoTn500},
    {"bed-2", "Incubator, bed 2", "medibus_bed-2_5701-isolette-8000-plus", simulators::IncubatorKind::kIsolette},
}};

// A folder that goes away with the demo when the user named none.
class DemoDirectory {
 public:
  explicit DemoDirectory(const std::string& named) : path_(named) {
    std::error_code error;
    if (!named.empty()) {
      std::filesystem::create_directories(named, error);
      // The configuration made from it stands in that folder: a relative name would be taken from there.
      path_ = error ? "" : std::filesystem::absolute(named, error).string();
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path(error) / "vesta-demo-XXXXXX").string();
    path_ = mkdtemp(pattern.data()) == nullptr ? "" : pattern;
    temporary_ = !path_.empty();
  }
  ~DemoDirectory() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool temporary_ = false;
};

// When the meters were hung up, the same in every run on one directory: counters go on where they stood.
UtcUs HungUp(const std::string& directory, UtcUs now_us) {
  const std::string path = directory + "/hung-up";
  int64_t seconds = 0;
  if (std::ifstream(path) >> seconds) return seconds * kUsPerSecond;
  seconds = (now_us - kHungUpBefore_us) / kUsPerSecond;
  std::ofstream(path) << seconds << '\n';
  return seconds * kUsPerSecond;
}

class Demo {
 public:
  Demo(boost::asio::io_context& io, std::string directory, double speed)
      : io_(io), directory_(std::move(directory)), speed_(speed), timer_(io) {}

  bool Open(std::string* error) {
    now_us_ = hub::SystemClock().Read().utc_us;
    hung_up_us_ = HungUp(directory_, now_us_);
    first_start_ = !std::filesystem::exists(directory_ + "/data/vesta.db");
    for (const DemoMeter& meter : kMeters) {
      Running running;
      if (meter.tcp) {
        running.port = simulators::TcpPort::Open(io_, "127.0.0.1:0", error);
      } else {
        running.port = simulators::PtyPort::Open(io_, directory_ + "/" + meter.source, error);
      }
      if (running.port == nullptr) return false;
      running_.push_back(std::move(running));
    }
    for (const DemoVictron& device : kVictron) {
      victron_.push_back({simulators::PtyPort::Open(io_, directory_ + "/" + device.source, error), nullptr, nullptr});
      if (victron_.back().port == nullptr) return false;
    }
    for (const DemoIncubator& incubator : kIncubators) {
      beds_.push_back(simulators::PtyPort::Open(io_, directory_ + "/" + incubator.source, error));
      if (beds_.back() == nullptr) return false;
    }
    for (size_t i = 0; first_start_ && i < kMeters.size(); ++i) {
      if (kMeters[i].yesterday && !WriteYesterday(i, error)) return false;
    }
    return OpenBoat(error) && OpenRadio(error);
  }

  std::string ConfigText(const std::string& http) const {
    std::string address;
    uint16_t port = 0;
    ParseAddress(http, &address, &port);
    nlohmann::ordered_json config;
    config["hub"] = {{"id", "demo"}, {"name", "Vesta demo"}, {"zone", "Europe/Amsterdam"}, {"log_level", "warning"}};
    config["hub"]["keys_file"] = RadioKeysPath();
    config["storage"] = {{"directory", directory_ + "/data"}};
    config["http"] = {{"address", address}, {"port", port}};
    for (size_t i = 0; i < kMeters.size(); ++i) {
      nlohmann::ordered_json source = {{"name", kMeters[i].source}};
      const std::string where = running_[i].port->where();
      if (kMeters[i].tcp) {
        source["type"] = "tcp";
        source["host"] = "127.0.0.1";
        source["port"] = std::stoi(where.substr(where.rfind(':') + 1));
      } else {
        source["type"] = "serial";
        source["port"] = where;
        if (kMeters[i].kind == P1Kind::kDsmr2) {
          source["baud"] = 9600;
          source["framing"] = "7E1";
        }
      }
      source["protocol"] = "p1";
      source["p1"] = Settings(kMeters[i].kind);
      config["sources"].push_back(source);
    }
    config["sources"].push_back(
        {{"name", kBoat}, {"type", "slcan"}, {"protocol", "masterbus"}, {"port", boat_port_->where()}});
    for (size_t i = 0; i < kVictron.size(); ++i) {
      config["sources"].push_back({{"name", kVictron[i].source},
                                   {"type", "serial"},
                                   {"protocol", "vedirect"},
                                   {"port", victron_[i].port->where()},
                                   {"vedirect", {{"hex", true}}}});
      if (*kVictron[i].title == '\0') continue;
      const std::string serial = simulators::VedirectDevice(VictronOptions(i, now_us_).device).serial();
      config["devices"].push_back({{"key", "vedirect_" + hub::CleanKey(serial)}, {"name", kVictron[i].title}});
    }
    for (size_t i = 0; first_start_ && i < kMeters.size(); ++i) {
      if (!kMeters[i].yesterday) continue;
      config["sources"].push_back({{"name", YesterdayName(i)},
                                   {"type", "capture"},
                                   {"protocol", "p1"},
                                   {"p1", Settings(kMeters[i].kind)},
                                   {"file", YesterdayPath(i)},
                                   {"speed", 0},
                                   {"archive", "none"}});
    }
    config["sources"].push_back(
        {{"name", kRadio}, {"type", "udp"}, {"protocol", "victron"}, {"port", radio_udp_port_}});
    for (size_t i = 0; i < kIncubators.size(); ++i) {
      config["sources"].push_back({{"name", kIncubators[i].source},
                                   {"type", "serial"},
                                   {"port", beds_[i]->where()},
                                   {"protocol", "medibus"},
                                   {"medibus", {{"host_name", "Vesta demo"}}}});
      config["devices"].push_back({{"key", kIncubators[i].key}, {"name", kIncubators[i].title}});
    }
    for (size_t i = 0; i < kMeters.size(); ++i) {
      config["devices"].push_back({{"key", DeviceKey(i)}, {"name", kMeters[i].title}});
    }
    return config.dump(2);
  }

  void Start(Hub& hub) {
    hub_ = &hub;
    boat_pace_->Start(now_us_);
    radio_pace_->Start(now_us_);
    limit_ = std::chrono::steady_clock::now() + kReplayLimit;
    // They answer in real time, whatever the speed of the meters.
    for (size_t i = 0; i < kIncubators.size(); ++i) {
      simulators::IncubatorOptions options;
      options.kind = kIncubators[i].kind;
      options.seed = i + 1;
      options.start_us = hub::SystemClock().Read().utc_us;
      lines_.push_back(std::make_unique<simulators::IncubatorLine>(io_, options, *beds_[i]));
    }
    StartMetersAfterReplay();
  }

 private:
  struct Running {
    std::unique_ptr<simulators::Port> port;
    std::unique_ptr<simulators::P1Feed> feed;
    std::unique_ptr<simulators::PacedFeed> pace;
  };

  // The adapter obeys at once; the bus runs while its channel is open.
  bool OpenBoat(std::string* error) {
    simulators::MasterBusOptions options;
    options.start_us = now_us_;
    boat_ = std::make_unique<simulators::MasterBusFeed>(options, simulators::BusForm::kSlcan);
    boat_port_ = simulators::PtyPort::Open(io_, directory_ + "/" + kBoat, error);
    if (boat_port_ == nullptr) return false;
    boat_port_->OnReceived([this](std::string_view bytes) {
      boat_port_->Send(boat_->Command(bytes, boat_pace_->now_us()));
      boat_pace_->LeavesEarlier();
    });
    boat_pace_ = std::make_unique<simulators::PacedFeed>(io_, *boat_, *boat_port_, speed_);
    return true;
  }

  // Adverts come by UDP, as from a relay; their keys stand in a file that the configuration names.
  bool OpenRadio(std::string* error) {
    boost::asio::ip::udp::socket probe(io_, {boost::asio::ip::address_v4::loopback(), 0});
    radio_udp_port_ = probe.local_endpoint().port();
    probe.close();
    simulators::VictronBoatOptions options;
    options.start_us = now_us_;
    radio_ = std::make_unique<simulators::VictronFeed>(options);
    radio_port_ = simulators::UdpPort::Open(io_, fmt::format("127.0.0.1:{}", radio_udp_port_), error);
    if (radio_port_ == nullptr) return false;
    radio_pace_ = std::make_unique<simulators::PacedFeed>(io_, *radio_, *radio_port_, speed_);
    if (auto written = ReplaceFile(RadioKeysPath(), SimulatedVictronKeys()); !written) {
      *error = written.error();
      return false;
    }
    return true;
  }
  std::string RadioKeysPath() const { return directory_ + "/simulated-keys.json"; }

  struct RunningVictron {
    std::unique_ptr<simulators::Port> port;
    std::unique_ptr<simulators::VedirectFeed> feed;
    std::unique_ptr<simulators::PacedFeed> pace;
  };

  static simulators::VedirectFeedOptions VictronOptions(size_t i, UtcUs start_us) {
    simulators::VedirectFeedOptions options;
    options.device = {kVictron[i].kind, kVictronSeed, start_us};
    return options;
  }

  void StartVictron(UtcUs start_us) {
    for (size_t i = 0; i < victron_.size(); ++i) {
      RunningVictron& device = victron_[i];
      device.feed = std::make_unique<simulators::VedirectFeed>(VictronOptions(i, start_us));
      device.port->OnReceived([&device](std::string_view bytes) { device.port->Send(device.feed->Receive(bytes)); });
      device.pace = std::make_unique<simulators::PacedFeed>(io_, *device.feed, *device.port, speed_);
      device.pace->Start(start_us);
    }
  }

  static nlohmann::ordered_json Settings(P1Kind kind) {
    const simulators::P1KindInfo& info = simulators::InfoOf(kind);
    nlohmann::ordered_json settings = {{"zone", "Europe/Amsterdam"}, {"tariff_rule", info.tariff_rule}};
    if (info.encrypted) {
      settings["encryption_key"] = Hex(simulators::kSimulatedKey);
      settings["authentication_key"] = Hex(simulators::kLuxembourgAuthenticationKey);
    }
    return settings;
  }

  static std::string Hex(const simulators::AesKey& key) {
    std::string hex;
    for (const uint8_t byte : key) hex += fmt::format("{:02X}", byte);
    return hex;
  }

  simulators::P1FeedOptions FeedOptions(size_t i, UtcUs start_us) const {
    simulators::P1FeedOptions options;
    options.meter.kind = kMeters[i].kind;
    options.meter.seed = i + 1;
    options.meter.installed_us = hung_up_us_;
    options.start_us = start_us;
    return options;
  }

  std::string DeviceKey(size_t i) const {
    return "p1_" + hub::CleanKey(simulators::P1Meter(FeedOptions(i, now_us_).meter).equipment_id());
  }

  static std::string YesterdayName(size_t i) { return std::string(kMeters[i].source) + kYesterdaySuffix; }
  std::string YesterdayPath(size_t i) const { return directory_ + "/" + YesterdayName(i) + ".jsonl"; }

  // The last day of a meter, a telegram a minute, as if somebody had captured it.
  bool WriteYesterday(size_t i, std::string* error) {
    std::ofstream file(YesterdayPath(i));
    file << hub::FormatCaptureHeader();
    simulators::P1Meter meter(FeedOptions(i, 0).meter);
    const UtcUs last_us = now_us_ / kYesterdayStep_us * kYesterdayStep_us;
    for (UtcUs at_us = last_us - kYesterday_us; at_us < last_us; at_us += kYesterdayStep_us) {
      meter.Advance(at_us);
      const std::string telegram = meter.Emit();
      file << hub::FormatCaptureFrame(at_us, kMeters[i].source,
                                      {reinterpret_cast<const uint8_t*>(telegram.data()), telegram.size()});
    }
    if (file.flush()) return true;
    *error = fmt::format("can't write {}", YesterdayPath(i));
    return false;
  }

  // A meter that spoke while its own yesterday is still being replayed would see its counters step back.
  void StartMetersAfterReplay() {
    for (const hub::SourceHealth& source : hub_->SourceHealths()) {
      if (!source.name.ends_with(kYesterdaySuffix) || source.state == hub::SourceState::kStopped) continue;
      if (std::chrono::steady_clock::now() > limit_) break;
      timer_.expires_after(kReplayLook);
      timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) StartMetersAfterReplay();
      });
      return;
    }
    const UtcUs start_us = hub::SystemClock().Read().utc_us;
    StartVictron(start_us);
    for (size_t i = 0; i < running_.size(); ++i) {
      Running& running = running_[i];
      running.feed = std::make_unique<simulators::P1Feed>(FeedOptions(i, start_us));
      running.pace = std::make_unique<simulators::PacedFeed>(io_, *running.feed, *running.port, speed_);
      running.pace->Start(start_us);
    }
  }

  boost::asio::io_context& io_;
  std::string directory_;
  double speed_;
  boost::asio::steady_timer timer_;
  UtcUs now_us_ = 0;
  UtcUs hung_up_us_ = 0;
  bool first_start_ = false;
  std::vector<Running> running_;
  std::unique_ptr<simulators::MasterBusFeed> boat_;
  std::unique_ptr<simulators::PtyPort> boat_port_;
  std::unique_ptr<simulators::PacedFeed> boat_pace_;
  uint16_t radio_udp_port_ = 0;
  std::unique_ptr<simulators::VictronFeed> radio_;
  std::unique_ptr<simulators::Port> radio_port_;
  std::unique_ptr<simulators::PacedFeed> radio_pace_;
  std::vector<RunningVictron> victron_;
  std::vector<std::unique_ptr<simulators::Port>> beds_;
  std::vector<std::unique_ptr<simulators::IncubatorLine>> lines_;
  Hub* hub_ = nullptr;
  std::chrono::steady_clock::time_point limit_;
};

}  // namespace

int RunDemo(const DemoOptions& options) {
  std::string address;
  uint16_t port = 0;
  if (!ParseAddress(options.http, &address, &port)) {
    fmt::print(stderr, "vesta: --http wants ADDRESS:PORT, for instance 127.0.0.1:8600\n");
    return kExitWrongUsage;
  }
  const DemoDirectory directory(options.directory);
  if (directory.path().empty()) {
    fmt::print(stderr, "vesta: can't make the data directory {}\n", options.directory);
    return kExitCannotStart;
  }
  boost::asio::io_context io(1);
  Demo demo(io, directory.path(), options.speed);
  std::string error;
  if (!demo.Open(&error)) {
    fmt::print(stderr, "vesta: {}\n", error);
    return kExitCannotStart;
  }
  hub::LoadedConfig loaded = hub::LoadConfig(demo.ConfigText(options.http), directory.path());
  return RunLoaded(io, std::move(loaded), [&](Hub& hub) {
    fmt::print("Vesta runs on simulated meters and a simulated boat; its data is in {}\nThe page is at {}\n",
               directory.path(), hub.page_address());
    std::fflush(stdout);
    demo.Start(hub);
  });
}

}  // namespace vesta::app
