#include "hub/outputs/mqtt_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "hub/outputs/mqtt_test_hub.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

using namespace std::chrono_literals;
using mqtt::RunFor;
using mqtt::RunUntil;
using mqtt::TestBroker;
using mqtt::TestClient;
using testing::HasSubstr;

OutputConfig ConfigFor(const TestBroker& broker) {
  OutputConfig config;
  config.name = "mqtt";
  config.type = "mqtt";
  config.mqtt = broker.Config();
  config.home_assistant = false;
  return config;
}

std::string TimeText(UtcUs us) {
  char text[kIso8601Size];
  return std::string(text, FormatIso8601(us, text));
}

void ExpectBalanced(const OutputHealth& health) {
  uint64_t dropped = 0;
  for (const auto& [reason, count] : health.dropped) dropped += count;
  EXPECT_EQ(health.accepted, health.sent + health.waiting + dropped) << health.name;
  EXPECT_GE(health.sent, health.acknowledged);
}

TEST(MqttHistory, AFrameIsOneMessageWithExactReadings) {
  TestBroker broker;
  TestClient client(broker, {"vesta/history/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  const DeviceId meter = hub.MakeDevice("E1");
  const auto numbers =
      hub.Frame(meter, {{kPower, Value::OfDecimal(1230, -3)}, {kEnergy, Value::OfDecimal(1581120, -3)}});
  hub.Commit();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.messages().size() == 1; }));
  const auto message = client.messages()[0];
  EXPECT_EQ(message.topic, "vesta/history/" + hub.directory->FindDevice(meter)->key);
  EXPECT_EQ(message.qos, 1);
  EXPECT_FALSE(message.retained);
  const auto json = nlohmann::json::parse(message.payload);
  ASSERT_EQ(json["readings"].size(), 2u);
  EXPECT_EQ(json["readings"][0]["number"], numbers[0]);
  EXPECT_THAT(message.payload, HasSubstr(R"("value":1581.120,"unit":"kWh")"));
  EXPECT_THAT(message.payload, HasSubstr(R"("time":"2026-08-11T06:21:25Z")"));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 2; }));
  EXPECT_EQ(hub.journal->Position("mqtt/history"), numbers[1]);
  ExpectBalanced(hub.HistoryHealth());
}

TEST(MqttHistory, NothingGoesOutBeforeItIsDurable) {
  TestBroker broker;
  TestClient client(broker, {"vesta/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().connected; }));
  const DeviceId meter = hub.MakeDevice("E1");
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  const std::string key = hub.directory->FindDevice(meter)->key;
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Count("vesta/" + key + "/state") == 1; }));
  EXPECT_EQ(client.Count("vesta/history/" + key), 0u);
  hub.Commit();
  EXPECT_TRUE(RunUntil(hub.io, [&] { return client.Count("vesta/history/" + key) == 1; }));
}

// The broker goes away, 20,000 readings arrive, it comes back: each reading is there, with the time at which it was
// measured, and the state topic has one newest value.
TEST(MqttHistory, BrokerAwayForLongThenEveryReadingArrivesWithItsOwnTime) {
  TestBroker broker({.persistence = true});  // so that the receiver's session outlives the broker
  TestClient client(broker, {"vesta/history/#"}, "receiver");
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().connected; }));
  broker.Terminate();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return !hub.HistoryHealth().connected; }));

  const DeviceId meters[] = {hub.MakeDevice("E1"), hub.MakeDevice("E2")};
  std::map<JournalNumber, std::pair<std::string, std::string>> expected;  // time and value
  for (int i = 0; i < 5000; ++i) {
    hub.clock.Advance(kUsPerSecond);
    for (const DeviceId meter : meters) {
      const auto numbers =
          hub.Frame(meter, {{kPower, Value::OfDecimal(i, -3)}, {kEnergy, Value::OfDecimal(1000000 + i, -3)}});
      const std::string time = TimeText(hub.clock.Read().utc_us);
      char text[kDecimalTextSize];
      expected[numbers[0]] = {time, std::string(text, FormatDecimal({i, -3}, text))};
      expected[numbers[1]] = {time, std::string(text, FormatDecimal({1000000 + i, -3}, text))};
    }
    if (i % 500 == 0) hub.Commit();
  }
  hub.Commit();
  ASSERT_EQ(expected.size(), 20000u);
  EXPECT_EQ(hub.HistoryHealth().waiting, 20000u);
  EXPECT_EQ(hub.HistoryHealth().accepted, 20000u);
  RunFor(hub.io, 50ms);  // the first slice is read meanwhile
  EXPECT_EQ(hub.HistoryHealth().oldest_unsent_age_us, 4999 * kUsPerSecond);
  ExpectBalanced(hub.HistoryHealth());

  broker.Start();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 20000; }));
  ASSERT_TRUE(RunUntil(
      hub.io, [&] { return ReadHistory(client.messages()).size() == expected.size(); }, 60s));
  const auto received = ReadHistory(client.messages());
  for (const auto& [number, what] : expected) {
    const auto found = received.find(number);
    ASSERT_NE(found, received.end()) << number;
    EXPECT_EQ(found->second.time, what.first);
    EXPECT_NEAR(std::stod(found->second.value), std::stod(what.second), 1e-9);
  }
  EXPECT_EQ(hub.HistoryHealth().waiting, 0u);
  EXPECT_EQ(hub.HistoryHealth().oldest_unsent_age_us, 0);
  ExpectBalanced(hub.HistoryHealth());
  const OutputHealth state = hub.StateHealth();
  ExpectBalanced(state);
  EXPECT_EQ(state.waiting, 0u);
  EXPECT_EQ(state.dropped.at("replaced by a newer value"), 20000u - 4u);
}

