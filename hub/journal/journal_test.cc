#include "hub/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "hub/clock/clock.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;

// Remembers what was committed, fails or blocks when told to.
class FakeStore final : public Store {
 public:
  struct Committed {
    std::vector<JournalNumber> numbers;
    std::vector<FrameId> frames;
    std::vector<DeviceId> devices;
    std::vector<SeriesId> series;
    std::vector<std::pair<std::string, JournalNumber>> positions;
    JournalNumber reserved_numbers_end = 0;
    FrameId reserved_frames_end = 0;
  };

  tl::expected<RestoredState, StoreError> Restore() override { return RestoredState{}; }
  tl::expected<void, StoreError> Commit(const CommitUnit& unit) override {
    if (gate.valid()) gate.wait();
    const std::lock_guard lock(mutex);
    if (failures > 0) {
      --failures;
      return tl::unexpected(StoreError{StoreErrorKind::kDiskFull, "the disk is full"});
    }
    Committed one;
    for (const RecordBatch& batch : unit.batches) {
      for (const Record& record : batch.records) one.numbers.push_back(record.number);
    }
    for (const ArchivedFrame& frame : unit.frames) one.frames.push_back(frame.id);
    for (const Device& device : unit.devices) one.devices.push_back(device.id);
    for (const Series& series : unit.series) one.series.push_back(series.id);
    one.positions = unit.positions;
    one.reserved_numbers_end = unit.reserved_numbers_end;
    one.reserved_frames_end = unit.reserved_frames_end;
    units.push_back(std::move(one));
    return {};
  }
  tl::expected<bool, StoreError> FoldStep() override {
    const std::lock_guard lock(mutex);
    ++folds;
    return fold_steps_left > 0 && fold_steps_left-- > 0;
  }
  tl::expected<uint64_t, StoreError> TrimStep(const Retention& retention, UtcUs now_us, JournalNumber up_to) override {
    const std::lock_guard lock(mutex);
    trims.push_back(now_us - retention.readings_us[0]);
    trims_up_to.push_back(up_to);
    return trim_steps_left > 0 ? trim_steps_left-- : 0;
  }
  tl::expected<UtcUs, StoreError> OldestTime() override { return kNoTime; }
  tl::expected<std::unique_ptr<StoreReader>, StoreError> OpenReader() override {
    return tl::unexpected(StoreError{StoreErrorKind::kIo, "no reader"});
  }
  uint64_t SizeBytes() const override { return 1; }

  std::shared_future<void> gate;  // set before the journal is opened, or while no commit runs
  std::mutex mutex;
  int failures = 0;
  uint64_t trim_steps_left = 0;
  uint64_t fold_steps_left = 0;
  uint64_t folds = 0;
  std::vector<Committed> units;
  std::vector<UtcUs> trims;
  std::vector<JournalNumber> trims_up_to;
};

