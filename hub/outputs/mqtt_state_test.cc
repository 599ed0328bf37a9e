#include "hub/outputs/mqtt_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/outputs/mqtt_discovery.h"
#include "hub/outputs/mqtt_test_hub.h"

namespace vesta::hub {
namespace {

using namespace std::chrono_literals;
using mqtt::RunFor;
using mqtt::RunUntil;
using mqtt::TestBroker;
using mqtt::TestClient;

class MqttStateTest : public testing::Test {
 protected:
  MqttStateTest() : client(broker, {"vesta/#"}) {
    config.name = "mqtt";
    config.mqtt = broker.Config();
    config.home_assistant = false;
    config.history = false;
  }
  void Start() {
    hub.StartOutput(config);
    ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.StateHealth().connected; }));
    meter = hub.MakeDevice("E1");
    key = hub.directory->FindDevice(meter)->key;
    ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Newest("vesta/status") == "online"; }));
  }
  std::string StateTopic() const { return "vesta/" + key + "/state"; }
  nlohmann::json State() const { return nlohmann::json::parse(client.Newest(StateTopic()), nullptr, false); }
  bool WaitState(const char* field, const nlohmann::json& value) {
    return RunUntil(hub.io, [&] {
      const auto state = State();
      return state.is_object() && state.contains(field) && state[field] == value;
    });
  }
  void ExpectBalanced() {
    const OutputHealth health = hub.StateHealth();
    uint64_t dropped = 0;
    for (const auto& [reason, count] : health.dropped) dropped += count;
    EXPECT_EQ(health.accepted, health.sent + health.waiting + dropped);
    EXPECT_GE(health.sent, health.acknowledged);
  }

  TestBroker broker;
  TestClient client;
  TestHub hub;
  OutputConfig config;
  DeviceId meter = 0;
  std::string key;
};

TEST_F(MqttStateTest, AFrameIsOneMessageAPaceAndAvailabilityFollows) {
  Start();
  hub.Frame(meter, {{kPower, Value::OfDecimal(271, -3)},
                    {kEnergy, Value::OfDecimal(1581120, -3)},
                    {kTariff, Value::OfState(2)},
                    {kMessage, Value::OfText("hello")}});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count(StateTopic() + "_slow") == 1; }));
  EXPECT_EQ(client.Newest(StateTopic()), R"({"ts":"2026-08-11T06:21:25Z","power":0.271,"energy_import":1581.120})");
  EXPECT_EQ(client.Newest(StateTopic() + "_slow"),
            R"({"ts":"2026-08-11T06:21:25Z","tariff":"normal","tariff_code":2,"message":"hello"})");
  EXPECT_EQ(client.Count(StateTopic()), 1u);
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Newest("vesta/" + key + "/availability") == "online"; }));
  EXPECT_TRUE(RunUntil(hub.io, [&] { return hub.StateHealth().acknowledged == 4; }));
  ExpectBalanced();
}

TEST_F(MqttStateTest, NoTimerLiesBetweenFrameAndTopic) {
  Start();
  RunFor(hub.io, 20ms);
  hub.io.restart();
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  hub.io.poll();  // what is ready, without waiting for anything
  EXPECT_EQ(hub.StateHealth().sent, 1u);
}

TEST_F(MqttStateTest, StaleValuesBecomeNullAndSilentDevicesOfflineAndNothingOldIsRetained) {
  Start();
  for (int i = 0; i < 5; ++i) {
    hub.Frame(meter, {{kPower, Value::OfDecimal(271, -3)}, {kTariff, Value::OfState(1)}});
    hub.clock.Advance(10 * kUsPerSecond);
  }
  ASSERT_TRUE(WaitState("power", 0.271));
  hub.clock.Advance(3 * 60 * kUsPerSecond);
  hub.live->Tick();
  EXPECT_TRUE(WaitState("power", nullptr));
  EXPECT_TRUE(RunUntil(hub.io, [&] {
    return client.Newest(StateTopic() + "_slow") == R"({"ts":null,"tariff":null,"tariff_code":null})";
  }));
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Newest("vesta/" + key + "/availability") == "offline"; }));
  // Home Assistant starts anew: it finds out who is there, but no value.
  TestClient later(broker, {"vesta/#"});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return later.Newest("vesta/" + key + "/availability") == "offline"; }));
  EXPECT_EQ(later.Count(StateTopic()), 0u);
  EXPECT_EQ(later.Count(StateTopic() + "_slow"), 0u);

  hub.Frame(meter, {{kPower, Value::OfDecimal(300, -3)}});
  EXPECT_TRUE(WaitState("power", 0.3));
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Newest("vesta/" + key + "/availability") == "online"; }));
  ExpectBalanced();
}

