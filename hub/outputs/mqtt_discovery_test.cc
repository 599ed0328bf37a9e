#include "hub/outputs/mqtt_discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "hub/outputs/mqtt_test_hub.h"

namespace vesta::hub {
namespace {

using namespace std::chrono_literals;
using mqtt::RunFor;
using mqtt::RunUntil;
using mqtt::TestBroker;
using mqtt::TestClient;

class MqttDiscoveryTest : public testing::Test {
 protected:
  MqttDiscoveryTest() : client(broker, {"homeassistant/#", "vesta/#"}) {
    config.name = "mqtt";
    config.mqtt = broker.Config();
    config.history = false;
  }
  void Start(const MqttOutputTiming& timing = TestHub::Quick()) {
    hub.StartOutput(config, timing);
    ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.StateHealth().connected; }));
  }
  void MakeMeter() {
    meter = hub.MakeDevice("E1");
    key = hub.directory->FindDevice(meter)->key;
    hub.Frame(meter, {{kPower, Value::OfDecimal(271, -3)}, {kTariff, Value::OfState(1)}});
  }
  std::string DeviceTopic() const { return "homeassistant/device/hub01_" + key + "/config"; }
  std::string PowerTopic() const { return "homeassistant/sensor/hub01_" + key + "_power/config"; }
  bool WaitFor(const std::string& topic) {
    return RunUntil(hub.io, [&] { return client.Count(topic) > 0; });
  }

  TestBroker broker;
  TestClient client;
  TestHub hub;
  OutputConfig config;
  DeviceId meter = 0;
  std::string key;
};

TEST_F(MqttDiscoveryTest, DeviceAndHubAreAnnouncedRetainedAndStatesFollow) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  ASSERT_TRUE(WaitFor("homeassistant/device/hub01/config"));
  const auto json = nlohmann::json::parse(client.Newest(DeviceTopic()));
  EXPECT_EQ(json["device"]["name"], "Meter E1");
  EXPECT_EQ(json["device"]["via_device"], "hub01");
  const auto& power = json["components"]["power"];
  EXPECT_EQ(power["unique_id"], "hub01_" + key + "_power");
  EXPECT_EQ(power["name"], "Name of power");
  EXPECT_EQ(power["device_class"], "power");
  EXPECT_EQ(power["unit_of_measurement"], "kW");
  EXPECT_EQ(power["state_topic"], "vesta/" + key + "/state");
  EXPECT_EQ(json["components"]["tariff"]["state_topic"], "vesta/" + key + "/state_slow");
  // A receiver that subscribes once it knows the topics still gets the values, slow ones too.
  client.Forget();
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Count("vesta/" + key + "/state_slow") == 1; }));
  TestClient later(broker, {"homeassistant/#"});
  EXPECT_TRUE(RunUntil(hub.io, [&] { return later.Count(DeviceTopic()) == 1; })) << "not retained";
}

TEST_F(MqttDiscoveryTest, ANewSeriesIsAnnouncedAtOnce) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  EXPECT_EQ(client.Newest(DeviceTopic()).find("energy_import"), std::string::npos);
  hub.Frame(meter, {{kEnergy, Value::OfInteger(1)}});
  EXPECT_TRUE(
      RunUntil(hub.io, [&] { return client.Newest(DeviceTopic()).find("total_increasing") != std::string::npos; }));
}

TEST_F(MqttDiscoveryTest, EntityFormIsOneMessageAnEntity) {
  config.discovery_form = "entity";
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(PowerTopic()));
  ASSERT_TRUE(WaitFor("homeassistant/sensor/hub01_" + key + "_tariff/config"));
  ASSERT_TRUE(WaitFor("homeassistant/binary_sensor/hub01_storage_problem/config"));
  RunFor(hub.io, 50ms);
  EXPECT_EQ(client.Count(DeviceTopic()), 0u);
}

TEST_F(MqttDiscoveryTest, BrokerWithoutMemoryGetsEverythingAgain) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  broker.Restart();
  ASSERT_TRUE(RunUntil(
      hub.io, [&] { return hub.StateHealth().connects == 2; }, 10s));
  TestClient later(broker, {"homeassistant/#", "vesta/#"});
  EXPECT_TRUE(RunUntil(
      hub.io,
      [&] {
        return later.Count(DeviceTopic()) > 0 && later.Count("homeassistant/device/hub01/config") > 0 &&
               later.Newest("vesta/status") == "online" && later.Newest("vesta/" + key + "/availability") == "online" &&
               later.Count("vesta/" + key + "/state") > 0 && later.Count("vesta/" + key + "/state_slow") > 0;
      },
      10s));
}

TEST_F(MqttDiscoveryTest, ThreeBirthMessagesAreOneRefresh) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  RunFor(hub.io, 300ms);  // what follows the first announcement
  client.Forget();
  for (int i = 0; i < 3; ++i) {
    client.Publish("homeassistant/status", "online");
    RunFor(hub.io, 30ms);
  }
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count("vesta/" + key + "/state") > 0; }));
  RunFor(hub.io, 800ms);  // longer than the longest wait
  EXPECT_EQ(client.Count(DeviceTopic()), 1u);
  EXPECT_EQ(client.Count("vesta/" + key + "/availability"), 1u);
  EXPECT_EQ(client.Count("vesta/" + key + "/state"), 1u);
  client.Forget();
  client.Publish("homeassistant/status", "offline");
  RunFor(hub.io, 600ms);
  EXPECT_EQ(client.Count(DeviceTopic()), 0u);
}

