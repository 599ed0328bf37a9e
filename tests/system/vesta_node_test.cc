// The real hub, the real vesta-node and a real broker together: what is set by MQTT reaches the node's pins, what the
// node's serial lines carry reaches the hub's history, and the hub's configurations and firmware reach the node.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "simulators/p1_meter.h"
#include "simulators/vedirect_feed.h"
#include "tests/system/broker.h"
#include "tests/system/hub_process.h"
#include "tests/system/pty_pair.h"

namespace vesta::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
namespace fs = std::filesystem;

constexpr const char* kSecretText = "5a5a5a5a0102030405060708090a0b0c";
constexpr const char* kNodeId = "02bb00000001";
constexpr const char* kHeating =
    R"([{"type":"thermometer","name":"Tank","pin":4,"period_s":1},
        {"type":"relay","name":"Burner","pin":5},{"type":"relay","name":"Pump","pin":6},
        {"type":"thermostat","name":"Tank","sensor":"2811223344556656","relay":"Burner"}])";

std::string Configuration(const std::string& functions, int version = 1) {
  return R"({"version":)" + std::to_string(version) + R"(,"name":"Boiler room","ping_s":1,"functions":)" + functions +
         "}";
}

class NodeProcess {
 public:
  explicit NodeProcess(const std::string& settings) {
    pid_ = fork();
    if (pid_ != 0) return;
    execl(VESTA_NODE_BIN, "vesta-node", "--config", settings.c_str(), nullptr);
    _exit(127);
  }
  ~NodeProcess() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

 private:
  pid_t pid_;
};

class VestaNodeTest : public testing::Test {
 protected:
  VestaNodeTest() {
    for (const char* pin : {"gpio5", "gpio6"}) {
      fs::create_directories(directory_.path() + "/gpio/" + pin);
      Write(std::string("gpio/") + pin + "/direction", "in");
      Write(std::string("gpio/") + pin + "/value", "0");
    }
    fs::create_directories(directory_.path() + "/w1/28-665544332211");
    Write("w1/28-665544332211/w1_slave",
          "58 01 4b 46 7f ff 08 10 f9 : crc=f9 YES\n58 01 4b 46 7f ff 08 10 f9 t=21500\n");
    Write("secret", kSecretText);
  }

  std::string Write(const std::string& name, const std::string& text) { return directory_.Write(name, text); }
  std::string Content(const std::string& name) const {
    std::ifstream file(directory_.path() + "/" + name);
    std::string text;
    std::getline(file, text);
    return text;
  }
  std::vector<std::string> HubArguments(const std::string& outputs = "") {
    const std::string config = Write(
        "vesta.json", R"({"storage":{"directory":")" + directory_.path() +
                          R"(/data","commit_s":0.2},"sources":[{"name":"home","type":"nodes","channel":6,"air_port":)" +
                          std::to_string(air_port_) + R"(}],"outputs":[)" + outputs + "]}");
    return {"run", "--config", config, "--http", "127.0.0.1:" + std::to_string(http_port_)};
  }
  std::string NodeSettings(const std::string& configuration, json more = json::object()) {
    json settings = {{"port", air_port_},
                     {"address", kNodeId},
                     {"state", directory_.path() + "/state"},
                     {"secret_file", directory_.path() + "/secret"},
                     {"gpio", directory_.path() + "/gpio"},
                     {"one_wire", directory_.path() + "/w1"}};
    if (!configuration.empty()) settings["configuration"] = Write("functions.json", configuration);
    settings.update(more);
    return Write("node.json", settings.dump());
  }
  void StartHub(const std::string& outputs = "") {
    hub_ = std::make_unique<HubProcess>(HubArguments(outputs));
    ASSERT_NE(hub_->WaitForPort(), 0) << hub_->Output();
  }
  void GiveSecret() { ASSERT_EQ(Send("POST", "secrets", {{"secret", kSecretText}, {"name", "boiler"}}).status, 204); }
  HttpAnswer Send(const std::string& method, const std::string& what, const json& body) const {
    return HttpSend(http_port_, method, "/api/v1/nodes/" + what, body.dump());
  }
  json Node() const {
    const json all = hub_->Api("nodes");
    if (!all.is_object()) return nullptr;
    for (const json& node : all["nodes"]) {
      if (node["id"] == kNodeId) return node;
    }
    return nullptr;
  }
  json Item(const std::string& name, const std::string& field) const {
    const json node = Node();
    if (!node.is_object()) return nullptr;
    for (const json& item : node["items"]) {
      if (item["name"] == name && item["field"] == field) return item;
    }
    return nullptr;
  }
  std::string WishState(int item) const {
    const json node = Node();
    if (!node.is_object()) return "";
    for (const json& wish : node["wishes"]) {
      if (wish["item"] == item) return wish["state"];
    }
    return "";
  }
  TempDirectory directory_;
  uint16_t air_port_ = FreePort();
  uint16_t http_port_ = FreePort();
  std::unique_ptr<HubProcess> hub_;
};