TEST_F(MqttStateTest, ACounterThatStepsBackIsNeverShown) {
  Start();
  for (const int64_t value : {10000, 10001, 9000, 10002, 10003}) {
    hub.clock.Advance(kUsPerSecond);
    hub.Frame(meter, {{kEnergy, Value::OfInteger(value)}});
    RunFor(hub.io, 10ms);
  }
  ASSERT_TRUE(WaitState("energy_import", 10003));
  for (const auto& message : client.messages()) {
    EXPECT_EQ(message.payload.find("9000"), std::string::npos) << message.payload;
  }
}

TEST_F(MqttStateTest, BrokerBackWithoutMemoryGetsAvailabilityAndNewestStatesOnce) {
  Start();
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}, {kTariff, Value::OfState(1)}});
  ASSERT_TRUE(WaitState("power", 1));
  broker.Kill();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return !hub.StateHealth().connected; }));
  for (int i = 2; i <= 500; ++i) {
    hub.clock.Advance(100 * kUsPerMs);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}});
  }
  EXPECT_EQ(hub.StateHealth().waiting, 1u);
  ExpectBalanced();
  client.Forget();
  broker.Start();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.StateHealth().connects == 2; }));
  TestClient later(broker, {"vesta/#"});
  EXPECT_TRUE(RunUntil(hub.io, [&] {
    return later.Newest("vesta/status") == "online" && later.Newest("vesta/" + key + "/availability") == "online";
  }));
  EXPECT_EQ(hub.StateHealth().waiting, 0u);
  EXPECT_EQ(hub.StateHealth().sent, 3u);  // two at first, one newest
  ExpectBalanced();
}

TEST_F(MqttStateTest, LatestSendsTheNewestOncePerInterval) {
  config.send = "latest";
  config.interval_s = 1;
  Start();
  for (int i = 1; i <= 50; ++i) {
    hub.clock.Advance(10 * kUsPerMs);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}});
  }
  ASSERT_TRUE(WaitState("power", 50));
  EXPECT_EQ(client.Count(StateTopic()), 1u);
  ExpectBalanced();
}

TEST_F(MqttStateTest, MeanAveragesGaugesAndLeavesCountersExact) {
  config.send = "mean";
  config.interval_s = 1;
  Start();
  for (int i = 1; i <= 4; ++i) {
    hub.clock.Advance(10 * kUsPerMs);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i * 100, -3)}, {kEnergy, Value::OfDecimal(1000 + i, 0)}});
  }
  ASSERT_TRUE(WaitState("power", 0.25));
  EXPECT_EQ(State()["energy_import"], 1004);
  EXPECT_EQ(hub.StateHealth().dropped.at("averaged"), 3u);
  ExpectBalanced();
  // Stale is said at once, in every mode.
  hub.clock.Advance(600 * kUsPerSecond);
  hub.live->Tick();
  EXPECT_TRUE(WaitState("power", nullptr));
}

TEST_F(MqttStateTest, SlowValuesAreSentAgainWhileTheirDeviceIsThere) {
  Start();
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}, {kTariff, Value::OfState(1)}});
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count(StateTopic() + "_slow") == 1; }));
  for (int i = 0; i < 60; ++i) {
    hub.clock.Advance(kUsPerSecond);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}});
  }
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Count(StateTopic() + "_slow") == 2; }));
  EXPECT_NE(client.Newest(StateTopic() + "_slow").find(R"("tariff":"low")"), std::string::npos);
}

TEST_F(MqttStateTest, TheHubTellsOfItself) {
  Start();
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  hub.clock.SetQuality(ClockQuality::kNotSynchronised);
  hub.clock.Advance(kHubStateEvery_us);
  EXPECT_TRUE(RunUntil(hub.io, [&] {
    const auto state = nlohmann::json::parse(client.Newest("vesta/hub/state"), nullptr, false);
    return state.is_object() && state["devices_online"] == 1 && state["clock_problem"] == true &&
           state["storage_problem"] == false && state["started"] == "2026-08-11T06:21:25Z";
  })) << client.Newest("vesta/hub/state");
}

TEST_F(MqttStateTest, AFrozenBrokerCostsNoMemoryAndGetsTheNewest) {
  Start();
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  ASSERT_TRUE(WaitState("power", 1));
  broker.Pause();
  for (int i = 0; i < 5000; ++i) {
    hub.clock.Advance(kUsPerMs);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}});
    hub.io.restart();
    hub.io.poll();
  }
  ExpectBalanced();
  broker.Resume();
  EXPECT_TRUE(WaitState("power", 4999));
  ExpectBalanced();
}

}  // namespace
}  // namespace vesta::hub