class JournalTest : public ::testing::Test {
 protected:
  void Open(JournalOptions options = Patient(), RestoredState state = {}) {
    journal_ = std::make_unique<Journal>(io_, clock_, store_, directory_, options);
    ASSERT_TRUE(journal_->Open(state).has_value());
    store_.units.clear();  // the reservation
  }
  // Commits only when told to.
  static JournalOptions Patient() {
    JournalOptions options;
    options.commit_interval_us = 3600 * kUsPerSecond;
    return options;
  }
  std::vector<Record> Records(size_t count, Value value = Value::OfInteger(1)) {
    return std::vector<Record>(count, MakeRecord(0, 1, kStart_us, value));
  }
  bool Append(size_t count) {
    std::vector<Record> records = Records(count);
    return journal_->Append(records);
  }
  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
      io_.run_one_for(std::chrono::milliseconds(100));
    }
  }
  void Flush() {
    bool done = false;
    journal_->Flush([&done] { done = true; });
    RunUntil([&] { return done; });
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_ =
      boost::asio::make_work_guard(io_);
  ManualClock clock_{kStart_us};
  Directory directory_;
  FakeStore store_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, NumbersAtOnceAndCommitsInOrder) {
  Open();
  std::vector<JournalNumber> marks;
  const auto token = journal_->OnDurable([&](JournalNumber mark) { marks.push_back(mark); });
  std::vector<Record> records = Records(3);
  ASSERT_TRUE(journal_->Append(records));
  EXPECT_EQ(records[0].number, 1u);
  EXPECT_EQ(records[2].number, 3u);
  EXPECT_EQ(journal_->last_number(), 3u);
  EXPECT_EQ(journal_->durable_mark(), 0u);
  io_.poll();
  EXPECT_THAT(store_.units, IsEmpty()) << "nothing asked for a commit";
  Flush();
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_THAT(store_.units[0].numbers, ElementsAre(1, 2, 3));
  EXPECT_THAT(marks, ElementsAre(3));
  EXPECT_EQ(journal_->durable_mark(), 3u);
  EXPECT_EQ(journal_->health().waiting_records, 0u);
  EXPECT_EQ(journal_->health().commits, 1u);
}

TEST_F(JournalTest, CommitsWhenEnoughWaits) {
  JournalOptions options = Patient();
  options.commit_records = 10;
  Open(options);
  Append(9);
  io_.poll();
  EXPECT_EQ(journal_->health().commits, 0u);
  Append(1);
  RunUntil([&] { return journal_->durable_mark() == 10; });
}

TEST_F(JournalTest, CommitsWhenTheIntervalIsOverAndSleepsWhenNothingWaits) {
  JournalOptions options;
  options.commit_interval_us = 20000;
  Open(options);
  Append(1);
  RunUntil([&] { return journal_->durable_mark() == 1; });
  io_.run_one();  // the store said that nothing is to be folded
  // No timer is armed: nothing runs however long one waits.
  EXPECT_EQ(io_.run_for(std::chrono::milliseconds(100)), 0u);
  Append(1);
  RunUntil([&] { return journal_->durable_mark() == 2; });
  EXPECT_THAT(store_.units, SizeIs(2));
}

TEST_F(JournalTest, EachFrameWithItsReadingsIsOneCommit) {
  JournalOptions options = Patient();
  options.commit_each_frame = true;
  Open(options);
  const FrameId frame = journal_->AppendFrame({});
  Append(5);
  RunUntil([&] { return journal_->durable_mark() == 5; });
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_THAT(store_.units[0].frames, ElementsAre(frame));
  EXPECT_THAT(store_.units[0].numbers, SizeIs(5));
}

TEST_F(JournalTest, FlushesInOneTurnShareACommit) {
  Open();
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    Append(1);
    journal_->Flush([&done] { ++done; });
    journal_->Flush();
  }
  RunUntil([&] { return done == 50; });
  EXPECT_THAT(store_.units, SizeIs(1));
  Flush();  // nothing waits: answered without a commit
  EXPECT_THAT(store_.units, SizeIs(1));
}

TEST_F(JournalTest, WhileTheDiskIsSlowTheNextCommitGathers) {
  std::promise<void> open;
  Open();
  store_.gate = open.get_future().share();
  Append(1);
  journal_->Flush();
  io_.poll();
  for (int i = 0; i < 20; ++i) {
    Append(1);
    journal_->Flush();
    io_.poll();
  }
  open.set_value();
  RunUntil([&] { return journal_->durable_mark() == 21; });
  ASSERT_THAT(store_.units, SizeIs(2));
  EXPECT_THAT(store_.units[1].numbers, SizeIs(20));
}

