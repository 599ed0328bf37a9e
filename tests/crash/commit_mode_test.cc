// Commit mode: a frame counts as received once it is on disk. The disk is full for a while, and then the power goes:
// what counted is there, what did not count was never acknowledged.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/intake/session_line.h"
#include "hub/store/temporary_store.h"
#include "tests/crash/power_cut_vfs.h"

namespace vesta::hub {
namespace {

constexpr char kPath[] = "/disk/vesta.db";
constexpr size_t kReadingsOfFrame = 200;

// Every byte is a frame of many readings, 0 is one of none.
class WideSession final : public Session {
 public:
  std::span<const Field> fields() const override {
    static constexpr Field kFields[] = {
        {"value", Quantity::kTemperature, Unit::kCelsius, 1, FieldKind::kGauge, Pace::kFast, false, {}}};
    return kFields;
  }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override {
    if (!announced_) {
      DeviceInfo info;
      info.identity = "wide";
      events.OnDevice(0, info);
      announced_ = true;
    }
    for (const uint8_t& byte : bytes) {
      std::vector<Reading> readings(kReadingsOfFrame);
      for (size_t i = 0; i < readings.size(); ++i) {
        readings[i].index = static_cast<uint16_t>(i);
        readings[i].time_us = now.utc_us;
        readings[i].value = Value::OfInteger(byte);
      }
      FrameEvent frame;
      frame.raw = {&byte, 1};
      if (byte != 0) frame.readings = readings;
      events.OnFrame(frame);
    }
  }
  void Tick(const Now&, SessionEvents&) override {}
  void LinkReset(const Now&, SessionEvents&) override {}

 private:
  bool announced_ = false;
};

class CommitMode : public testing::Test {
 protected:
  CommitMode() : store_(OpenStore(kPath, Options())) {
    spdlog::set_level(spdlog::level::off);
    auto state = store_->Restore();
    journal_ = std::make_unique<Journal>(io_, clock_, *store_, directory_, JournalOptions());
    EXPECT_TRUE(journal_->Open(*state));
    LineOptions options{"bed", "test", "wide", "here", ArchivePolicy::kAll, true};
    line_ = std::make_unique<SessionLine>(io_, clock_, options, std::make_unique<WideSession>(), directory_, *journal_,
                                          live_);
    line_->Opened();
  }
  ~CommitMode() override { spdlog::set_level(spdlog::level::info); }

  SqliteStoreOptions Options() const {
    SqliteStoreOptions options;
    options.vfs = disk_.name();
    return options;
  }
  void Hear(uint8_t byte) {
    line_->Received({&byte, 1});
    clock_.Advance(kUsPerSecond);
  }
  template <typename Condition>
  void RunUntil(const Condition& condition) {
    while (!condition()) io_.run_one();
  }
  uint64_t Latencies() {
    uint64_t total = 0;
    for (const uint64_t count : health().commit.counts()) total += count;
    return total;
  }
  const SourceHealth& health() { return line_->health(); }

  PowerCutVfs disk_{"commit-mode"};
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  ManualClock clock_{1'700'000'000 * kUsPerSecond};
  Directory directory_;
  LiveView live_{clock_, directory_};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<SessionLine> line_;
};

TEST_F(CommitMode, AFrameCountsOnceItIsDurable) {
  Hear(1);
  EXPECT_EQ(health().frames_accepted, 0u);
  EXPECT_EQ(health().readings, 0u);
  EXPECT_EQ(health().frames_pending, 1u);
  EXPECT_EQ(health().last_frame_us, 0);
  RunUntil([&] { return health().frames_accepted == 1; });
  EXPECT_EQ((*store_->OpenReader())->ReadJournal(0, 1000)->records.size(), kReadingsOfFrame);
  EXPECT_EQ(health().readings, kReadingsOfFrame);
  EXPECT_EQ(health().frames_pending, 0u);
  EXPECT_NE(health().last_frame_us, 0);
  ASSERT_TRUE(health().commit.AtMost_us(0.5));
}

TEST_F(CommitMode, AFrameWithoutReadingsAsksForNoCommit) {
  Hear(1);
  RunUntil([&] { return health().frames_accepted == 1; });
  const uint64_t commits = journal_->health().commits;
  const uint64_t latencies = Latencies();
  for (int i = 0; i < 100; ++i) {
    Hear(0);
    io_.poll();
  }
  EXPECT_EQ(journal_->health().commits, commits);
  EXPECT_EQ(health().frames_pending, 100u) << "in the archive, which is not on disk yet";
  EXPECT_EQ(health().frames_accepted, 1u);
  Hear(2);
  RunUntil([&] { return health().frames_accepted == 102; });
  EXPECT_EQ(journal_->health().commits, commits + 1) << "one commit for all";
  EXPECT_EQ(Latencies(), latencies + 1) << "who asks for no commit has no latency";
  EXPECT_EQ(health().frames_pending, 0u);
}

TEST_F(CommitMode, AFullDiskStopsAcceptanceAndNothingAcknowledgedIsLost) {
  for (int i = 0; i < 10; ++i) Hear(7);
  RunUntil([&] { return health().frames_accepted == 10; });
  disk_.FailWrites(SQLITE_FULL);
  // Far more than what may wait in memory.
  for (size_t i = 0; i < 2 * kMaxWaitingRecords / kReadingsOfFrame; ++i) Hear(8);
  RunUntil([&] { return journal_->health().failed_commits > 0; });
  EXPECT_EQ(health().frames_accepted, 10u) << "nothing more was acknowledged";
  EXPECT_GT(health().frames_refused, 1000u);
  EXPECT_LE(health().frames_pending * kReadingsOfFrame, kMaxWaitingRecords);
  EXPECT_NE(journal_->health().error, "");
  EXPECT_NE(health().hint, "");
  EXPECT_EQ(health().refused_readings, 0u) << "a frame is taken whole or not at all";

  const uint64_t pending = health().frames_pending;
  disk_.FailWrites(SQLITE_OK);
  RunUntil([&] { return health().frames_accepted == 10 + pending; });
  Hear(9);
  RunUntil([&] { return health().frames_accepted == 11 + pending; });
  EXPECT_EQ(health().hint, "");

  // And now the power: everything that counted is there.
  const uint64_t acknowledged = health().readings;
  disk_.CutAt(1);
  Hear(10);
  RunUntil([&] { return disk_.off(); });
  line_.reset();
  journal_.reset();
  store_.reset();
  disk_.Reboot(1);
  auto store = OpenStore(kPath, Options());
  const auto all = (*store->OpenReader())->ReadJournal(0, SIZE_MAX >> 1);
  ASSERT_TRUE(all) << all.error().text;
  EXPECT_EQ(all->records.size(), acknowledged);
  EXPECT_EQ(acknowledged, (11 + pending) * kReadingsOfFrame);
}

}  // namespace
}  // namespace vesta::hub