// Pushes the hub out of its connection, as a broken network would in the middle of everything.
void TakeOver(const TestBroker& broker) {
  mosquitto* rival = mosquitto_new("hub01-mqtt", true, nullptr);
  ASSERT_EQ(mosquitto_connect(rival, "127.0.0.1", broker.port(), 60), MOSQ_ERR_SUCCESS);
  for (int i = 0; i < 3; ++i) mosquitto_loop(rival, 10, 1);
  mosquitto_disconnect(rival);
  mosquitto_destroy(rival);
}

TEST(MqttHistory, LinksBrokenInMidFlightLoseNothing) {
  TestBroker broker;
  TestClient client(broker, {"vesta/history/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  const DeviceId meter = hub.MakeDevice("E1");
  std::vector<JournalNumber> expected;
  for (int i = 0; i < 20000; ++i) {
    hub.clock.Advance(kUsPerSecond);
    for (const JournalNumber n : hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}})) expected.push_back(n);
  }
  hub.Commit();
  for (const uint64_t part : {2000u, 6000u, 10000u}) {
    ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged > part; }));
    ASSERT_LT(hub.HistoryHealth().acknowledged, expected.size()) << "too late to break anything";
    TakeOver(broker);
  }
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().waiting == 0; }));
  ASSERT_TRUE(RunUntil(
      hub.io, [&] { return ReadHistory(client.messages()).size() == expected.size(); }, 60s));
  const auto received = ReadHistory(client.messages());
  int twice = 0;
  for (const JournalNumber number : expected) {
    ASSERT_TRUE(received.count(number)) << number;
    twice += received.at(number).times > 1;
  }
  EXPECT_GE(hub.HistoryHealth().connects, 4u);
  EXPECT_LE(twice, 3 * 50) << "more was sent again than can have been in flight";
  EXPECT_EQ(hub.HistoryHealth().acknowledged, expected.size());
}

TEST(MqttHistory, AfterARestartItGoesOnWhereItWasAcknowledged) {
  TestBroker broker;
  TestClient client(broker, {"vesta/history/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  DeviceId meter = hub.MakeDevice("E1");
  std::vector<JournalNumber> expected;
  const auto feed = [&](int count) {
    for (int i = 0; i < count; ++i) {
      for (const JournalNumber n : hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}})) expected.push_back(n);
      hub.clock.Advance(kUsPerSecond);
    }
    hub.Commit();
  };
  feed(300);
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 300; }));
  hub.Commit();  // makes the position durable
  hub.output.reset();
  feed(300);  // nobody sends these
  hub.Reopen();
  meter = hub.MakeDevice("E1");
  client.Forget();
  hub.StartOutput(ConfigFor(broker));
  EXPECT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().accepted == 300; }));
  feed(300);
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 600; }));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return ReadHistory(client.messages()).size() == 600; }));
  const auto received = ReadHistory(client.messages());
  for (size_t i = 300; i < expected.size(); ++i) EXPECT_EQ(received.count(expected[i]), 1u);
  // Journal numbers jump between two runs of the hub; that is no backlog.
  EXPECT_EQ(hub.HistoryHealth().accepted, 600u);
  EXPECT_EQ(hub.HistoryHealth().waiting, 0u);
}