TEST_F(JournalTest, AFailedCommitIsTriedAgainWithNothingLostOrReordered) {
  Open();
  store_.failures = 1;
  Append(2);
  bool done = false;
  journal_->Flush([&done] { done = true; });
  RunUntil([&] { return journal_->health().failed_commits == 1; });
  EXPECT_THAT(journal_->health().error, HasSubstr("disk is full"));
  EXPECT_EQ(journal_->durable_mark(), 0u);
  EXPECT_FALSE(done);
  Append(3);
  journal_->Flush();
  RunUntil([&] { return journal_->durable_mark() == 5; });
  EXPECT_TRUE(done);
  EXPECT_EQ(journal_->health().error, "");
  ASSERT_THAT(store_.units, SizeIs(2));
  EXPECT_THAT(store_.units[0].numbers, ElementsAre(1, 2));
  EXPECT_THAT(store_.units[1].numbers, ElementsAre(3, 4, 5));
}

TEST_F(JournalTest, RefusesTheNewestWhenTooMuchWaits) {
  Open();
  store_.failures = 1000000;
  size_t taken = 0;
  while (Append(1000)) taken += 1000;
  EXPECT_LE(taken, kMaxWaitingRecords);
  EXPECT_GT(taken + 1000, kMaxWaitingRecords);
  EXPECT_EQ(journal_->health().refused_records, 1000u);
  EXPECT_EQ(journal_->health().waiting_records, taken);

  ArchivedFrame frame;
  frame.bytes.assign(1 << 20, 1);
  size_t frames = 0;
  while (journal_->AppendFrame(frame) != 0) ++frames;
  EXPECT_EQ(frames, kMaxWaitingFrameBytes / ((1 << 20) + kWaitingFrameOverhead));
  EXPECT_EQ(journal_->health().refused_frames, 1u);

  {
    const std::lock_guard lock(store_.mutex);
    store_.failures = 0;
  }
  Flush();
  EXPECT_EQ(journal_->durable_mark(), taken);
  JournalNumber expected = 0;
  for (const auto& unit : store_.units) {
    for (const JournalNumber number : unit.numbers) ASSERT_EQ(number, ++expected);
  }
  EXPECT_EQ(expected, taken);
  EXPECT_TRUE(Append(1));
}

TEST_F(JournalTest, TextsThatWaitAreBounded) {
  Open();
  const std::string text(100000, 'x');
  size_t taken = 0;
  for (;;) {
    std::vector<Record> records = Records(1, Value::OfText(text));
    if (!journal_->Append(records)) break;
    ++taken;
  }
  EXPECT_EQ(taken, kMaxWaitingTextBytes / text.size());
  Flush();
  EXPECT_TRUE(Append(1));
}

TEST_F(JournalTest, ReservesNumbersBeforeUseAndLongBeforeTheyRunOut) {
  RestoredState state;
  state.reserved_numbers_end = 1000;
  state.reserved_frames_end = 500;
  state.last_number = 900;
  journal_ = std::make_unique<Journal>(io_, clock_, store_, directory_, Patient());
  ASSERT_TRUE(journal_->Open(state).has_value());
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_EQ(store_.units[0].reserved_numbers_end, 1000 + kNumberBlock);
  EXPECT_EQ(store_.units[0].reserved_frames_end, 500 + kNumberBlock);
  EXPECT_EQ(journal_->durable_mark(), 900u);
  EXPECT_EQ(journal_->AppendFrame({}), 500u);

  std::vector<Record> records = Records(32768);
  JournalNumber reserved_end = 1000 + kNumberBlock;
  while (journal_->last_number() < 1000 + kNumberBlock + kNumberBlock / 4) {
    ASSERT_TRUE(journal_->Append(records));
    ASSERT_LT(records.back().number, reserved_end) << "used before it was reserved";
    Flush();
    const JournalNumber end = store_.units.back().reserved_numbers_end;
    if (end != 0) {
      EXPECT_EQ(end, reserved_end + kNumberBlock);
      EXPECT_GE(reserved_end - records.back().number, kNumberBlock / 4);
      reserved_end = end;
    }
    store_.units.clear();
  }
  EXPECT_EQ(reserved_end, 1000 + 2 * kNumberBlock);
}

