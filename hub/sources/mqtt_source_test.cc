// A real broker, nodes that publish, and a source that must lose nothing and take nothing twice.
#include "hub/sources/mqtt_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hub/intake/make_session.h"
#include "hub/mqtt/test_broker.h"
#include "hub/store/sqlite_store.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

using mqtt::RunFor;
using mqtt::RunUntil;
using mqtt::TestBroker;
using mqtt::TestClient;
using testing::ElementsAre;

// After it a message is live again.
constexpr std::chrono::milliseconds kPause(kBacklogPause_us / kUsPerMs + 200);

constexpr Field kFields[] = {{"text", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText}};

// Each chunk up to a line end is a frame with one reading; "!" in front means that the device stamped it an hour ago.
class LineSession final : public Session {
 public:
  std::span<const Field> fields() const override { return kFields; }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override {
    for (const uint8_t byte : bytes) {
      half_ += static_cast<char>(byte);
      if (byte != '\r') continue;
      half_.pop_back();
      DeviceInfo info;
      const std::string identity = half_.substr(0, half_.find(' '));
      info.identity = identity;
      info.identity_on_wire = true;
      events.OnDevice(0, info);
      const UtcUs device_us = half_.find('!') == std::string::npos ? kNoTime : now.utc_us - 3600 * kUsPerSecond;
      const StampedTime time = ChooseTime(device_us, now);
      Reading reading;
      reading.time_us = time.time_us;
      reading.time_quality = time.quality;
      reading.value = Value::OfText(half_);
      FrameEvent frame;
      frame.raw = bytes;
      frame.readings = {&reading, 1};
      events.OnFrame(frame);
      half_.clear();
    }
  }
  void Tick(const Now&, SessionEvents&) override {}
  void LinkReset(const Now&, SessionEvents&) override { half_.clear(); }

 private:
  std::string half_;
};

class StillClock final : public Clock {
 public:
  Now Read() const override {
    Now now = system_.Read();
    now.utc_us += shift_us;
    now.clock = ClockQuality::kSynchronised;
    return now;
  }
  int64_t shift_us = 0;

 private:
  SystemClock system_;
};

// The parts of a hub around one source.
class SourceHub {
 public:
  SourceHub(const TestBroker& broker, const std::string& folder, SourceConfig config) : config_(std::move(config)) {
    store = std::move(*SqliteStore::Open(folder + "/vesta.db", {}));
    const auto state = store->Restore();
    directory.Restore(state->devices, state->series);
    JournalOptions options;
    options.commit_interval_us = 3600 * kUsPerSecond;  // only flushes make anything durable
    journal = std::make_unique<Journal>(io, clock, *store, directory, options);
    EXPECT_TRUE(journal->Open(*state));
    live = std::make_unique<LiveView>(clock, directory);
    SourceHealth base;
    base.name = config_.name;
    senders = std::make_unique<SenderLines>(clock, base, [this](const std::string& sender) {
      LineOptions line;
      line.source = config_.name;
      line.sender = sender;
      line.protocol = config_.protocol.empty() ? "lines" : config_.protocol;
      std::unique_ptr<Session> session = MakeSession(config_);
      if (session == nullptr) session = std::make_unique<LineSession>();
      return std::make_unique<SessionLine>(io, clock, line, std::move(session), directory, *journal, *live);
    });
    mqtt::ConnectionOptions connection;
    connection.default_client_id = "hub-ward";
    connection.keep_session = true;
    connection.timing.back_off_first_us = 20 * kUsPerMs;
    connection.timing.back_off_last_us = 100 * kUsPerMs;
    config_.mqtt = broker.Config();
    link = std::make_shared<mqtt::Connection>(io, clock, config_.mqtt, connection);
    source = MakeMqttSource(config_, clock, link, *senders, [this](std::function<void()> done) {
      if (disk_stands) {
        waiting.push_back(std::move(done));
      } else {
        journal->Flush(std::move(done));
      }
    });
    source->Start();
  }
  ~SourceHub() {
    source->Stop();
    link.reset();
    source.reset();
    journal->Close();
  }

