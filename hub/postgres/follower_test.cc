// The follower with a real journal, store and server: readings reach the database once, whoever is killed, and a reader
// sees all of them at any time.
#include "hub/postgres/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "hub/postgres/database_store.h"
#include "hub/postgres/reader.h"
#include "hub/postgres/test_server.h"
#include "hub/store/store_origin.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub::postgres {
namespace {

constexpr UtcUs kStart_us = 1786429285 * kUsPerSecond;  // 2026-08-11T06:21:25Z
constexpr Field kPower{"power", Quantity::kPower, Unit::kKilowatt, 3};

class FollowedHub {
 public:
  FollowedHub(TestServer& server, std::string schema) : server_(server), schema_(std::move(schema)) { Open(); }
  ~FollowedHub() { Close(); }

  // As after a crash: what was in memory is gone.
  void Reopen() {
    Close();
    Open();
  }

  bool Until(const std::function<bool()>& so, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!so()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  void Append(int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      clock.Advance(kUsPerSecond);
      Record record;
      record.series = directory->ResolveSeries(device, kPower);
      record.time_us = record.received_us = clock.Read().utc_us;
      record.value = Value::OfDecimal(++value, -3);
      record.frame = 77;
      records.push_back(record);
    }
    EXPECT_TRUE(journal->Append(records));
    bool durable = false;
    journal->Flush([&] { durable = true; });
    EXPECT_TRUE(Until([&] { return durable; }));
  }
  void Follow() {
    FollowerOptions options;
    options.server = server_.Settings(schema_);
    options.origin = *OriginOfStore(folder.File("vesta.db"));
    options.zone = {60, true};
    options.timing.back_off_first_us = 20 * kUsPerMs;
    options.timing.back_off_last_us = 100 * kUsPerMs;
    options.timing.look_every_us = 100 * kUsPerMs;
    follower = std::make_unique<Follower>(io, clock, *journal, *directory, options);
    follower->Start();
  }
  bool CaughtUp() {
    return Until([&] { return follower->health().connected && follower->health().waiting == 0; });
  }
  // All that a reader of history sees, by its own way.
  uint64_t Seen() {
    Reader reader(server_.Settings(schema_), {60, true}, std::move(*store->OpenReader()), nullptr);
    const auto read = reader.ReadRange(1, INT64_MIN, INT64_MAX, 1000000);
    EXPECT_TRUE(read.has_value()) << read.error().text;
    return read ? read->records.size() : 0;
  }
  std::string There() { return server_.Ask(schema_, "SELECT count(*) || ' ' || count(DISTINCT number) FROM reading"); }

  boost::asio::io_context io;
  ManualClock clock{kStart_us};
  TemporaryFolder folder;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<Directory> directory;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Follower> follower;
  DeviceId device = 0;
  int64_t value = 0;

 private:
  void Open() {
    store = OpenStore(folder.File("vesta.db"));
    auto restored = store->Restore();
    ASSERT_TRUE(restored.has_value());
    directory = std::make_unique<Directory>();
    directory->Restore(restored->devices, restored->series);
    DeviceInfo info;
    info.identity = "meter";
    info.identity_on_wire = true;
    device = directory->Resolve("p1", "test", info, 0);
    JournalOptions options;
    options.commit_interval_us = 3600 * kUsPerSecond;
    options.commit_records = 1u << 30;
    journal = std::make_unique<Journal>(io, clock, *store, *directory, options);
    ASSERT_TRUE(journal->Open(*restored).has_value());
  }
  void Close() {
    follower.reset();
    journal.reset();
    store.reset();
    directory.reset();
  }

