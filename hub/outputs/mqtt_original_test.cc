#include "hub/outputs/mqtt_original.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/original_topics.h"
#include "hub/outputs/mqtt_test_hub.h"

namespace vesta::hub {
namespace {

using namespace std::chrono_literals;
using mqtt::RunUntil;
using mqtt::TestBroker;
using mqtt::TestClient;

constexpr Field kPanel{"pv_power", Quantity::kPower, Unit::kWatt, 0};

class MqttOriginalTest : public testing::Test {
 protected:
  MqttOriginalTest() : client(broker, {"vedirect/#", "monitorPowerToMQTT/#"}) {
    config.name = "old";
    config.mqtt = broker.Config();
  }
  void Start() {
    OriginalOptions options;
    options.app_info = {{"projectName", "vesta"}};
    options.is_panel_power = [](const Device&, const Series& series) { return series.field.key == "pv_power"; };
    options.text_of = [](const Device& device, const Series& series, const Value& value) -> OriginalText {
      if (series.field.key != "pv_power" || value.kind() != ValueKind::kDecimal) return {};
      char text[original_topics::kFixedTextSize];
      return {std::string(original_topics::VeDirect(device.identity, 0xEDBC).view()),
              std::string(text, original_topics::FormatFixed(value.decimal(), 6, text))};
    };
    hub.output = std::make_unique<MqttOriginal>(hub.io, hub.clock, config, HubIdentity{"hub01", "Test"}, *hub.live,
                                                *hub.directory, std::move(options), TestHub::Quick().connection);
    hub.output->Start();
    ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.output->health()[0].connected; }));
  }
  bool Wait(const char* topic, const char* payload) {
    return RunUntil(
        hub.io, [&] { return client.Newest(topic) == payload; }, 5s);
  }
  size_t Count(const char* topic) {
    size_t count = 0;
    for (const auto& message : client.messages()) count += message.topic == topic;
    return count;
  }

  TestBroker broker;
  TestClient client;
  TestHub hub;
  OutputConfig config;
};

TEST_F(MqttOriginalTest, PublishesChangesSumsAndShares) {
  Start();
  EXPECT_TRUE(Wait("monitorPowerToMQTT/status", "online"));
  EXPECT_TRUE(Wait("monitorPowerToMQTT/appinfo/projectName", "vesta"));
  const DeviceId a = hub.MakeDevice("HQ1111AAAAA");
  const DeviceId b = hub.MakeDevice("HQ2222BBBBB");
  hub.Frame(a, {{kPanel, Value::OfInteger(300)}});
  hub.Frame(b, {{kPanel, Value::OfInteger(100)}});
  EXPECT_TRUE(Wait("vedirect/HQ1111AAAAA/0xEDBC", "300.000000"));
  EXPECT_TRUE(Wait("vedirect/network/panelPower", "400.00"));
  EXPECT_TRUE(Wait("vedirect/HQ1111AAAAA/shareOfNetwork", "0.750000"));
  EXPECT_TRUE(Wait("vedirect/HQ2222BBBBB/shareOfNetwork", "0.250000"));
  // The same value again is no message.
  hub.Frame(a, {{kPanel, Value::OfInteger(300)}});
  hub.Frame(a, {{kPanel, Value::OfInteger(0)}});
  hub.Frame(b, {{kPanel, Value::OfInteger(0)}});
  EXPECT_TRUE(Wait("vedirect/network/panelPower", "0.00"));
  EXPECT_TRUE(Wait("vedirect/HQ1111AAAAA/shareOfNetwork", "0.000000"));
  EXPECT_EQ(Count("vedirect/HQ1111AAAAA/0xEDBC"), 2u);
  hub.StopOutput();
  EXPECT_TRUE(Wait("monitorPowerToMQTT/status", "offline"));
}

TEST_F(MqttOriginalTest, TheNewestGoesOutWhenTheBrokerIsBack) {
  Start();
  const DeviceId a = hub.MakeDevice("HQ1111AAAAA");
  hub.Frame(a, {{kPanel, Value::OfInteger(1)}});
  ASSERT_TRUE(Wait("vedirect/HQ1111AAAAA/0xEDBC", "1.000000"));
  broker.Kill();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return !hub.output->health()[0].connected; }));
  for (int i = 2; i <= 5; ++i) hub.Frame(a, {{kPanel, Value::OfInteger(i)}});
  const OutputHealth away = hub.output->health()[0];
  EXPECT_EQ(away.dropped.at("away"), 4u);
  broker.Start();
  ASSERT_TRUE(RunUntil(
      hub.io, [&] { return hub.output->health()[0].connected; }, 10s));
  EXPECT_TRUE(RunUntil(
      hub.io, [&] { return hub.output->health()[0].sent == away.sent + 1; }, 5s))
      << "the newest, once";
}

}  // namespace
}  // namespace vesta::hub
