#include "hub/intake/session_line.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

constexpr Field kFields[] = {
    {"energy", Quantity::kEnergy, Unit::kWattHour, 0, FieldKind::kCounter},
    {"name", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow},
};

// A protocol of one-byte frames: a digit is a counter's value of device 0, 'n' a text, 'x' is rejected, 'c' discarded,
// 't' wants a tick in a second.
class DigitSession final : public Session {
 public:
  std::span<const Field> fields() const override { return kFields; }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override {
    for (const uint8_t& byte : bytes) Take(byte, Bytes(&byte, 1), now, events);
  }
  void Tick(const Now&, SessionEvents&) override {
    deadline_us_ = kNoDeadline;
    ++ticks;
  }
  int64_t next_deadline_us() const override { return deadline_us_; }
  void LinkReset(const Now&, SessionEvents&) override { ++resets; }
  void Transmitted(size_t) override { deadline_us_ = 0; }

  int ticks = 0;
  int resets = 0;

 private:
  void Take(uint8_t byte, Bytes raw, const Now& now, SessionEvents& events) {
    if (byte == 't') {
      deadline_us_ = now.monotonic_us + kUsPerMs;
      return;
    }
    FrameEvent frame;
    frame.raw = raw;
    if (byte == 'x' || byte == 'c') {
      frame.verdict = byte == 'x' ? FrameVerdict::kRejected : FrameVerdict::kDiscarded;
      frame.reason = "odd";
      events.OnFrame(frame);
      return;
    }
    if (!announced_) {
      DeviceInfo info;
      info.identity = "D1";
      info.identity_on_wire = true;
      events.OnDevice(0, info);
      announced_ = true;
    }
    const std::string text = "a text";
    Reading reading;
    reading.time_us = now.utc_us;
    reading.field = byte == 'n' ? 1 : 0;
    reading.value = byte == 'n' ? Value::OfText(text) : Value::OfInteger(byte - '0');
    frame.readings = {&reading, 1};
    events.OnFrame(frame);
  }

  bool announced_ = false;
  int64_t deadline_us_ = kNoDeadline;
};

class SessionLineTest : public testing::Test {
 protected:
  SessionLineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vesta-line-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    store_ = std::move(*SqliteStore::Open(path_ + "/vesta.db", {}));
    auto state = store_->Restore();
    journal_ = std::make_unique<Journal>(io_, clock_, *store_, directory_, JournalOptions());
    EXPECT_TRUE(journal_->Open(*state));
    auto session = std::make_unique<DigitSession>();
    session_ = session.get();
    LineOptions options{"digits", "test", "digit", "here", ArchivePolicy::kAll, false};
    line_ = std::make_unique<SessionLine>(io_, clock_, options, std::move(session), directory_, *journal_, live_);
    line_->Opened();
  }
  ~SessionLineTest() override {
    journal_->Close();
    std::filesystem::remove_all(path_);
  }

  void Hear(std::string_view text) {
    line_->Received({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    clock_.Advance(kUsPerSecond);
  }
  RecordBatch Stored() {
    bool durable = false;
    journal_->Flush([&] { durable = true; });
    while (!durable) io_.run_one();
    auto reader = store_->OpenReader();
    auto batch = (*reader)->ReadJournal(0, 1000);
    return batch ? std::move(*batch) : RecordBatch();
  }

  std::string path_;
  boost::asio::io_context io_{1};
  ManualClock clock_{1'700'000'000 * kUsPerSecond};
  Directory directory_;
  LiveView live_{clock_, directory_};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Journal> journal_;
  DigitSession* session_ = nullptr;
  std::unique_ptr<SessionLine> line_;
};

TEST_F(SessionLineTest, ReadingsReachTheStoreInOrderWithTheirFrames) {
  Hear("1n2");
  const RecordBatch stored = Stored();
  ASSERT_EQ(stored.records.size(), 3u);
  EXPECT_EQ(stored.records[0].value, Value::OfInteger(1));
  EXPECT_EQ(stored.records[1].value, Value::OfText("a text"));
  EXPECT_EQ(stored.records[2].value, Value::OfInteger(2));
  EXPECT_LT(stored.records[0].number, stored.records[1].number);
  auto reader = store_->OpenReader();
  const auto frames = (*reader)->ReadFrames("digits", false, 0, 10);
  ASSERT_EQ(frames->size(), 3u);
  EXPECT_EQ((*frames)[0].id, stored.records[2].frame);
  EXPECT_EQ((*frames)[0].bytes, std::vector<uint8_t>{'2'});
}

TEST_F(SessionLineTest, ACounterThatStepsBackIsStoredAsSuspectAndNotShown) {
  Hear("828");
  const RecordBatch stored = Stored();
  ASSERT_EQ(stored.records.size(), 3u);
  EXPECT_EQ(stored.records[1].quality, ValueQuality::kSuspect);
  EXPECT_EQ(stored.records[2].quality, ValueQuality::kOk);
  EXPECT_EQ(live_.Find(stored.records[0].series)->record.value, Value::OfInteger(8));
}

TEST_F(SessionLineTest, ProblemsAreCountedByReasonAndArchived) {
  Hear("xxc5");
  const SourceHealth& health = line_->health();
  EXPECT_EQ(health.frames_rejected.at("odd"), 2u);
  EXPECT_EQ(health.frames_discarded.at("odd"), 1u);
  EXPECT_EQ(health.frames_accepted, 1u);
  Stored();
  auto reader = store_->OpenReader();
  const auto frames = (*reader)->ReadFrames("digits", true, 0, 10);
  ASSERT_EQ(frames->size(), 3u);
  EXPECT_EQ((*frames)[0].reason, "odd");
}

TEST_F(SessionLineTest, BytesWithoutAFrameGiveAHintUntilOneIsUnderstood) {
  Hear(std::string(kBytesWithoutFrame + 1, 'x'));
  EXPECT_FALSE(line_->health().hint.empty());
  Hear("1");
  EXPECT_TRUE(line_->health().hint.empty());
}

TEST_F(SessionLineTest, TimersFireAndLinkLossResetsTheSession) {
  Hear("t");
  while (session_->ticks == 0) io_.run_one();
  const int before = session_->resets;
  line_->Closed("gone", false);
  EXPECT_EQ(session_->resets, before + 1);
  EXPECT_EQ(line_->health().state, SourceState::kWaiting);
  EXPECT_EQ(line_->health().error, "gone");
  line_->Opened();
  EXPECT_EQ(line_->health().opens, 2u);
  EXPECT_EQ(line_->health().error, "");
}

TEST_F(SessionLineTest, WhatWentOutMayMakeTheSessionDueAgain) {
  line_->Sent(1);
  io_.run_for(std::chrono::milliseconds(5));
  EXPECT_EQ(session_->ticks, 1);
}

TEST_F(SessionLineTest, AReplayTeachesTheIntervalsThatItWasRecordedWith) {
  Now when;
  when.clock = ClockQuality::kSynchronised;
  for (int i = 1; i < 9; ++i) {
    when.utc_us = i * 10 * kUsPerSecond;
    when.monotonic_us = when.utc_us;
    const auto digit = static_cast<uint8_t>('0' + i);
    line_->ReceivedAt({&digit, 1}, when);
  }
  EXPECT_EQ(live_.SeriesIntervalUs(1), 10 * kUsPerSecond);
  EXPECT_EQ(live_.DeviceIntervalUs(1), 10 * kUsPerSecond);
  EXPECT_EQ(line_->health().interval_us, 10 * kUsPerSecond);
}

}  // namespace
}  // namespace vesta::hub
