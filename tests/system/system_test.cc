// The real program from the outside: bytes on a serial line in, API and files out; unplugged, fed garbage, killed.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "simulators/incubator_line.h"
#include "simulators/p1_meter.h"
#include "simulators/pty_port.h"
#include "tests/system/hub_process.h"
#include "tests/system/pty_pair.h"

namespace vesta::test {
namespace {

using nlohmann::json;

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class SystemTest : public testing::Test {
 protected:
  SystemTest() {
    simulators::P1MeterOptions options;
    options.kind = simulators::P1Kind::kDsmr5ThreePhase;
    meter_us_ = NowUs() / 1'000'000 * 1'000'000 - 30'000'000;
    options.installed_us = meter_us_ - 3'600'000'000;
    meter_ = std::make_unique<simulators::P1Meter>(options);
  }

  // A serial source by a stable name that the test can point at another terminal, committed once a second.
  std::string Config(const std::string& more = "") {
    return directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() +
                                              R"(/data", "commit_s": 1},
      "sources": [{"name": "meter", "type": "serial", "protocol": "p1", "port": ")" +
                                              CableName() + R"("}])" + more + "}");
  }
  std::string CableName() const { return directory_.path() + "/cable"; }
  void Plug(const PtyPair& pty) {
    std::filesystem::remove(CableName());
    std::filesystem::create_symlink(pty.path(), CableName());
  }
  std::vector<std::string> RunArguments(const std::string& config) {
    return {"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(FreePort())};
  }

  std::string NextTelegram() {
    meter_->Advance(meter_us_ += 1'000'000);
    return meter_->Emit();
  }

  static json Source(const HubProcess& hub) {
    const json sources = hub.Api("sources");
    return sources.is_object() ? sources["sources"][0] : json();
  }
  static bool SourceOpen(const HubProcess& hub) {
    const json source = Source(hub);
    return source.is_object() && source["state"] == "open";
  }
  static uint64_t Accepted(const HubProcess& hub) {
    const json source = Source(hub);
    return source.is_object() ? source["frames_accepted"].get<uint64_t>() : 0;
  }
  static int SeriesOf(const HubProcess& hub, const std::string& field) {
    const json all = hub.Api("series");
    for (const json& series : all["series"]) {
      if (series["field"] == field) return series["id"];
    }
    return 0;
  }
  static json Readings(const HubProcess& hub, int series) {
    return hub.Api("readings?series=" + std::to_string(series) +
                   "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=10000");
  }

  TempDirectory directory_;
  std::unique_ptr<simulators::P1Meter> meter_;
  int64_t meter_us_ = 0;
};

TEST_F(SystemTest, BytesOnALineBecomeExactValuesInTheApi) {
  PtyPair pty;
  Plug(pty);
  HubProcess hub(RunArguments(Config()));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); })) << hub.Output();
  ASSERT_TRUE(pty.Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 1; })) << Source(hub).dump();

  const json devices = hub.Api("devices");
  ASSERT_TRUE(devices["devices"].is_array());
  std::set<std::string> kinds;
  for (const json& device : devices["devices"]) kinds.insert(device["kind"].get<std::string>());
  EXPECT_TRUE(kinds.contains("electricity_meter"));

  const int64_t wh = meter_->registers().import_wh[0];
  const HttpAnswer latest = HttpGet(hub.WaitForPort(), "/api/v1/latest");
  char exact[40];
  std::snprintf(exact, sizeof exact, "%lld.%03lld", static_cast<long long>(wh / 1000),
                static_cast<long long>(wh % 1000));
  EXPECT_NE(latest.body.find("\"value\":" + std::string(exact)), std::string::npos) << exact << " in " << latest.body;
}