TEST_F(JournalTest, OpenFailsWhenNothingCanBeReserved) {
  store_.failures = 1;
  journal_ = std::make_unique<Journal>(io_, clock_, store_, directory_, Patient());
  EXPECT_FALSE(journal_->Open({}).has_value());
  EXPECT_FALSE(Append(1)) << "no number is sure to be unused";
  EXPECT_EQ(journal_->AppendFrame({}), 0u);
}

TEST_F(JournalTest, DevicesAndSeriesGoWithTheirFirstReadings) {
  Open();
  DeviceInfo info;
  info.identity = "E1";
  info.identity_on_wire = true;
  const DeviceId device = directory_.Resolve("p1", "hall", info, 0);
  directory_.ResolveSeries(device, Field{});
  Append(1);
  Flush();
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_THAT(store_.units[0].devices, ElementsAre(device));
  EXPECT_THAT(store_.units[0].series, ElementsAre(1u));
  // A new name alone is a reason to commit.
  directory_.SetName(device, "Meter", "");
  Flush();
  ASSERT_THAT(store_.units, SizeIs(2));
  EXPECT_THAT(store_.units[1].devices, ElementsAre(device));
  EXPECT_THAT(store_.units[1].series, IsEmpty());
}

TEST_F(JournalTest, PositionsNeverPassTheDurableMark) {
  RestoredState state;
  state.positions = {{"mqtt", 7}};
  state.last_number = 9;
  state.reserved_numbers_end = 100;
  Open(Patient(), state);
  EXPECT_EQ(journal_->Position("mqtt"), 7u);
  EXPECT_EQ(journal_->Position("other"), 0u);
  Append(5);
  journal_->SetPosition("mqtt", 104);
  EXPECT_EQ(journal_->Position("mqtt"), 9u);
  Flush();
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_THAT(store_.units[0].positions, ElementsAre(std::pair<std::string, JournalNumber>("mqtt", 9)));
  journal_->SetPosition("mqtt", 104);
  Flush();
  EXPECT_EQ(store_.units.back().positions[0].second, 104u);
  journal_->SetPosition("mqtt", 104);
  Flush();
  EXPECT_THAT(store_.units, SizeIs(2)) << "a position that did not move is no reason to write";
}

TEST_F(JournalTest, ADroppedTokenIsHeardNoMore) {
  Open();
  int heard = 0;
  auto token = journal_->OnDurable([&](JournalNumber) { ++heard; });
  Append(1);
  Flush();
  token.reset();
  Append(1);
  Flush();
  EXPECT_EQ(heard, 1);
}

TEST_F(JournalTest, TrimsInStepsAfterACommitAndOnlyWithATrustedClock) {
  JournalOptions options = Patient();
  options.retention = Retention::Readings(3600 * kUsPerSecond);
  Open(options);
  store_.trim_steps_left = 3;
  io_.poll();
  EXPECT_THAT(store_.trims, IsEmpty()) << "an idle hub does not touch the disk";
  Append(1);
  Flush();
  RunUntil([&] { return store_.trims.size() == 4; });
  EXPECT_EQ(store_.trims[0], kStart_us - 3600 * kUsPerSecond);
  RunUntil([&] { return journal_->health().trimmed_records == 3 + 2 + 1; });
  Append(1);
  Flush();
  EXPECT_THAT(store_.trims, SizeIs(4)) << "not due again yet";

  clock_.Advance(kTrimEvery_us);
  clock_.SetQuality(ClockQuality::kNotSynchronised);
  clock_.StepUtc(int64_t{50} * 365 * 86400 * kUsPerSecond);
  Append(1);
  Flush();
  Append(1);
  Flush();
  EXPECT_THAT(store_.trims, SizeIs(4)) << "a clock in the wrong century empties no history";
}

