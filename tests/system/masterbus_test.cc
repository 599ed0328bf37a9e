// A simulated bus over UDP into the real program: what the bus taught outlives a restart, the topics of the earlier
// logger come on a real broker, and faults leave the known devices alone.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "hub/mqtt/test_broker.h"
#include "protocols/can_text.h"
#include "protocols/can_udp.h"
#include "simulators/masterbus_feed.h"
#include "simulators/paced_feed.h"
#include "simulators/pty_port.h"
#include "simulators/udp_port.h"
#include "simulators/vedirect_feed.h"
#include "tests/system/hub_process.h"
#include "tests/system/udp_sender.h"

namespace vesta::test {
namespace {

using hub::mqtt::TestBroker;
using hub::mqtt::TestClient;
using nlohmann::json;

UtcUs NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class MasterBusSystem : public testing::Test {
 protected:
  std::string Config(const std::string& more = "") {
    return directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() +
                                              R"(/data"}, "sources": [{"name": "boat", "type": "can-udp",
      "protocol": "masterbus", "port": )" + std::to_string(udp_port_) +
                                              "}]" + more + "}");
  }
  std::unique_ptr<HubProcess> StartHub(const std::string& config) {
    auto hub = std::make_unique<HubProcess>(
        std::vector<std::string>{"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(FreePort())});
    EXPECT_NE(hub->WaitForPort(), 0) << hub->Output();
    return hub;
  }
  // A bus on the wire until the condition holds, ten times as fast as a real one.
  bool RunBus(std::vector<simulators::BusFaultSetting> faults, const std::function<bool()>& until) {
    boost::asio::io_context io;
    std::string error;
    const auto port = simulators::UdpPort::Open(io, "127.0.0.1:" + std::to_string(udp_port_), &error);
    simulators::MasterBusOptions options;
    options.start_us = NowUs();
    options.faults = std::move(faults);
    simulators::MasterBusFeed feed(options, simulators::BusForm::kUdp);
    simulators::PacedFeed pace(io, feed, *port, 10);
    pace.Start(options.start_us);
    return WaitFor(
        [&] {
          io.run_for(std::chrono::milliseconds(100));
          return until();
        },
        std::chrono::seconds(60));
  }
  static const json* NodeOf(const json& bus, const char* address) {
    if (!bus.is_object() || !bus.contains("nodes")) return nullptr;
    for (const json& node : bus["nodes"]) {
      if (node["address"] == address) return &node;
    }
    return nullptr;
  }

  TempDirectory directory_;
  const uint16_t udp_port_ = FreePort();
};

TEST_F(MasterBusSystem, WhatTheBusTaughtOutlivesARestart) {
  const std::string config = Config();
  const std::string file = directory_.path() + "/data/bus-boat.model";
  {
    auto hub = StartHub(config);
    json bus;
    EXPECT_TRUE(RunBus({}, [&] {
      bus = hub->Api("sources/boat/bus");
      const json* shunt = NodeOf(bus, "6F1297");
      return shunt != nullptr && (*shunt)["items"].size() >= 8 && (*shunt)["items"][0]["asked"].get<int>() > 5;
    })) << bus.dump();
    EXPECT_EQ((*NodeOf(bus, "6F1297"))["device"], "masterbus_6f1297");
    hub->Signal(SIGTERM);
    EXPECT_EQ(hub->WaitForExit(), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(file));
  {
    auto hub = StartHub(config);
    const json bus = hub->Api("sources/boat/bus");
    const json* shunt = NodeOf(bus, "6F1297");
    ASSERT_NE(shunt, nullptr) << bus.dump();
    EXPECT_EQ((*shunt)["name"], "MSH House shunt");
    EXPECT_TRUE((*shunt)["age_s"].is_null());
    EXPECT_EQ((*shunt)["items"][0]["label"], "State of Charge");
    // One value, and nobody says what it is: it is the field that it was before.
    const auto frame = can::ClassicFrame(*can::ParseFrameText("086F1297#000000009642"));
    const UdpSender sender(udp_port_);
    uint32_t sequence = 0;
    EXPECT_TRUE(WaitFor([&] {
      can::UdpWriter writer;
      writer.Begin(sequence++);
      writer.Add(*frame);
      sender.Send(writer.datagram());
      const json latest = hub->Api("latest?device=masterbus_6f1297");
      return latest.is_object() && latest.dump().find("\"value\":75") != std::string::npos;
    })) << hub->Api("latest").dump();
    EXPECT_EQ(hub->Api("series?device=masterbus_6f1297").dump().find("item_"), std::string::npos);
    hub->Signal(SIGKILL);
    hub->WaitForExit();
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << "MBM1 but damaged";
  auto hub = StartHub(config);
  EXPECT_EQ(NodeOf(hub->Api("sources/boat/bus"), "6F1297"), nullptr);
  EXPECT_TRUE(RunBus({}, [&] { return NodeOf(hub->Api("sources/boat/bus"), "6F1297") != nullptr; }));
  EXPECT_NE(hub->Output().find("bus-boat.model: damaged"), std::string::npos) << hub->Output();
}

TEST_F(MasterBusSystem, TheEarlierLoggersTopicsComeOnARealBroker) {
  TestBroker broker;
  TestClient client(broker, {"masterbus/#"});
  auto hub = StartHub(Config(R"(, "outputs": [{"name": "old", "type": "mqtt-original", "host": "127.0.0.1", "port": )" +
                             std::to_string(broker.Config().port) + "}]"));
  const auto came = [&](const char* topic) { return !client.Newest(topic).empty(); };
  EXPECT_TRUE(RunBus({}, [&] {
    return came("masterbus/0x31297/0x00") && came("masterbus/0x31297/0x0A") && came("masterbus/0x2F412/0x0B");
  })) << hub->Output();
  const std::string charge = client.Newest("masterbus/0x31297/0x00");
  EXPECT_EQ(charge.size() - charge.find('.'), 7u) << charge;
  EXPECT_EQ(client.Newest("masterbus/0x31297/0x0A").size(), 10u);
  for (const auto& message : client.messages()) {
    EXPECT_EQ(message.qos, 0) << message.topic;
    EXPECT_FALSE(message.retained) << message.topic;
  }
  // Who comes later sees nothing until a value changes: the broker was given nothing to keep.
  TestClient late(broker, {"masterbus/0x31297/0x0A"});
  EXPECT_FALSE(WaitFor([&] { return !late.messages().empty(); }, std::chrono::milliseconds(500)));
}

TEST_F(MasterBusSystem, FaultsAreCountedAndTheKnownDevicesGoOn) {
  using simulators::BusFault;
  auto hub = StartHub(Config());
  json bus;
  json source;
  EXPECT_TRUE(RunBus({{BusFault::kUnknownKind, 1}, {BusFault::kWrongLength, 20}, {BusFault::kErrorFrames, 60}},
                     [&] {
                       bus = hub->Api("sources/boat/bus");
                       const json* shunt = NodeOf(bus, "6F1297");
                       if (shunt == nullptr || (*shunt)["items"].size() < 8) return false;
                       const auto is_kind = [](const json& one) { return !one["moved"].empty(); };
                       source = hub->Api("sources")["sources"][0];
                       const json& rejected = source["frames_rejected"];
                       return bus["error_frames"].get<int>() > 0 &&
                              std::any_of(bus["unknown"].begin(), bus["unknown"].end(), is_kind) &&
                              rejected.value("length", 0) > 0 && rejected.value("unknown_kind", 0) > 0 &&
                              source["frames_discarded"].value("error_frame", 0) > 0;
                     }))
      << bus.dump() << source.dump();
}

// One battery, a shunt on the MasterBus and a Victron monitor on a cable: the shunt is preferred.
TEST_F(MasterBusSystem, ABatterySeenByBothGoesOnWhenOneRoadDies) {
  boost::asio::io_context io;
  std::string error;
  const auto cable = simulators::PtyPort::Open(io, directory_.path() + "/monitor", &error);
  ASSERT_NE(cable, nullptr) << error;
  simulators::VedirectFeedOptions monitor_options;
  monitor_options.device = {simulators::VedirectKind::kBatteryMonitor, 7, NowUs()};
  simulators::VedirectFeed monitor(monitor_options);
  cable->OnReceived([&](std::string_view bytes) { cable->Send(monitor.Receive(bytes)); });
  simulators::PacedFeed monitor_pace(io, monitor, *cable, 1);
  monitor_pace.Start(monitor_options.device.start_us);
  const auto udp = simulators::UdpPort::Open(io, "127.0.0.1:" + std::to_string(udp_port_), &error);
  const auto bus = [&] {
    simulators::MasterBusOptions options;
    options.start_us = NowUs();
    return std::make_unique<simulators::MasterBusFeed>(options, simulators::BusForm::kUdp);
  };
  std::unique_ptr<simulators::MasterBusFeed> boat = bus();
  auto pace = std::make_unique<simulators::PacedFeed>(io, *boat, *udp, 10);
  pace->Start(NowUs());

  const std::string config = directory_.Write("vesta.json", R"({"storage": {"directory": ")" + directory_.path() +
                                                                R"(/data"}, "sources": [
      {"name": "boat", "type": "can-udp", "protocol": "masterbus", "port": )" +
                                                                std::to_string(udp_port_) + R"(},
      {"name": "cable", "type": "serial", "protocol": "vedirect", "port": ")" +
                                                                directory_.path() + R"(/monitor"}],
      "merged": [{"key": "battery", "members": ["masterbus_6f1297", "vedirect_cable_port-a381"],
        "fields": [{"field": "state_of_charge", "from": ["state_of_charge", "soc"]}],
        "fallback_after_s": 4, "return_after_s": 2}]})");
  auto hub = StartHub(config);
  const auto road = [&](const char* field) -> std::string {
    const json all = hub->Api("series?device=merged_battery");
    if (!all.is_object() || !all.contains("series")) return "";
    for (const json& series : all["series"]) {
      if (series["field"] != field) continue;
      const json history = hub->Api("readings?points=1&series=" + std::to_string(series["id"].get<int>()));
      return history.contains("road") && history["road"].is_string() ? history["road"].get<std::string>() : "";
    }
    return "";
  };
  const auto comes_from = [&](const char* member) {
    return WaitFor(
        [&] {
          io.run_for(std::chrono::milliseconds(200));
          return road("battery_voltage") == member && road("state_of_charge") == member;
        },
        std::chrono::seconds(60));
  };
  EXPECT_TRUE(comes_from("masterbus_6f1297")) << hub->Api("devices").dump();
  pace.reset();  // the bus falls silent
  EXPECT_TRUE(comes_from("vedirect_cable_port-a381")) << hub->Output();
  boat = bus();
  pace = std::make_unique<simulators::PacedFeed>(io, *boat, *udp, 10);
  pace->Start(NowUs());
  EXPECT_TRUE(comes_from("masterbus_6f1297")) << hub->Output();
}

}  // namespace
}  // namespace vesta::test