  TestServer& server_;
  std::string schema_;
};

TEST(PostgresFollower, BringsEveryReadingOnceThroughRestartsOfBothSides) {
  TestServer server;
  FollowedHub hub(server, "vesta_home");
  hub.Append(1000);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  EXPECT_EQ(hub.There(), "1000 1000");
  EXPECT_EQ(hub.follower->health().acknowledged, 1000u);

  // The server dies; readings wait, and say so.
  server.Kill();
  hub.Append(500);
  EXPECT_TRUE(hub.Until([&] { return !hub.follower->health().connected; }));
  EXPECT_TRUE(hub.Until([&] { return hub.follower->health().oldest_unsent_age_us > 0; }));
  OutputHealth health = hub.follower->health();
  EXPECT_EQ(health.waiting, 500u);
  EXPECT_FALSE(health.error.empty());
  EXPECT_EQ(health.where, "localhost/postgres schema vesta_home");
  // The hub ends and begins while the server is away.
  hub.Reopen();
  hub.Follow();
  EXPECT_TRUE(hub.Until([&] { return hub.follower->health().waiting == 500; }));
  EXPECT_FALSE(hub.follower->health().connected);
  hub.Append(10);
  server.Start();
  EXPECT_TRUE(hub.CaughtUp());
  EXPECT_EQ(hub.There(), "1510 1510");
  EXPECT_EQ(hub.Seen(), 1510u);

  // The hub dies after the database took a batch and before the journal noted it: nothing comes twice.
  hub.Append(5);
  EXPECT_TRUE(hub.CaughtUp());
  hub.Reopen();
  hub.journal->SetPosition("postgres", hub.journal->Position("postgres") - 3);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  EXPECT_EQ(hub.There(), "1515 1515");

  // A frozen server is not waited for by the hub's end.
  server.Pause();
  hub.Append(5);
  bool stopped = false;
  hub.follower->Stop([&] { stopped = true; });
  EXPECT_TRUE(hub.Until([&] { return stopped; }, std::chrono::seconds(5)));
  server.Resume();
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  EXPECT_EQ(hub.There(), "1520 1520");
  // An orderly end hands over what is durable.
  hub.Append(7);
  stopped = false;
  hub.follower->Stop([&] { stopped = true; });
  EXPECT_TRUE(hub.Until([&] { return stopped; }));
  EXPECT_EQ(hub.There(), "1527 1527");
}

TEST(PostgresFollower, ReadersSeeWhatIsNotThereYet) {
  TestServer& server = SharedServer();
  FollowedHub hub(server, "vesta_tail");
  hub.Append(100);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  hub.follower.reset();
  hub.Append(50);
  EXPECT_EQ(hub.There(), "100 100");
  EXPECT_EQ(hub.Seen(), 150u);
  Reader reader(server.Settings("vesta_tail"), {60, true}, std::move(*hub.store->OpenReader()), nullptr);
  const auto newest = reader.ReadAtOrBefore(1, INT64_MAX);
  ASSERT_TRUE(newest.has_value());
  EXPECT_EQ(newest->records.at(0).value.decimal().mantissa, 150);
  const auto hours = reader.ReadRollups(1, RollupLevel::kHour, 0, INT64_MAX, 100);
  ASSERT_TRUE(hours.has_value());
  EXPECT_EQ(hours->at(0).count, 150u);
  // Readings of one frame, here and there.
  const auto of_frame = reader.ReadFrameRecords(77);
  ASSERT_TRUE(of_frame.has_value()) << of_frame.error().text;
  EXPECT_EQ(of_frame->records.size(), 100u);
  uint64_t total = 0;
  ASSERT_TRUE(reader.ReadThinned(1, kStart_us, kStart_us + 3600 * kUsPerSecond, 20, &total).has_value());
  EXPECT_EQ(total, 150u);
}

TEST(PostgresFollower, QuestionsOfTheLastDaysNeedNoServer) {
  TestServer& server = SharedServer();
  ServerSettings away = server.Settings("vesta_away");
  away.url = "postgresql://vesta@/postgres?host=/nonexistent";
  TemporaryFolder folder;
  auto store = OpenStore(folder.File("vesta.db"));
  const UtcUs now_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  CommitUnit unit;
  unit.batches.emplace_back().Add(MakeRecord(1, 1, now_us - 3600 * kUsPerSecond, Value::OfInteger(7)));
  ASSERT_TRUE(store->Commit(unit).has_value());
  DatabaseStore both(std::move(store), away, {60, true});
  const auto reader = both.OpenReader();
  ASSERT_TRUE(reader.has_value());
  const auto near = (*reader)->ReadRange(1, now_us - 86400 * kUsPerSecond, now_us, 10);
  ASSERT_TRUE(near.has_value());
  EXPECT_EQ(near->records.size(), 1u);
  EXPECT_EQ((*reader)->ReadAtOrBefore(1, now_us)->records.size(), 1u);
  EXPECT_EQ((*reader)->ReadJournal(0, 10)->records.size(), 1u);
  const auto far = (*reader)->ReadRange(1, now_us - 86400 * kUsPerSecond * 30, now_us, 10);
  ASSERT_FALSE(far.has_value());
  EXPECT_THAT(far.error().text, ::testing::HasSubstr("PostgreSQL at localhost/postgres"));
}

// The same numbers would mean other readings: neither may pass for the other.
TEST(PostgresFollower, NoticesAFolderThatWasPutBack) {
  TestServer& server = SharedServer();
  FollowedHub hub(server, "vesta_back");
  hub.Append(10);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  server.Ask("vesta_back", "UPDATE progress SET position = position + 5");
  hub.Reopen();
  hub.Append(20);
  hub.Follow();
  EXPECT_TRUE(hub.Until([&] { return !hub.follower->health().error.empty(); }));
  EXPECT_THAT(hub.follower->health().error, ::testing::HasSubstr("put back from a backup"));
  EXPECT_FALSE(hub.follower->health().connected);
  EXPECT_EQ(hub.There(), "10 10");
}

// The other way: the database was put back, and the folder still has what it lacks.
TEST(PostgresFollower, FillsADatabaseThatWasPutBack) {
  TestServer& server = SharedServer();
  FollowedHub hub(server, "vesta_older");
  hub.Append(10);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  hub.follower.reset();
  server.Ask("vesta_older", "DROP SCHEMA vesta_older CASCADE");
  hub.Append(1);
  hub.Follow();
  EXPECT_TRUE(hub.CaughtUp());
  EXPECT_EQ(hub.There(), "11 11");
}

}  // namespace
}  // namespace vesta::hub::postgres