  bool WaitOpen() {
    return RunUntil(io, [&] { return senders->state() == SourceState::kOpen; });
  }
  bool WaitReadings(uint64_t count) {
    return RunUntil(io, [&] { return senders->ReportedHealth().readings >= count; });
  }
  RecordBatch Stored() {
    bool done = false;
    journal->Flush([&] { done = true; });
    EXPECT_TRUE(RunUntil(io, [&] { return done; }));
    auto reader = store->OpenReader();
    return std::move(*(*reader)->ReadJournal(0, 100000));
  }
  std::vector<std::string> StoredTexts() {
    std::vector<std::string> texts;
    for (const Record& record : Stored().records) texts.emplace_back(record.value.text());
    return texts;
  }

  boost::asio::io_context io;
  StillClock clock;
  std::unique_ptr<SqliteStore> store;
  Directory directory;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<LiveView> live;
  std::unique_ptr<SenderLines> senders;
  std::shared_ptr<mqtt::Connection> link;
  std::unique_ptr<Source> source;
  bool disk_stands = false;
  std::vector<std::function<void()>> waiting;

 private:
  SourceConfig config_;
};

class MqttSourceTest : public testing::Test {
 protected:
  MqttSourceTest() {
    char name[] = "/tmp/vesta-mqtt-source-XXXXXX";
    folder_ = mkdtemp(name);
    config_.name = "ward";
    config_.type = "mqtt";
    config_.topics = {"ward/+/frames"};
    config_.commit_each_frame = true;
  }
  ~MqttSourceTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::unique_ptr<SourceHub> MakeHub() { return std::make_unique<SourceHub>(broker_, folder_, config_); }

  TestBroker broker_;
  std::string folder_;
  SourceConfig config_;
};

TEST_F(MqttSourceTest, EachSenderHasItsOwnSession) {
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  TestClient node(broker_, {"nothing"});
  // Halves of two senders, interleaved.
  node.Publish("ward/a/frames", "a on");
  node.Publish("ward/b/frames", "b tw");
  node.Publish("ward/a/frames", "e\r");
  node.Publish("ward/b/frames", "o\r");
  ASSERT_TRUE(hub->WaitReadings(2));
  EXPECT_THAT(hub->StoredTexts(), ElementsAre("a one", "b two"));
  const SourceHealth health = hub->senders->ReportedHealth();
  EXPECT_EQ(health.counters.at("senders"), 2u);
  EXPECT_EQ(health.frames_accepted, 2u);
  EXPECT_EQ(health.state, SourceState::kOpen);
}

TEST_F(MqttSourceTest, NothingIsLostWhileTheHubIsAway) {
  { ASSERT_TRUE(MakeHub()->WaitOpen()); }
  TestClient node(broker_, {"nothing"});
  std::vector<std::string> said;
  for (int i = 0; i < 100; ++i) {
    said.push_back("a " + std::to_string(i));
    node.Publish("ward/a/frames", said.back() + "\r");
  }
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitReadings(100));
  EXPECT_EQ(hub->StoredTexts(), said);
  EXPECT_EQ(hub->senders->ReportedHealth().counters.at("held_back"), 100u);
}

TEST_F(MqttSourceTest, WhatWasHeldBackKeepsTheDevicesOwnTime) {
  { ASSERT_TRUE(MakeHub()->WaitOpen()); }
  TestClient node(broker_, {"nothing"});
  node.Publish("ward/a/frames", "a old!\r");
  node.Publish("ward/a/frames", "a without stamp\r");
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitReadings(2));
  RunFor(hub->io, kPause);
  node.Publish("ward/a/frames", "a odd clock!\r");
  ASSERT_TRUE(hub->WaitReadings(3));
  const RecordBatch stored = hub->Stored();
  ASSERT_EQ(stored.records.size(), 3u);
  EXPECT_EQ(stored.records[0].time_quality, TimeQuality::kDeviceClock);
  // The stamp was made from a look at the clock of its own.
  EXPECT_NEAR(static_cast<double>(stored.records[0].received_us - stored.records[0].time_us), 3600.0 * kUsPerSecond,
              1.0 * kUsPerSecond);
  EXPECT_NE(stored.records[0].flags & kReadingLate, 0);
  EXPECT_EQ(stored.records[1].time_quality, TimeQuality::kHubNotSynchronised);
  // A live one with a clock that is an hour off is dated by its arrival.
  EXPECT_EQ(stored.records[2].time_quality, TimeQuality::kHubSynchronised);
  EXPECT_EQ(stored.records[2].received_us, stored.records[2].time_us);
}