TEST_F(VestaNodeTest, HomeAssistantSetsTheThermostatAndThePumpByMqtt) {
  const uint16_t broker_port = FreePort();
  const Broker broker(directory_.path(), broker_port);
  MqttClient mqtt;
  ASSERT_TRUE(mqtt.Start(broker_port));
  const std::string output = R"({"name":"broker","type":"mqtt","host":"127.0.0.1","commands":true,"port":)" +
                             std::to_string(broker_port) + "}";
  StartHub(output);
  GiveSecret();
  const NodeProcess node(NodeSettings(Configuration(kHeating)));
  ASSERT_TRUE(
      WaitFor([&] { return !Item("Tank", "set_point").is_null() && !Item("Tank", "set_point")["device"].empty(); }));
  const json set_point = Item("Tank", "set_point");
  const json pump = Item("Pump", "state");

  // Home Assistant is told of a number and of a switch, with the limits of the node.
  json number;
  json toggle;
  ASSERT_TRUE(WaitFor([&] {
    for (const std::string& topic : mqtt.Topics()) {
      if (!topic.starts_with("homeassistant/device/")) continue;
      const json config = json::parse(mqtt.On(topic).back(), nullptr, false);
      if (!config.is_object() || !config.contains("components")) continue;
      for (const auto& [key, component] : config["components"].items()) {
        if (component.value("platform", "") == "number") number = component;
        if (component.value("platform", "") == "switch") toggle = component;
      }
    }
    return number.is_object() && toggle.is_object();
  })) <<
      [&] {
        std::string all;
        for (const std::string& topic : mqtt.Topics()) all += topic + "\n";
        return all + Node().dump();
      }();
  const std::string set_topic = "vesta/" + set_point["device"].get<std::string>() + "/set_point/set";
  const std::string wish_topic = "vesta/" + set_point["device"].get<std::string>() + "/set_point/wish";
  EXPECT_EQ(number["command_topic"], set_topic);
  EXPECT_EQ(number["min"], 5.0);
  EXPECT_EQ(number["max"], 30.0);
  EXPECT_EQ(number["step"], 0.5);
  EXPECT_EQ(number["unit_of_measurement"], "°C");
  EXPECT_EQ(number["device_class"], "temperature");
  EXPECT_FALSE(number.contains("state_class"));
  EXPECT_FALSE(number.contains("expire_after"));
  const std::string pump_topic = "vesta/" + pump["device"].get<std::string>() + "/state/set";
  EXPECT_EQ(toggle["command_topic"], pump_topic);
  EXPECT_EQ(toggle["payload_on"], "True");
  EXPECT_EQ(toggle["state_on"], "True");

  // As Home Assistant sends them.
  mqtt.Publish(set_topic, "25.5");
  mqtt.Publish(pump_topic, "True");
  ASSERT_TRUE(WaitFor([&] { return WishState(set_point["item"]) == "confirmed"; })) << Node().dump();
  ASSERT_TRUE(WaitFor([&] { return WishState(pump["item"]) == "confirmed"; }));
  ASSERT_TRUE(WaitFor([&] { return Content("gpio/gpio5/value") == "1"; })) << "21.5 is below 25.5: the burner runs";
  ASSERT_TRUE(WaitFor([&] { return Content("gpio/gpio6/value") == "1"; }));
  ASSERT_TRUE(WaitFor([&] { return mqtt.On(wish_topic).size() >= 2; }));
  EXPECT_EQ(json::parse(mqtt.On(wish_topic).front())["state"], "sent");
  const json last = json::parse(mqtt.On(wish_topic).back());
  EXPECT_EQ(last["state"], "confirmed");
  EXPECT_EQ(last["held"], 25.5);
  // What holds comes back as a value, on the entity's state topic.
  const std::string state_topic = number["state_topic"];
  EXPECT_TRUE(WaitFor([&] {
    const auto states = mqtt.On(state_topic);
    return std::any_of(states.begin(), states.end(),
                       [](const std::string& s) { return json::parse(s)["set_point"] == 25.5; });
  }));

  // Out of its limits: not carried out, and nothing else changes.
  mqtt.Publish(set_topic, "99");
  mqtt.Publish(set_topic, "warm");
  mqtt.Publish(pump_topic, "False");
  ASSERT_TRUE(WaitFor([&] { return Content("gpio/gpio6/value") == "0"; }));
  EXPECT_EQ(json::parse(mqtt.On(wish_topic).back())["held"], 25.5) << "99 is above its maximum";

  // 24 lies at the broker, retained: a hub that starts does not carry it out. Who listened when it was published got it
  // as a fresh message, so the set-point is moved on first.
  mqtt.Publish(set_topic, "24", true);
  mqtt.Publish(set_topic, "22");
  ASSERT_TRUE(WaitFor([&] { return json::parse(mqtt.On(wish_topic).back())["held"] == 22; }));
  const size_t wishes = mqtt.On(wish_topic).size();
  hub_.reset();
  StartHub(output);
  // A message that is there before the hub has subscribed is nobody's.
  ASSERT_TRUE(WaitFor([&] {
    mqtt.Publish(pump_topic, "True");
    usleep(200000);
    return Content("gpio/gpio6/value") == "1";
  }));
  EXPECT_EQ(mqtt.On(wish_topic).size(), wishes) << mqtt.On(wish_topic).back();
}

