#include "hub/intake/late_decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "hub/intake/session_line.h"
#include "hub/store/temporary_store.h"
#include "protocols/victron/advert_for_test.h"

namespace vesta::hub {
namespace {

constexpr uint64_t kCharger = 0xC0FFEE112233;
constexpr UtcUs kStart_us = 1'800'000'000 * kUsPerSecond;

// A hub's inside, that can be stopped and started again over the same store. Keys survive; a real one reads them anew.
class LateDecoderTest : public testing::Test {
 protected:
  LateDecoderTest() { Open(); }
  ~LateDecoderTest() override { Close(); }

  void Open() { life_ = std::make_unique<Life>(folder_.File("vesta.db"), io_, clock_, keys_); }
  void Close() {
    if (life_ == nullptr) return;
    life_->late.Stop();
    life_->journal.Close();
    life_.reset();
    io_.restart();
    io_.poll();
  }

  void Hear(const std::vector<uint8_t>& advert) {
    life_->line.Received(advert);
    clock_.Advance(kUsPerSecond);
  }
  void HearCharger(int count, uint64_t address = kCharger) {
    for (int i = 0; i < count; ++i) {
      ++nonce_;
      Hear(victron::SolarAdvertForTest(address, victron::kKeyForTest, nonce_, static_cast<uint16_t>(1200 + nonce_)));
    }
  }
  void RunLate(uint64_t sender) {
    bool done = false;
    life_->late.Run(sender, [&] { done = true; });
    while (!done) io_.run_one();
  }
  void Flush() {
    bool durable = false;
    life_->journal.Flush([&] { durable = true; });
    while (!durable) io_.run_one();
  }