TEST_F(SystemTest, WhatWasDurableIsThereAfterAKill) {
  PtyPair pty;
  Plug(pty);
  const std::string config = Config();
  uint64_t durable = 0;
  {
    HubProcess hub(RunArguments(config));
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pty.Write(NextTelegram()));
    ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 50; })) << Source(hub).dump();
    ASSERT_TRUE(WaitFor([&] { return hub.Api("health")["journal"]["waiting_readings"] == 0; }));
    durable = hub.Api("health")["journal"]["durable_mark"];
    ASSERT_GT(durable, 0u);
    hub.Signal(SIGKILL);
    EXPECT_EQ(hub.WaitForExit(), 128 + SIGKILL);
  }
  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  const int series = SeriesOf(hub, "power_import");
  ASSERT_NE(series, 0);
  EXPECT_EQ(Readings(hub, series)["total"], 50);
  // Values of the earlier run are shown with their age, not as fresh.
  const json latest = hub.Api("latest");
  for (const json& value : latest["values"]) EXPECT_TRUE(value["stale"].get<bool>()) << value.dump();
  // Numbers go on above everything that was used.
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
  ASSERT_TRUE(pty.Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return hub.Api("health")["journal"]["durable_mark"].get<uint64_t>() > durable; }));
  EXPECT_EQ(Readings(hub, series)["total"], 51);
}

TEST_F(SystemTest, AStopCommitsWhatIsInMemory) {
  PtyPair pty;
  Plug(pty);
  const std::string config = Config();
  {
    HubProcess hub(RunArguments(config));
    ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
    ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pty.Write(NextTelegram()));
    ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 5; }));
    hub.Signal(SIGTERM);
    EXPECT_EQ(hub.WaitForExit(), 0) << hub.Output();
  }
  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  EXPECT_EQ(Readings(hub, SeriesOf(hub, "power_import"))["total"], 5);
}

TEST_F(SystemTest, AnUnpluggedCableComesBackByItsName) {
  auto first = std::make_unique<PtyPair>();
  Plug(*first);
  HubProcess hub(RunArguments(Config()));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
  ASSERT_TRUE(first->Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 1; }));
  // Unplugged in the middle of a telegram: the half is discarded, counted, and does not spoil the next.
  const std::string half = NextTelegram().substr(0, 300);
  ASSERT_TRUE(first->Write(half));
  ASSERT_TRUE(WaitFor([&] { return Source(hub)["bytes"].get<uint64_t>() > 1000; }));
  std::filesystem::remove(CableName());
  first.reset();
  ASSERT_TRUE(WaitFor([&] { return Source(hub)["state"] != "open"; }));
  EXPECT_NE(Source(hub)["error"], "");
  PtyPair second;
  Plug(second);
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); })) << Source(hub).dump();
  ASSERT_TRUE(second.Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 2; })) << Source(hub).dump();
  EXPECT_EQ(Source(hub)["opens"], 2);
  EXPECT_FALSE(Source(hub)["frames_discarded"].empty());
}

TEST_F(SystemTest, GarbageIsCountedKeptAndHarmless) {
  PtyPair pty;
  Plug(pty);
  HubProcess hub(RunArguments(Config()));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
  std::string garbage;
  uint32_t state = 12345;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1664525 + 1013904223;
    garbage += static_cast<char>(state >> 24);
  }
  ASSERT_TRUE(pty.Write(garbage));
  std::string broken = NextTelegram();
  broken[200] = broken[200] == '1' ? '2' : '1';
  ASSERT_TRUE(pty.Write(broken));
  ASSERT_TRUE(pty.Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 1; })) << Source(hub).dump();
  EXPECT_FALSE(Source(hub)["frames_rejected"].empty());
  ASSERT_TRUE(WaitFor([&] {
    const json unknown = hub.Api("unknown");
    return unknown.is_object() && !unknown["frames"].empty();
  }));
}