TEST_F(VestaNodeTest, WhatTheNodesSerialLinesCarryIsReadAtTheHub) {
  PtyPair meter_line;
  PtyPair battery_line;
  StartHub();
  GiveSecret();
  const NodeProcess node(NodeSettings(Configuration(R"([{"type":"p1","name":"Meter","port":0,"period_s":1},
                        {"type":"vedirect","name":"Battery","port":1,"period_s":1}])"),
                                      {{"serial", {meter_line.path(), battery_line.path()}}}));
  ASSERT_TRUE(WaitFor([&] { return Node().is_object() && !Node()["items"].empty(); })) << hub_->Output();

  const int64_t now_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  simulators::P1MeterOptions options;
  options.kind = simulators::P1Kind::kDsmr5ThreePhase;
  options.installed_us = now_us - 3'600'000'000;
  simulators::P1Meter meter(options);
  meter.Advance(now_us / 1000000 * 1000000);
  simulators::VedirectFeedOptions feed_options;
  feed_options.device.start_us = now_us;
  simulators::VedirectFeed feed(feed_options);
  const auto find = [&] {
    const json sources = hub_->Api("series");
    if (!sources.is_object()) return false;
    std::set<std::string> seen;
    for (const json& series : sources["series"]) {
      const std::string device = series["device"];
      if (device.starts_with("p1_") && series["field"] == "energy_import_t1") seen.insert("p1");
      if (device.starts_with("vedirect_") || device.starts_with("victron_")) seen.insert("vedirect");
    }
    return seen.size() == 2;
  };
  const auto end = std::chrono::steady_clock::now() + seconds(20);
  while (!find() && std::chrono::steady_clock::now() < end) {
    meter_line.Write(meter.Emit());
    battery_line.Write(feed.Next());
    // A telegram a second, as a meter sends them: the node forwards one a period.
    WaitFor([] { return false; }, std::chrono::milliseconds(400));
  }
  ASSERT_TRUE(find()) << hub_->Api("series").dump() << hub_->Api("sources").dump();
  // The value that the meter printed, under the source of what nodes forward.
  const json series = hub_->Api("series");
  for (const json& one : series["series"]) {
    if (!one["device"].get<std::string>().starts_with("p1_") || one["field"] != "energy_import_t1") continue;
    json answer;
    ASSERT_TRUE(WaitFor([&] {
      answer = hub_->Api("readings?series=" + one["id"].dump() +
                         "&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&points=100");
      return answer.is_object() && !answer["readings"].empty();
    }));
    EXPECT_NEAR(answer["readings"][0][1].get<double>(), static_cast<double>(meter.registers().import_wh[0]) / 1000,
                0.0005);
    // The telegram's own second.
    EXPECT_NEAR(answer["readings"][0][0].get<double>() / 1000, static_cast<double>(now_us) / 1e6, 2.0);
  }
  const json sources = hub_->Api("sources");
  const bool has_source = std::any_of(sources["sources"].begin(), sources["sources"].end(),
                                      [](const json& one) { return one["name"] == "home-forwarded"; });
  EXPECT_TRUE(has_source) << sources.dump();
}