  // Times of the stored battery voltages, by value in 0.01 V; fails when one stands there twice.
  std::map<int64_t, UtcUs> Voltages() {
    Flush();
    std::map<int64_t, UtcUs> found;
    auto reader = life_->store->OpenReader();
    auto batch = (*reader)->ReadJournal(0, 100'000);
    for (const Record& record : batch->records) {
      const Series* series = life_->directory.FindSeries(record.series);
      if (series->field.key != "battery_voltage") continue;
      EXPECT_TRUE(found.emplace(record.value.decimal().mantissa, record.time_us).second);
      late_ += (record.flags & kReadingLate) != 0;
    }
    return found;
  }
  std::vector<ArchivedFrame> StillRejected(uint64_t sender) {
    Flush();
    auto reader = life_->store->OpenReader();
    return *(*reader)->ReadSelected({"radio", sender, {"no_key", "key_mismatch"}, 0}, 10'000);
  }

  struct Life {
    Life(const std::string& path, boost::asio::io_context& io, ManualClock& clock, const victron::KeyRing& keys)
        : store(OpenStore(path)),
          live(clock, directory),
          journal(io, clock, *store, directory, {}),
          late(io, journal, directory, live),
          line(io, clock, Options(), MakeSession(Config(), &keys), directory, journal, live) {
      auto state = store->Restore();
      directory.Restore(state->devices, state->series);
      EXPECT_TRUE(journal.Open(*state));
      late.AddSource("radio", "victron", LateDecodeRulesOf("victron"),
                     [&keys] { return MakeSession(Config(), &keys); });
      line.Opened();
    }
    static SourceConfig Config() {
      SourceConfig config;
      config.protocol = "victron";
      return config;
    }
    static LineOptions Options() {
      LineOptions options;
      options.source = "radio";
      options.protocol = "victron";
      options.datagrams = true;
      return options;
    }

    Directory directory;
    std::unique_ptr<SqliteStore> store;
    LiveView live;
    Journal journal;
    LateDecoder late;
    SessionLine line;
  };

  TemporaryFolder folder_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  ManualClock clock_{kStart_us};
  victron::KeyRing keys_;
  std::unique_ptr<Life> life_;
  uint16_t nonce_ = 0;
  size_t late_ = 0;
};

TEST_F(LateDecoderTest, WhatWasHeardBeforeTheKeyIsDecodedOnceWithItsTimes) {
  HearCharger(300);
  EXPECT_EQ(life_->line.health().frames_rejected.at("no_key"), 300u);
  EXPECT_NE(life_->line.health().hint.find("keys are missing"), std::string::npos);
  EXPECT_TRUE(Voltages().empty());
  ASSERT_TRUE(keys_.SetKey(kCharger, victron::kKeyForTest));
  RunLate(kCharger);
  const auto voltages = Voltages();
  ASSERT_EQ(voltages.size(), 300u);
  EXPECT_EQ(late_, 300u);
  for (int i = 1; i <= 300; ++i) EXPECT_EQ(voltages.at(1200 + i), kStart_us + (i - 1) * kUsPerSecond);
  EXPECT_TRUE(StillRejected(kCharger).empty());
  EXPECT_EQ(life_->late.health().decoded, 300u);
  // Live values are those of later frames only.
  const Series* series = life_->directory.FindSeriesByKey("victron_c0ffee112233", "battery_voltage");
  ASSERT_NE(series, nullptr);
  EXPECT_EQ(life_->live.Find(series->id), nullptr);
  HearCharger(1);
  EXPECT_EQ(life_->live.Find(series->id)->record.value, Value::OfDecimal(1501, -2));

  // The same key again, and a restart with the key there: nothing twice.
  RunLate(kCharger);
  EXPECT_EQ(Voltages().size(), 301u);
  Close();
  Open();
  RunLate(kCharger);
  EXPECT_EQ(Voltages().size(), 301u);
}

TEST_F(LateDecoderTest, ARunThatAStopCutsIsFinishedAfterwards) {
  HearCharger(500);
  Flush();
  ASSERT_TRUE(keys_.SetKey(kCharger, victron::kKeyForTest));
  life_->late.Run(kCharger);
  while (life_->late.health().decoded < 2 * kLateSlice) io_.run_one();
  Close();
  Open();
  RunLate(kCharger);
  EXPECT_EQ(Voltages().size(), 500u);
  EXPECT_EQ(late_, 500u);
}

TEST_F(LateDecoderTest, AWrongKeyAndOtherDevicesLeaveFramesAsTheyAre) {
  HearCharger(20);
  HearCharger(10, kCharger + 1);
  victron::Key wrong = victron::kKeyForTest;
  wrong[0] ^= 1;
  ASSERT_TRUE(keys_.SetKey(kCharger, wrong));
  RunLate(kCharger);
  EXPECT_EQ(Voltages().size(), 0u);
  EXPECT_EQ(StillRejected(kCharger).size(), 20u);
  HearCharger(5);  // rejected for the wrong key now
  ASSERT_TRUE(keys_.SetKey(kCharger, victron::kKeyForTest));
  RunLate(kCharger);
  EXPECT_EQ(Voltages().size(), 25u);
  EXPECT_EQ(StillRejected(kCharger + 1).size(), 10u);
}

TEST_F(LateDecoderTest, CopiesGiveOneReadingAndSumsAreNotToldLate) {
  for (int i = 0; i < 10; ++i) {
    HearCharger(1);
    --nonce_;
    HearCharger(1);
  }
  ASSERT_TRUE(keys_.SetKey(kCharger, victron::kKeyForTest));
  RunLate(0);
  EXPECT_EQ(Voltages().size(), 10u);
  EXPECT_TRUE(StillRejected(kCharger).empty());
  for (const Device& device : life_->directory.devices()) EXPECT_NE(device.identity, "pv_sum");
}

TEST_F(LateDecoderTest, CopiesWithoutAKeyAreCountedAndNotKept) {
  auto advert = victron::SolarAdvertForTest(kCharger, victron::kKeyForTest, 1, 1300);
  for (int i = 0; i < 10; ++i) {
    advert[8] = static_cast<uint8_t>(-60 - i);  // heard again, weaker
    advert[9] = static_cast<uint8_t>(i % 2);    // by another
    Hear(advert);
  }
  EXPECT_EQ(life_->line.health().frames_repeated, 9u);
  EXPECT_EQ(StillRejected(kCharger).size(), 1u);
  const HeardSender* heard = life_->line.heard().Find(kCharger);
  ASSERT_NE(heard, nullptr);
  EXPECT_EQ(heard->rssi_dbm, -69);
  EXPECT_EQ(heard->frames, 10u);
  EXPECT_EQ(heard->repeats, 9u);
}

TEST_F(LateDecoderTest, ForeignAdvertsLeaveNothingBehindButACount) {
  ble::Advert foreign;
  const uint8_t data[] = {5, ble::kTypeManufacturer, 0x4C, 0x00, 0x10, 0x05};
  foreign.data = data;
  std::vector<uint8_t> datagram(ble::kMaxAdvertSize);
  for (uint64_t i = 0; i < 1000; ++i) {
    foreign.address = i + 1;
    datagram.resize(ble::kMaxAdvertSize);
    datagram.resize(ble::WriteAdvert(foreign, datagram));
    Hear(datagram);
  }
  EXPECT_EQ(life_->line.ReportedHealth().counters.at("foreign"), 1000u);
  EXPECT_TRUE(life_->line.heard().all().empty());
  Flush();
  auto reader = life_->store->OpenReader();
  EXPECT_TRUE((*reader)->ReadFrames("", false, 0, 10)->empty());
}

TEST_F(LateDecoderTest, PassingStrangersDoNotPushOutThoseThatStay) {
  HearCharger(2);
  for (uint64_t i = 0; i < 2 * kMaxHeardSenders; ++i) HearCharger(1, 0x100 + i);
  EXPECT_NE(life_->line.heard().Find(kCharger), nullptr);
  EXPECT_EQ(life_->line.heard().all().size(), kMaxHeardSenders);
  EXPECT_GT(life_->line.heard().forgotten(), 0u);
}

TEST_F(LateDecoderTest, RunsBeyondTheBoundBecomeOneOverAll) {
  HearCharger(3);
  ASSERT_TRUE(keys_.SetKey(kCharger, victron::kKeyForTest));
  size_t done = 0;
  for (size_t i = 0; i < 2 * kMaxLateRuns; ++i) life_->late.Run(i + 1, [&] { ++done; });
  while (done < 2 * kMaxLateRuns) io_.run_one();
  EXPECT_EQ(Voltages().size(), 3u);
  EXPECT_LE(life_->late.health().runs, kMaxLateRuns + 2);
}

// A meter whose decoder learns a field: what "P 12 T 34" says of T was not understood before.
class MeterSession final : public Session {
 public:
  explicit MeterSession(bool knows_t) : knows_t_(knows_t) {}
  std::span<const Field> fields() const override { return kMeterFields; }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override {
    DeviceInfo meter;
    meter.identity = "1";
    meter.kind = DeviceKind::kElectricityMeter;
    events.OnDevice(0, meter);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::vector<Reading> readings;
    for (uint16_t field = 0; field < (knows_t_ ? 2 : 1); ++field) {
      const size_t at = text.find(field == 0 ? "P " : "T ");
      if (at == std::string_view::npos) continue;
      Reading reading;
      reading.field = field;
      reading.time_us = now.utc_us;
      reading.value = Value::OfDecimal(std::stoi(std::string(text.substr(at + 2))), 0);
      readings.push_back(reading);
    }
    FrameEvent frame;
    frame.raw = bytes;
    frame.verdict = readings.empty() ? FrameVerdict::kRejected : FrameVerdict::kAccepted;
    frame.reason = readings.empty() ? "nonsense" : "";
    frame.readings = readings;
    events.OnFrame(frame);
  }
  void Tick(const Now&, SessionEvents&) override {}
  void LinkReset(const Now&, SessionEvents&) override {}

 private:
  static constexpr Field kMeterFields[] = {{.key = "p"}, {.key = "t"}};
  const bool knows_t_;
};

// Each life of the hub has a decoder that knows T or not.
class NewDecoderTest : public testing::Test {
 protected:
  struct Life {
    Life(const std::string& path, boost::asio::io_context& io, ManualClock& clock, bool knows_t)
        : store(OpenStore(path)),
          live(clock, directory),
          journal(io, clock, *store, directory, {}),
          late(io, journal, directory, live),
          line(io, clock, Options(), std::make_unique<MeterSession>(knows_t), directory, journal, live) {
      auto state = store->Restore();
      directory.Restore(state->devices, state->series);
      EXPECT_TRUE(journal.Open(*state));
      late.AddSource("meter", "p1", {{}, true, {}}, [knows_t] { return std::make_unique<MeterSession>(knows_t); });
      first_series = static_cast<SeriesId>(state->series.size()) + 1;
      unfinished = state->redecodes;
      line.Opened();
    }
    static LineOptions Options() {
      LineOptions options;
      options.source = "meter";
      options.protocol = "p1";
      options.datagrams = true;
      options.archive = ArchivePolicy::kAll;
      return options;
    }
    Redecode Wish() const { return {"meter", 2, first_series, journal.next_frame(), 0, false}; }

    Directory directory;
    std::unique_ptr<SqliteStore> store;
    LiveView live;
    Journal journal;
    LateDecoder late;
    SessionLine line;
    SeriesId first_series = 0;
    std::vector<Redecode> unfinished;
  };

  void Begin(bool knows_t) {
    End();
    life_ = std::make_unique<Life>(folder_.File("vesta.db"), io_, clock_, knows_t);
  }
  void End() {
    if (life_ == nullptr) return;
    life_->late.Stop();
    life_->journal.Close();
    life_.reset();
    io_.restart();
    io_.poll();
  }
  ~NewDecoderTest() override { End(); }
  void Hear(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string text = fmt::format("P {} T {}", heard_, 1000 + heard_);
      life_->line.Received({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
      clock_.Advance(kUsPerSecond);
      ++heard_;
    }
  }
  void RunToTheEnd() {
    const uint64_t runs = life_->late.health().runs;
    while (life_->late.health().runs == runs) io_.run_one();
  }
  // Times by value of a field's stored readings; fails when a value stands there twice.
  std::map<int64_t, UtcUs> Stored(const char* field) {
    bool durable = false;
    life_->journal.Flush([&] { durable = true; });
    while (!durable) io_.run_one();
    std::map<int64_t, UtcUs> found;
    const auto reader = life_->store->OpenReader();
    const auto batch = (*reader)->ReadJournal(0, 100'000);
    for (const Record& record : batch->records) {
      if (life_->directory.FindSeries(record.series)->field.key != field) continue;
      EXPECT_TRUE(found.emplace(record.value.decimal().mantissa, record.time_us).second) << "twice";
    }
    return found;
  }

  TemporaryFolder folder_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  ManualClock clock_{kStart_us};
  std::unique_ptr<Life> life_;
  int heard_ = 0;
};

TEST_F(NewDecoderTest, GivesWhatNoDecoderBeforeGaveAndNothingTwice) {
  Begin(false);
  Hear(300);
  EXPECT_EQ(Stored("p").size(), 300u);
  Begin(true);
  const Redecode wish = life_->Wish();
  Hear(10);  // the new decoder hears these itself
  life_->late.RunAgain(wish);
  RunToTheEnd();
  EXPECT_EQ(Stored("p").size(), 310u);
  const auto t = Stored("t");
  ASSERT_EQ(t.size(), 310u);
  for (int i = 0; i < 310; ++i) EXPECT_EQ(t.at(1000 + i), kStart_us + i * kUsPerSecond) << i;
  const LateHealth health = life_->late.health();
  EXPECT_EQ(health.readings, 300u);
  EXPECT_EQ(health.run_frames, 300u);
  EXPECT_EQ(health.run_tried, 300u);
  EXPECT_EQ(health.why, "decoder");
  EXPECT_EQ(life_->live.Find(life_->directory.FindSeriesByKey("p1_meter_1", "t")->id)->record.value,
            Value::OfDecimal(1309, 0));
  Begin(true);
  ASSERT_EQ(life_->unfinished.size(), 1u);
  EXPECT_TRUE(life_->unfinished[0].done);
}

TEST_F(NewDecoderTest, ARunThatAStopCutsGoesOnWhereItWas) {
  Begin(false);
  Hear(1000);
  Begin(true);
  life_->late.RunAgain(life_->Wish());
  while (life_->late.health().readings < 3 * kLateSlice) io_.run_one();
  Begin(true);
  ASSERT_EQ(life_->unfinished.size(), 1u);
  EXPECT_FALSE(life_->unfinished[0].done);
  EXPECT_GE(life_->unfinished[0].after, 3 * kLateSlice);
  life_->late.RunAgain(life_->unfinished[0]);
  RunToTheEnd();
  EXPECT_EQ(Stored("t").size(), 1000u);
  EXPECT_EQ(Stored("p").size(), 1000u);
}

TEST_F(NewDecoderTest, AskingTriesWhatWasRejectedOnly) {
  Begin(false);
  Hear(10);
  const std::string only_t = "T 5000";
  life_->line.Received({reinterpret_cast<const uint8_t*>(only_t.data()), only_t.size()});
  EXPECT_EQ(life_->line.health().frames_rejected.at("nonsense"), 1u);
  Begin(true);
  EXPECT_FALSE(life_->late.RunAsked("other"));
  EXPECT_TRUE(life_->late.RunAsked(""));
  EXPECT_TRUE(life_->late.RunAsked("meter")) << "waits already, or goes on: no second run is made of it";
  RunToTheEnd();
  const auto t = Stored("t");
  ASSERT_EQ(t.size(), 1u);
  EXPECT_EQ(t.begin()->first, 5000);
  EXPECT_EQ(life_->late.health().decoded, 1u);
}

}  // namespace
}  // namespace vesta::hub