TEST_F(MqttDiscoveryTest, ChangingTheFormMigratesAndClearsTheOldTopics) {
  config.discovery_form = "entity";
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(PowerTopic()));
  hub.StopOutput();
  client.Forget();
  config.discovery_form = "device";
  Start();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count(PowerTopic()) == 2; }));
  std::vector<std::string> order;
  for (const auto& message : client.messages()) {
    if (message.topic == PowerTopic()) order.push_back(message.payload.empty() ? "clear" : message.payload);
    if (message.topic == DeviceTopic()) order.push_back("device");
  }
  EXPECT_THAT(order, testing::ElementsAre(R"({"migrate_discovery":true})", "device", "clear"));
  TestClient later(broker, {"homeassistant/#"});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return later.Count(DeviceTopic()) == 1; }));
  for (const auto& message : later.messages()) {
    EXPECT_NE(message.topic.find("homeassistant/device/"), std::string::npos) << message.topic << " was left";
  }
}

TEST_F(MqttDiscoveryTest, DevicesThatAreGoneAreTakenBackAndStrangersLeftAlone) {
  const auto announce = [&](const std::string& topic, const std::string& origin, const std::string& id,
                            const std::string& via) {
    client.Publish(topic,
                   R"({"origin":{"name":")" + origin + R"("},"device":{"identifiers":[")" + id +
                       R"("],"via_device":")" + via + R"("},"components":{}})",
                   true);
  };
  announce("homeassistant/device/hub01_p1_gone/config", "Vesta", "hub01_p1_gone", "hub01");
  announce("homeassistant/device/hub01_2_p1_x/config", "Vesta", "hub01_2_p1_x", "hub01_2");  // another hub of ours
  announce("homeassistant/device/hub01_foreign/config", "zigbee", "hub01_foreign", "hub01");
  client.Publish("homeassistant/device/hub01_odd/config", "no json", true);
  client.Publish("homeassistant/sensor/odd/config", R"({"origin":7,"device":[]})", true);
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count("homeassistant/sensor/odd/config") == 1; }));
  client.Forget();
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor("homeassistant/device/hub01_p1_gone/config"));
  EXPECT_EQ(client.Newest("homeassistant/device/hub01_p1_gone/config"), "");
  TestClient later(broker, {"homeassistant/#"});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return later.messages().size() >= 6; }));
  std::set<std::string> topics;
  for (const auto& message : later.messages()) topics.insert(message.topic);
  EXPECT_THAT(topics, testing::UnorderedElementsAre(
                          "homeassistant/device/hub01_2_p1_x/config", "homeassistant/device/hub01_foreign/config",
                          "homeassistant/device/hub01_odd/config", "homeassistant/sensor/odd/config",
                          "homeassistant/device/hub01/config", DeviceTopic()));
}

TEST_F(MqttDiscoveryTest, SwitchedOffItTakesItsOwnBack) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  hub.StopOutput();
  config.home_assistant = false;
  Start();
  ASSERT_TRUE(RunUntil(hub.io, [&] {
    return client.Newest(DeviceTopic()).empty() && client.Newest("homeassistant/device/hub01/config").empty();
  }));
  TestClient later(broker, {"homeassistant/#", "vesta/status"});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return later.Newest("vesta/status") == "online"; }));
  EXPECT_EQ(later.messages().size(), 1u);
}

TEST_F(MqttDiscoveryTest, ADeviceWithTooManyEntitiesForOneMessageGoesOutPerEntity) {
  Start();
  meter = hub.MakeDevice("E1");
  key = hub.directory->FindDevice(meter)->key;
  std::vector<std::string> keys;
  for (int i = 0; i < 1200; ++i) keys.push_back("field_" + std::to_string(i));
  TestHub::Values values;
  for (const std::string& name : keys) values.emplace_back(Field{name.c_str()}, Value::OfInteger(1));
  hub.Frame(meter, values);
  EXPECT_TRUE(WaitFor("homeassistant/sensor/hub01_" + key + "_field_1199/config"));
  EXPECT_EQ(client.Count(DeviceTopic()), 0u);
}

TEST_F(MqttDiscoveryTest, ALongerIntervalIsAnnouncedALittleWobbleIsNot) {
  Start();
  MakeMeter();
  ASSERT_TRUE(WaitFor(DeviceTopic()));
  EXPECT_EQ(nlohmann::json::parse(client.Newest(DeviceTopic()))["components"]["power"]["expire_after"], 120);
  RunFor(hub.io, 200ms);
  client.Forget();
  for (int i = 0; i < 20; ++i) {
    hub.clock.Advance(25 * kUsPerSecond);
    hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  }
  RunFor(hub.io, 200ms);
  EXPECT_EQ(client.Count(DeviceTopic()), 0u);  // 75 s is 90 s in steps, within half of 120 s
  for (int i = 0; i < 20; ++i) {
    hub.clock.Advance(300 * kUsPerSecond);
    hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  }
  EXPECT_TRUE(RunUntil(hub.io, [&] {
    const auto json = nlohmann::json::parse(client.Newest(DeviceTopic()), nullptr, false);
    return json.is_object() && json["components"]["power"]["expire_after"] == 900;
  }));
}

TEST(MqttDiscovery, ExpireAfterCoversTheLimitAndTheSendInterval) {
  OutputConfig config;
  EXPECT_EQ(MqttDiscovery::ExpireAfter(60 * kUsPerSecond, config), 60u);
  EXPECT_EQ(MqttDiscovery::ExpireAfter(61 * kUsPerSecond, config), 90u);
  EXPECT_EQ(MqttDiscovery::ExpireAfter(kMaxStaleAfter_us, config), 180000u);
  config.send = "latest";
  config.interval_s = 300;
  EXPECT_EQ(MqttDiscovery::ExpireAfter(60 * kUsPerSecond, config), 900u);
}

}  // namespace
}  // namespace vesta::hub