TEST_F(SystemTest, OneWrongPartDoesNotStopTheRest) {
  PtyPair pty;
  Plug(pty);
  const std::string config =
      directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() + R"(/data"},
    "sources": [{"name": "meter", "type": "serial", "protocol": "p1", "port": ")" +
                                         CableName() + R"("},
                {"name": "wrong", "type": "serial", "protocol": "p1", "prt": "/dev/nowhere"}]})");
  HubProcess strict({"run", "--config", config, "--strict"});
  EXPECT_EQ(strict.WaitForExit(), 3);
  EXPECT_NE(strict.Output().find("port"), std::string::npos) << strict.Output();

  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub); }));
  ASSERT_TRUE(pty.Write(NextTelegram()));
  ASSERT_TRUE(WaitFor([&] { return Accepted(hub) == 1; }));
  const json health = hub.Api("health");
  EXPECT_EQ(health["status"], "degraded");
  EXPECT_NE(health["reasons"].dump().find("wrong"), std::string::npos) << health.dump();
}

TEST_F(SystemTest, AMergedDeviceFallsBackToTheSecondRoad) {
  PtyPair first;
  PtyPair second;
  Plug(first);
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  options.seed = 2;
  options.installed_us = meter_us_ - 7'200'000'000;
  simulators::P1Meter other(options);
  const auto key_of = [](const std::string& telegram) {
    const size_t at = telegram.find("0-0:96.1.1(") + 11;
    std::string id;
    for (size_t i = at; telegram[i] != ')'; i += 2)
      id += static_cast<char>(std::stoi(telegram.substr(i, 2), nullptr, 16));
    std::transform(id.begin(), id.end(), id.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    return "p1_" + id;
  };
  const auto other_telegram = [&] {
    other.Advance(meter_us_);
    return other.Emit();
  };
  const std::string config =
      directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() + R"(/data", "commit_s": 1},
      "sources": [{"name": "meter", "type": "serial", "protocol": "p1", "port": ")" +
                                         CableName() + R"("},
                  {"name": "other", "type": "serial", "protocol": "p1", "port": ")" +
                                         second.path() + R"("}],
      "merged": [{"key": "house", "name": "House", "members": [")" +
                                         key_of(NextTelegram()) + "\", \"" + key_of(other_telegram()) +
                                         R"("], "fallback_after_s": 2, "return_after_s": 1}]})");
  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SourceOpen(hub) && hub.Api("sources")["sources"][1]["state"] == "open"; }));
  const auto merged_road = [&](bool send_first) {
    if (send_first) first.Write(NextTelegram());
    if (!send_first) meter_us_ += 1'000'000;
    second.Write(other_telegram());
    const json all = hub.Api("series");
    for (const json& series : all["series"]) {
      if (series["device"] == "merged_house" && series["field"] == "energy_import_t1") {
        const json answer = Readings(hub, series["id"]);
        return answer["road"].is_string() ? answer["road"].get<std::string>() : std::string();
      }
    }
    return std::string();
  };
  const std::string preferred = key_of(NextTelegram());
  ASSERT_TRUE(WaitFor([&] { return merged_road(true) == preferred; })) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return merged_road(false) == key_of(other_telegram()); })) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return merged_road(true) == preferred; })) << hub.Output();
}

TEST_F(SystemTest, TwoHubsNeverShareAData) {
  PtyPair pty;
  Plug(pty);
  const std::string config = Config();
  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  HubProcess second(RunArguments(config));
  EXPECT_EQ(second.WaitForExit(), 3);
  EXPECT_NE(second.Output().find("another hub"), std::string::npos) << second.Output();
}

TEST_F(SystemTest, BeyondLoopbackNeedsAPassword) {
  HubProcess hub({"run", "--config", Config(), "--http", "0.0.0.0:" + std::to_string(FreePort())});
  EXPECT_EQ(hub.WaitForExit(), 3);
  EXPECT_NE(hub.Output().find("password"), std::string::npos) << hub.Output();
}