TEST(MqttHistory, SuspectAndLateReadingsAreHistoryToo) {
  TestBroker broker;
  TestClient client(broker, {"vesta/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.StateHealth().connected; }));
  const DeviceId meter = hub.MakeDevice("E1");
  const std::string key = hub.directory->FindDevice(meter)->key;
  const auto good = hub.Frame(meter, {{kEnergy, Value::OfDecimal(1000, 0)}});
  RunFor(hub.io, 20ms);
  hub.clock.Advance(kUsPerSecond);
  const auto low = hub.Frame(meter, {{kEnergy, Value::OfDecimal(900, 0)}});
  RunFor(hub.io, 20ms);
  hub.clock.Advance(kUsPerSecond);
  const auto late = hub.Frame(meter, {{kEnergy, Value::OfDecimal(555, 0)}}, kReadingLate);
  RunFor(hub.io, 20ms);
  hub.clock.Advance(kUsPerSecond);
  hub.Frame(meter, {{kEnergy, Value::OfDecimal(1001, 0)}});
  hub.Commit();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return ReadHistory(client.messages()).size() == 4; }));
  ASSERT_TRUE(
      RunUntil(hub.io, [&] { return client.Newest("vesta/" + key + "/state").find("1001") != std::string::npos; }));
  for (const TestClient::Message& message : client.messages()) {
    if (message.topic != "vesta/" + key + "/state") continue;
    EXPECT_THAT(message.payload, testing::Not(HasSubstr("900")));
    EXPECT_THAT(message.payload, testing::Not(HasSubstr("555")));
  }
  const auto received = ReadHistory(client.messages());
  EXPECT_EQ(received.at(low[0]).quality, "suspect");
  EXPECT_EQ(received.at(good[0]).quality, "ok");
  EXPECT_EQ(received.at(late[0]).value, "555");
}

TEST(MqttHistory, WhatTheBrokerCanNeverTakeIsCountedAndPassed) {
  TestBroker broker({.extra = "max_packet_size 3000"});
  TestClient client(broker, {"vesta/history/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  const DeviceId meter = hub.MakeDevice("E1");
  const std::string text(5000, 'x');
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}, {kMessage, Value::OfText(text)}, {kEnergy, Value::OfInteger(2)}});
  TestHub::Values many;
  const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back("field_" + std::to_string(i));
    return names;
  }();
  for (const std::string& key : keys) many.emplace_back(Field{key.c_str()}, Value::OfInteger(1));
  hub.clock.Advance(1);
  hub.Frame(meter, many);
  hub.Commit();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().waiting == 0; }));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 102; }));
  EXPECT_EQ(hub.HistoryHealth().dropped.at("too large"), 1u);
  EXPECT_TRUE(RunUntil(hub.io, [&] { return ReadHistory(client.messages()).size() == 102; }));
  EXPECT_EQ(hub.journal->Position("mqtt/history"), hub.journal->durable_mark());
  ExpectBalanced(hub.HistoryHealth());
}

TEST(MqttHistory, ARefusalForNowIsSaidAndTriedAgain) {
  TestBroker broker;
  std::ofstream(broker.File("acl")) << "topic readwrite vesta/status\ntopic read #\n";
  std::ofstream(broker.File("conf"), std::ios::app) << "acl_file " << broker.File("acl") << "\n";
  broker.Restart();
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  const DeviceId meter = hub.MakeDevice("E1");
  hub.Frame(meter, {{kPower, Value::OfDecimal(1, 0)}});
  hub.Commit();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().error.find("not authorised") != std::string::npos; }));
  // Between two tries it is on its way for a moment.
  EXPECT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().waiting == 1u; }));
  EXPECT_EQ(hub.journal->Position("mqtt/history"), 0u);
  std::ofstream(broker.File("acl")) << "topic readwrite #\n";
  broker.Restart();
  EXPECT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().acknowledged == 1; }));
  EXPECT_EQ(hub.HistoryHealth().error, "");
}

TEST(MqttHistory, StopSendsWhatIsDurableAndSaysOffline) {
  TestBroker broker;
  TestClient client(broker, {"vesta/#"});
  TestHub hub;
  hub.StartOutput(ConfigFor(broker));
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.HistoryHealth().connected; }));
  const DeviceId meter = hub.MakeDevice("E1");
  for (int i = 0; i < 1000; ++i) {
    hub.clock.Advance(kUsPerSecond);
    hub.Frame(meter, {{kPower, Value::OfDecimal(i, 0)}});
  }
  hub.Commit();
  hub.StopOutput();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return client.Newest("vesta/status") == "offline"; }));
  EXPECT_EQ(ReadHistory(client.messages()).size(), 1000u);
}

}  // namespace
}  // namespace vesta::hub