TEST_F(MqttSourceTest, AcknowledgesOnlyWhatIsDurable) {
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  hub->disk_stands = true;
  TestClient node(broker_, {"nothing"});
  node.Publish("ward/a/frames", "a one\r");
  node.Publish("ward/a/frames", "a two\r");
  ASSERT_TRUE(hub->WaitReadings(1));
  RunFor(hub->io, std::chrono::milliseconds(300));
  EXPECT_EQ(hub->senders->ReportedHealth().readings, 1u) << "the second waits at the broker";
  // The power goes: what the journal had in memory is gone with it.
  std::filesystem::copy(folder_, folder_ + "-cut", std::filesystem::copy_options::recursive);
  hub.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::rename(folder_ + "-cut", folder_);
  auto again = MakeHub();
  ASSERT_TRUE(again->WaitReadings(2));
  EXPECT_THAT(again->StoredTexts(), ElementsAre("a one", "a two"));
}

TEST_F(MqttSourceTest, AMessageThatComesAgainIsTakenOnce) {
  TestBroker keeper(TestBroker::Options{.persistence = true});
  SourceHub hub(keeper, folder_, config_);
  ASSERT_TRUE(hub.WaitOpen());
  hub.disk_stands = true;
  TestClient node(keeper, {"nothing"});
  node.Publish("ward/a/frames", "a one\r");
  ASSERT_TRUE(hub.WaitReadings(1));
  RunFor(hub.io, std::chrono::milliseconds(2500));  // the broker writes its state each second
  keeper.Restart();
  hub.disk_stands = false;
  hub.waiting.clear();
  ASSERT_TRUE(RunUntil(hub.io, [&] { return hub.senders->ReportedHealth().counters["redelivered"] == 1; }));
  EXPECT_THAT(hub.StoredTexts(), ElementsAre("a one"));
}

TEST_F(MqttSourceTest, LegacyMessagesKeepBothTimes) {
  config_.form = "legacy";
  config_.topics = {"trame_complete"};
  config_.stamp_offset_min = 120;
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  // 2023-07-07 14:34:45 UTC, four seconds after the stamp.
  hub->clock.shift_us = CivilToUs({2023, 7, 7, 14, 34, 45}) - hub->clock.Read().utc_us;
  TestClient node(broker_, {"nothing"});
  node.Publish("trame_complete", "b'a1|2023/07/07 16:34:41|x near'");
  ASSERT_TRUE(hub->WaitReadings(1));
  RunFor(hub->io, kPause);
  node.Publish("trame_complete", "b'a1|2023/07/07 15:34:41|x an hour off'");
  ASSERT_TRUE(hub->WaitReadings(2));
  const RecordBatch stored = hub->Stored();
  EXPECT_EQ(stored.records[0].time_us, CivilToUs({2023, 7, 7, 14, 34, 41}));
  EXPECT_EQ(stored.records[0].time_quality, TimeQuality::kDeviceClock);
  EXPECT_GE(stored.records[0].received_us, CivilToUs({2023, 7, 7, 14, 34, 45}));
  EXPECT_EQ(stored.records[1].time_quality, TimeQuality::kHubSynchronised);
  EXPECT_EQ(stored.records[1].time_us, stored.records[1].received_us);
  EXPECT_EQ(hub->senders->ReportedHealth().counters.at("stamp_not_believed"), 1u);
}

nlohmann::json Vector(const std::string& name) {
  std::ifstream file(std::string(VESTA_SOURCE_DIR) + "/tests/vectors/medibus/" + name);
  return nlohmann::json::parse(file);
}