TEST_F(VestaNodeTest, TheHubChangesWhatTheNodeDoesAndIsToldWhatDoesNotFit) {
  StartHub();
  GiveSecret();
  PtyPair lines[2];
  const NodeProcess node(NodeSettings(Configuration(R"([{"type":"thermometer","name":"Tank","pin":4,"period_s":1}])"),
                                      {{"serial", {lines[0].path(), lines[1].path()}}}));
  ASSERT_TRUE(WaitFor([&] { return !Item("Tank", "temperature").is_null(); })) << hub_->Output();
  const auto put = [&](const std::string& functions) {
    const json network = {
        {"format", "vesta-network"},
        {"version", 1},
        {"nodes",
         {{{"protocol", "link"}, {"address", kNodeId}, {"name", "Boiler"}, {"functions", json::parse(functions)}}}}};
    return Send("PUT", "network", network);
  };
  const HttpAnswer answer = put(kHeating);
  ASSERT_EQ(answer.status, 204) << answer.body;
  ASSERT_TRUE(WaitFor([&] { return !Item("Pump", "state").is_null() && !Item("Tank", "set_point").is_null(); }))
      << Node().dump();
  // The functions work: the pump can be switched.
  const int pump = Item("Pump", "state")["item"];
  ASSERT_EQ(Send("PUT", std::string(kNodeId) + "/items/" + std::to_string(pump), {{"value", "1"}}).status, 204);
  ASSERT_TRUE(WaitFor([&] { return Content("gpio/gpio6/value") == "1"; }));
  EXPECT_EQ(Node()["note"], "");

  // More than the node's memory: refused as a whole, with the sum, and the old ones go on.
  ASSERT_EQ(
      put(R"([{"type":"p1","port":0,"max_bytes":4000},{"type":"p1","name":"b","port":1,"max_bytes":4000}])").status,
      204);
  ASSERT_TRUE(WaitFor([&] { return Node()["note"].get<std::string>().find("bytes of memory") != std::string::npos; }))
      << Node().dump();
  EXPECT_NE(Node()["note"].get<std::string>().find("it does not fit the node"), std::string::npos);
  EXPECT_FALSE(Item("Pump", "state").is_null());
  const HttpAnswer wrong = Send("PUT", "network", {{"format", "vesta-network"}, {"version", 1}, {"nodes", 3}});
  EXPECT_EQ(wrong.status, 400);
}

TEST_F(VestaNodeTest, FirmwareReachesTheNodeThoughTheHubIsKilledAndAForgedOneIsRefused) {
  const auto vesta = [&](const std::vector<std::string>& arguments, int expected) {
    HubProcess command(arguments);
    EXPECT_EQ(command.WaitForExit(seconds(60)), expected) << command.Output();
    return command.Output();
  };
  const auto path = [&](const char* name) { return directory_.path() + "/" + name; };
  const auto sign = [&](const char* key, const char* version) {
    vesta({"nodes", "sign", VESTA_NODE_BIN, "--key", path(key), "--version", version, "--into", path("node.vfw")}, 0);
  };
  const std::string made = vesta({"nodes", "new-key", path("key.pem")}, 0);
  vesta({"nodes", "new-key", path("other.pem")}, 0);
  Write("signer", made.substr(made.rfind('\n', made.size() - 2) + 1));
  StartHub();
  GiveSecret();
  const NodeProcess node(NodeSettings(Configuration("[]"), {{"signer_file", path("signer")}, {"trial_s", 30}}));
  const auto update = [&]() -> json {
    const json shown = Node();
    return shown.is_object() ? shown["update"] : json();
  };
  ASSERT_TRUE(WaitFor([&] { return Node().is_object() && Node()["firmware"] == "0.1.0"; })) << hub_->Output();
  const std::vector<std::string> order = {"nodes", "update", path("node.vfw"), "--hub",
                                          "http://127.0.0.1:" + std::to_string(http_port_)};
  // Signed by somebody else: the node asks for no block of it.
  sign("other.pem", "2.0.0");
  const std::string refused = vesta(order, 1);
  EXPECT_NE(refused.find("refused: its signature"), std::string::npos) << refused;
  sign("key.pem", "1.0.0");
  {
    HubProcess command(order);
    ASSERT_TRUE(WaitFor([&] { return update().is_object() && update()["percent"] > 20; })) << command.Output();
    hub_->Signal(SIGKILL);
    hub_->WaitForExit();
  }
  StartHub();
  ASSERT_TRUE(WaitFor([&] { return update().is_object() && update()["state"] == "done"; }, seconds(60)))
      << Node().dump() << hub_->Output();
  EXPECT_EQ(Node()["firmware"], "1.0.0");
  EXPECT_EQ(update()["percent"], 100);
  const json networks = hub_->Api("nodes")["networks"];
  EXPECT_EQ(networks[0]["firmware"][0]["version"], "1.0.0");
  // The same again is nothing new, and is said for one that is asked alone.
  auto alone = order;
  alone.insert(alone.end(), {"--node", kNodeId});
  EXPECT_NE(vesta(alone, 1).find("the node runs 1.0.0"), std::string::npos);
}

}  // namespace
}  // namespace vesta::test