TEST_F(JournalTest, FoldsAfterACommitUntilAllIsFoldedAndNeverWhenIdle) {
  Open(Patient());
  store_.fold_steps_left = 3;
  io_.poll();
  EXPECT_EQ(store_.folds, 0u) << "an idle hub does not touch the disk";
  Append(1);
  Flush();
  RunUntil([&] { return store_.folds == 4; });
  Append(1);
  Flush();
  RunUntil([&] { return store_.folds == 5; });
}

TEST_F(JournalTest, HistoryWaitsForTheSlowestOutput) {
  JournalOptions options = Patient();
  options.retention = Retention::Readings(3600 * kUsPerSecond);
  Open(options);
  journal_->Hold("slow/history");
  Append(5);
  Flush();
  RunUntil([&] { return !store_.trims.empty(); });
  EXPECT_EQ(store_.trims_up_to[0], 0u);
  journal_->SetPosition("slow/history", 3);
  journal_->SetPosition("nobody", 1);
  clock_.Advance(kTrimEvery_us);
  Append(1);
  Flush();
  RunUntil([&] { return store_.trims.size() == 2; });
  EXPECT_EQ(store_.trims_up_to[1], 3u);
}

TEST_F(JournalTest, QueriesAlwaysAnswer) {
  Open();
  std::string error;
  bool done = false;
  journal_->Query([&](StoreReader& reader) { error = reader.ReadArchiveStats().error().text; }, [&] { done = true; });
  RunUntil([&] { return done; });
  EXPECT_EQ(error, "no reader");

  // More than may wait: each is answered, the excess with an error.
  std::promise<void> open;
  const std::shared_future<void> gate = open.get_future().share();
  size_t answered = 0;
  for (size_t i = 0; i < kMaxReadRequests + 20; ++i) {
    journal_->Query(
        [&](StoreReader& reader) {
          if (reader.ReadArchiveStats().error().kind != StoreErrorKind::kBusy) gate.wait();
        },
        [&] { ++answered; });
  }
  EXPECT_GE(journal_->health().refused_reads, 19u);
  open.set_value();
  RunUntil([&] { return answered == kMaxReadRequests + 20; });
}

TEST_F(JournalTest, CloseCommitsAllAndTakesNoMore) {
  Open();
  Append(7);
  journal_->AppendFrame({});
  journal_->Close();
  ASSERT_THAT(store_.units, SizeIs(1));
  EXPECT_THAT(store_.units[0].numbers, SizeIs(7));
  EXPECT_EQ(journal_->durable_mark(), 7u);
  EXPECT_FALSE(Append(1));
  journal_->Close();
  EXPECT_THAT(store_.units, SizeIs(1));
}

TEST_F(JournalTest, CloseWaitsForTheCommitUnderWay) {
  std::promise<void> open;
  Open();
  store_.gate = open.get_future().share();
  Append(1);
  journal_->Flush();
  io_.poll();
  Append(2);
  std::thread later([&] { open.set_value(); });
  journal_->Close();
  later.join();
  ASSERT_THAT(store_.units, SizeIs(2));
  EXPECT_THAT(store_.units[1].numbers, ElementsAre(2, 3));
  EXPECT_EQ(journal_->durable_mark(), 3u);
}

TEST_F(JournalTest, CloseTriesOnceMoreWhenTheDiskIsFull) {
  Open();
  store_.failures = 1000;
  Append(1);
  journal_->Flush();
  RunUntil([&] { return journal_->health().failed_commits == 1; });
  journal_->Close();
  EXPECT_THAT(store_.units, IsEmpty());
  EXPECT_EQ(journal_->health().waiting_records, 1u);
}

