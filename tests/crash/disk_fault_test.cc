// A disk that is full, read-only or broken for a while: nothing accepted is lost, and the hub goes on by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/clock/clock.h"
#include "hub/journal/journal.h"
#include "hub/store/temporary_store.h"
#include "tests/crash/power_cut_vfs.h"

namespace vesta::hub {
namespace {

using ::testing::HasSubstr;

constexpr char kPath[] = "/disk/vesta.db";

CommitUnit OneReading(JournalNumber number) {
  CommitUnit unit;
  unit.batches.emplace_back();
  unit.batches[0].Add(MakeRecord(number, 1, static_cast<UtcUs>(number), Value::OfText("still here")));
  return unit;
}

class DiskFault : public ::testing::TestWithParam<std::pair<int, StoreErrorKind>> {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::off);
    options_.vfs = disk_.name();
  }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  PowerCutVfs disk_{"disk-fault"};
  SqliteStoreOptions options_;
};

TEST_P(DiskFault, IsNamedAndTheSameUnitGoesThroughAfterwards) {
  auto store = OpenStore(kPath, options_);
  ASSERT_TRUE(store->Commit(OneReading(1)).has_value());
  disk_.FailWrites(GetParam().first);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto refused = store->Commit(OneReading(2));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, GetParam().second);
    EXPECT_THAT(refused.error().text, HasSubstr(kPath));
    EXPECT_EQ((*store->OpenReader())->ReadJournal(0, 10)->records.size(), 1u);
  }
  disk_.FailWrites(SQLITE_OK);
  ASSERT_TRUE(store->Commit(OneReading(2)).has_value());
  store.reset();
  store = OpenStore(kPath, options_);
  const auto all = (*store->OpenReader())->ReadJournal(0, 10);
  ASSERT_EQ(all->records.size(), 2u);
  EXPECT_EQ(all->records[1].value.text(), "still here");
}

TEST_P(DiskFault, TheJournalWaitsAndGoesOnByItself) {
  auto store = OpenStore(kPath, options_);
  boost::asio::io_context io;
  const auto keep_running = boost::asio::make_work_guard(io);
  ManualClock clock(0);
  Directory directory;
  Journal journal(io, clock, *store, directory, {});
  ASSERT_TRUE(journal.Open({}).has_value());
  disk_.FailWrites(GetParam().first);
  std::vector<Record> records(3, MakeRecord(0, 1, 1, Value::OfText("waits")));
  ASSERT_TRUE(journal.Append(records));
  bool done = false;
  journal.Flush([&done] { done = true; });
  while (journal.health().failed_commits == 0) io.run_one();
  EXPECT_NE(journal.health().error, "");
  EXPECT_EQ(journal.durable_mark(), 0u);
  ASSERT_TRUE(journal.Append(records));
  disk_.FailWrites(SQLITE_OK);
  journal.Flush();
  while (journal.durable_mark() != 6) io.run_one();
  EXPECT_TRUE(done);
  EXPECT_EQ(journal.health().error, "");
  EXPECT_EQ((*store->OpenReader())->ReadJournal(0, 10)->records.size(), 6u);
}

TEST_P(DiskFault, AtTheFirstStartIsAClearError) {
  disk_.FailWrites(GetParam().first);
  const auto store = SqliteStore::Open(kPath, options_);
  ASSERT_FALSE(store.has_value());
  EXPECT_THAT(store.error().text, HasSubstr(kPath));
  disk_.FailWrites(SQLITE_OK);
  EXPECT_TRUE(SqliteStore::Open(kPath, options_).has_value()) << "what it left behind is no obstacle";
}

INSTANTIATE_TEST_SUITE_P(Kinds, DiskFault,
                         ::testing::Values(std::pair(SQLITE_FULL, StoreErrorKind::kDiskFull),
                                           std::pair(SQLITE_READONLY, StoreErrorKind::kReadOnly),
                                           std::pair(SQLITE_IOERR_FSYNC, StoreErrorKind::kIo)));

}  // namespace
}  // namespace vesta::hub