TEST_F(MqttSourceTest, TheMessagesOfTheOriginalNodesAreDecoded) {
  config_.form = "legacy";
  config_.protocol = "medibus";
  config_.topics = {"trame_complete"};
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  hub->clock.shift_us = CivilToUs({2023, 7, 7, 14, 34, 50}) - hub->clock.Read().utc_us;
  TestClient node(broker_, {"nothing"});
  const auto good = Vector("legacy-mqtt-payload.json");
  node.Publish(good["topic"], good["payload_text"]);
  ASSERT_TRUE(RunUntil(hub->io, [&] { return hub->senders->ReportedHealth().frames_accepted == 1; }));
  const RecordBatch stored = hub->Stored();
  UtcUs stamp_us = 0;
  ASSERT_TRUE(ParseIso8601(good["expect"]["timestamp_utc_if_offset_plus2"].get<std::string>(), &stamp_us));
  size_t found = 0;
  for (const auto& item : good["expect"]["frame"]["data"]["items"]) {
    for (const Record& record : stored.records) {
      const Series& series = *hub->directory.FindSeries(record.series);
      if (series.field.key != item["name"]) continue;
      ++found;
      EXPECT_EQ(record.time_us, stamp_us) << item;
      EXPECT_EQ(record.time_quality, TimeQuality::kDeviceClock);
      EXPECT_GT(record.received_us, stamp_us + 5 * kUsPerSecond);
      if (item["value"].is_number()) {
        EXPECT_DOUBLE_EQ(record.value.ToDouble(), item["value"].get<double>()) << item;
      }
      EXPECT_NE(hub->directory.FindDevice(series.device)->key.find("a1b2c3d4e5f6"), std::string::npos);
    }
  }
  EXPECT_EQ(found, good["expect"]["frame"]["data"]["items"].size());

  // One digit of the checksum is wrong.
  std::string bad = good["payload_text"];
  bad[bad.size() - 2] = '4';
  node.Publish(good["topic"], bad);
  ASSERT_TRUE(RunUntil(hub->io, [&] { return !hub->senders->ReportedHealth().frames_rejected.empty(); }));
  EXPECT_EQ(hub->senders->ReportedHealth().frames_accepted, 1u) << "a wrong checksum gives no readings";
}

TEST_F(MqttSourceTest, RetainedMessagesAreToldApart) {
  TestClient node(broker_, {"ward/a/frames"});
  node.Publish("ward/a/frames", "a kept\r", true);
  boost::asio::io_context io;
  ASSERT_TRUE(RunUntil(io, [&] { return node.Count("ward/a/frames") == 1; }));
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  ASSERT_TRUE(RunUntil(hub->io, [&] { return hub->senders->ReportedHealth().counters["retained_skipped"] == 1; }));
  EXPECT_EQ(hub->senders->ReportedHealth().readings, 0u);
  node.Publish("ward/a/frames", "a live\r");
  ASSERT_TRUE(hub->WaitReadings(1));
  EXPECT_THAT(hub->StoredTexts(), ElementsAre("a live"));
}

TEST_F(MqttSourceTest, SendersAreBounded) {
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  TestClient node(broker_, {"nothing"});
  for (size_t i = 0; i < kMaxSenders + 5; ++i) node.Publish("ward/" + std::to_string(i) + "/frames", "x y\r");
  ASSERT_TRUE(
      RunUntil(hub->io, [&] { return hub->senders->ReportedHealth().frames_rejected["too_many_senders"] == 5; }));
  EXPECT_EQ(hub->senders->ReportedHealth().counters.at("senders"), kMaxSenders);
}

TEST_F(MqttSourceTest, SaysWhenTheBrokerIsAwayAndComesBack) {
  auto hub = MakeHub();
  ASSERT_TRUE(hub->WaitOpen());
  broker_.Kill();
  ASSERT_TRUE(RunUntil(hub->io, [&] { return hub->senders->state() == SourceState::kWaiting; }));
  EXPECT_NE(hub->senders->ReportedHealth().error, "");
  broker_.Start();
  ASSERT_TRUE(hub->WaitOpen());
  EXPECT_EQ(hub->senders->ReportedHealth().error, "");
}

}  // namespace
}  // namespace vesta::hub