// With the real store: what a fresh opening of the file sees is never less than the mark.
TEST(JournalOnSqlite, TheMarkIsNeverAheadOfTheFileAndNumbersAreNeverUsedTwice) {
  const TemporaryFolder folder;
  const std::string path = folder.File("vesta.db");
  JournalNumber highest = 0;
  size_t stored = 0;
  for (int run = 0; run < 4; ++run) {
    boost::asio::io_context io;
    const auto keep_running = boost::asio::make_work_guard(io);
    ManualClock clock(kStart_us);
    auto store = OpenStore(path);
    const auto state = store->Restore();
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->last_number, highest);
    Directory directory;
    directory.Restore(state->devices, state->series);
    Journal journal(io, clock, *store, directory, {});
    ASSERT_TRUE(journal.Open(*state).has_value());
    bool checked = false;
    const auto token = journal.OnDurable([&](JournalNumber mark) {
      auto fresh = store->OpenReader();
      const auto seen = (*fresh)->ReadJournal(mark - 1, 1);
      ASSERT_EQ(seen->records.size(), 1u);
      EXPECT_EQ(seen->records[0].number, mark);
      checked = true;
    });
    for (int i = 0; i < 5; ++i) {
      std::vector<Record> records(10, MakeRecord(0, 1, kStart_us, Value::OfText("text")));
      ASSERT_TRUE(journal.Append(records));
      EXPECT_GT(records.front().number, highest);
      highest = records.back().number;
      stored += records.size();
      if (i == 4) break;  // these wait until Close
      bool done = false;
      journal.Flush([&done] { done = true; });
      while (!done) io.run_one();
    }
    EXPECT_TRUE(checked);

    // Nothing beyond the mark is handed out.
    size_t read = 0;
    JournalNumber after = 0;
    bool finished = false;
    std::function<void()> next = [&] {
      journal.Read(after, 7, [&](tl::expected<RecordBatch, StoreError> batch) {
        ASSERT_TRUE(batch.has_value());
        for (const Record& record : batch->records) {
          EXPECT_GT(record.number, after);
          EXPECT_LE(record.number, journal.durable_mark());
          EXPECT_EQ(record.value.text(), "text");
          after = record.number;
        }
        read += batch->records.size();
        if (batch->records.empty()) {
          finished = true;
        } else {
          next();
        }
      });
    };
    next();
    while (!finished) io.run_one();
    EXPECT_EQ(read, stored - 10);
    journal.Close();
  }
}

// The wall clock steps back an hour and forward a day: the order of numbers is that of arrival, ranges go by time.
TEST(JournalOnSqlite, ClockStepsMoveNoNumbersAndRangesStayRight) {
  const TemporaryFolder folder;
  auto store = OpenStore(folder.File("vesta.db"));
  boost::asio::io_context io;
  ManualClock clock(kStart_us);
  Directory directory;
  Journal journal(io, clock, *store, directory, {});
  ASSERT_TRUE(journal.Open({}).has_value());
  const int64_t steps_us[] = {0, -3600 * kUsPerSecond, 86400 * kUsPerSecond, -86400 * kUsPerSecond};
  std::vector<std::pair<UtcUs, JournalNumber>> by_time;
  for (const int64_t step_us : steps_us) {
    clock.StepUtc(step_us);
    for (int i = 0; i < 10; ++i) {
      clock.Advance(kUsPerSecond);
      std::vector<Record> records = {MakeRecord(0, 1, clock.Read().utc_us, Value::OfInteger(i))};
      ASSERT_TRUE(journal.Append(records));
      by_time.emplace_back(records[0].time_us, records[0].number);
    }
  }
  journal.Close();
  auto reader = store->OpenReader();
  const auto journaled = (*reader)->ReadJournal(0, 1000);
  ASSERT_EQ(journaled->records.size(), by_time.size());
  for (size_t i = 0; i < by_time.size(); ++i) EXPECT_EQ(journaled->records[i].number, by_time[i].second);
  std::sort(by_time.begin(), by_time.end());
  const auto range = (*reader)->ReadRange(1, INT64_MIN, INT64_MAX, 1000);
  ASSERT_EQ(range->records.size(), by_time.size());
  for (size_t i = 0; i < by_time.size(); ++i) EXPECT_EQ(range->records[i].number, by_time[i].second);
}

}  // namespace
}  // namespace vesta::hub