// A device that answers, on a loop of its own.
class LivingIncubator {
 public:
  explicit LivingIncubator(const std::string& path) {
    std::string error;
    port_ = simulators::PtyPort::Open(io_, path, &error);
    simulators::IncubatorOptions options;
    options.start_us = NowUs();
    options.answer_us = 5000;
    line_ = std::make_unique<simulators::IncubatorLine>(io_, options, *port_);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~LivingIncubator() {
    io_.stop();
    thread_.join();
  }
  bool InSession() {
    std::promise<bool> answer;
    boost::asio::post(io_, [&] { answer.set_value(line_->device().in_session()); });
    return answer.get_future().get();
  }

 private:
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<simulators::Port> port_;
  std::unique_ptr<simulators::IncubatorLine> line_;
  std::thread thread_;
};

TEST_F(SystemTest, AnIncubatorIsPolledAndToldGoodbye) {
  LivingIncubator incubator(CableName());
  const std::string config =
      directory_.Write("ward.json", R"({"storage": {"directory": ")" + directory_.path() + R"(/data"},
      "sources": [{"name": "bed-1", "type": "serial", "protocol": "medibus", "port": ")" +
                                        CableName() + R"("}]})");
  HubProcess hub(RunArguments(config));
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  ASSERT_TRUE(WaitFor([&] { return SeriesOf(hub, "air_temp") != 0 && SeriesOf(hub, "code_table") != 0; }))
      << Source(hub).dump() << hub.Output();
  EXPECT_TRUE(incubator.InSession());
  // Each frame is durable at once, though the store commits every ten seconds only.
  ASSERT_TRUE(WaitFor(
      [&] {
        const json readings = Readings(hub, SeriesOf(hub, "air_temp"));
        return readings.is_object() && readings["total"].get<int>() >= 1;
      },
      std::chrono::seconds(5)));
  std::string device;
  const json devices = hub.Api("devices");
  for (const json& one : devices["devices"]) {
    if (one["kind"] == "incubator") device = one["key"];
  }
  EXPECT_EQ(device, "medibus_bed-1_5700-babyleo-tn500");
  hub.Signal(SIGTERM);
  EXPECT_EQ(hub.WaitForExit(), 0) << hub.Output();
  EXPECT_FALSE(incubator.InSession());  // STOP came: it need not find out by silence
}

TEST(DemoTest, ShowsLiveMetersAndADayOfHistory) {
  const TempDirectory directory;
  HubProcess hub({"demo", "--http", "127.0.0.1:" + std::to_string(FreePort()), "--data", directory.path()});
  ASSERT_NE(hub.WaitForPort(), 0) << hub.Output();
  const auto online = [&] {
    std::set<std::string> kinds;
    const json devices = hub.Api("devices");
    if (!devices.is_object()) return kinds;
    for (const json& device : devices["devices"]) {
      if (device["availability"] == "online") kinds.insert(device["kind"].get<std::string>());
    }
    return kinds;
  };
  ASSERT_TRUE(WaitFor(
      [&] {
        const std::set<std::string> wanted = {"ac_charger", "battery_monitor", "electricity_meter",
                                              "gas_meter",  "gateway",         "incubator",
                                              "inverter",   "solar_charger",   "water_meter"};
        const std::set<std::string> heard = online();
        return std::includes(heard.begin(), heard.end(), wanted.begin(), wanted.end());
      },
      std::chrono::seconds(40)))
      << hub.Api("devices").dump() << hub.Api("sources").dump() << hub.Output();
  // The replayed day is in the charts as soon as it is durable.
  const auto longest = [&] {
    int most = 0;
    const json all = hub.Api("series");
    for (const json& series : all["series"]) {
      if (series["field"] != "power_import") continue;
      const json readings = hub.Api("readings?series=" + std::to_string(series["id"].get<int>()) +
                                    "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=2000");
      if (readings.is_object()) most = std::max(most, readings["total"].get<int>());
    }
    return most;
  };
  EXPECT_TRUE(WaitFor([&] { return longest() >= 1440; })) << longest();
  hub.Signal(SIGTERM);
  EXPECT_EQ(hub.WaitForExit(), 0) << hub.Output();
}

}  // namespace
}  // namespace vesta::test
