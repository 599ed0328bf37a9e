// History from a folder to a real PostgreSQL server and back, cut off on the way.
#include "app/store_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/export/open_data.h"
#include "hub/postgres/test_server.h"
#include "hub/store/temporary_store.h"

namespace vesta::app {
namespace {

constexpr UtcUs kStart_us = 1786449600 * kUsPerSecond;  // 2026-08-11T12:00:00Z
constexpr int kReadings = 40000;

void FillFolder(const std::string& path) {
  hub::SqliteStoreOptions options;
  options.fold = {5000, 10000};
  options.fsync = false;  // nobody cuts the power here
  auto store = hub::OpenStore(path, options);
  hub::CommitUnit unit;
  hub::Device& device = unit.devices.emplace_back();
  device.id = 1;
  device.key = "p1_meter";
  device.protocol = "p1";
  device.name = "Zähler";
  for (hub::SeriesId id = 1; id <= 4; ++id) {
    hub::Series& series = unit.series.emplace_back();
    series.id = id;
    series.device = 1;
    series.field.key = "field_" + std::to_string(id);
    if (id == 2) series.field.states = {{1, "low"}};
  }
  hub::JournalNumber number = 0;
  for (int commit = 0; commit < 8; ++commit) {
    hub::RecordBatch& batch = unit.batches.emplace_back();
    for (int i = 0; i < kReadings / 8; ++i) {
      number += 1 + (i % 1000 == 0 ? 500 : 0);
      hub::Record record =
          hub::MakeRecord(number, static_cast<hub::SeriesId>(1 + i % 4),
                          kStart_us + static_cast<int64_t>(number) * kUsPerSecond, Value::OfDecimal(i, -2));
      if (i % 4 == 1) record.value = Value::OfState(static_cast<uint32_t>(i % 3));
      if (i % 4 == 2) record.value = Value::OfText("text " + std::to_string(i));
      if (i % 100 == 0) record.time_us -= 20 * 86400 * kUsPerSecond;
      record.frame = static_cast<hub::FrameId>(i / 4);
      batch.Add(record);
    }
    ASSERT_TRUE(store->Commit(unit).has_value());
    unit = {};
    hub::FoldAll(*store);
  }
}

// The copy runs in a process of its own, which is killed after so many pages.
void CopyAndDie(const CopyPlan& plan, int pages) {
  const pid_t child = fork();
  if (child == 0) {
    int told = 0;
    static_cast<void>(CopyStore(plan, [&](const CopyProgress&) {
      if (++told == pages) kill(getpid(), SIGKILL);
    }));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
}

void ExpectSameHistory(const std::string& one, const std::string& two) {
  const auto a = hub::OpenDataFolder(one);
  const auto b = hub::OpenDataFolder(two);
  ASSERT_TRUE(a.has_value() && b.has_value());
  ASSERT_EQ(a->series.size(), b->series.size());
  for (size_t i = 0; i < a->series.size(); ++i) EXPECT_EQ(a->series[i].field, b->series[i].field);
  EXPECT_EQ(a->devices[0].name, b->devices[0].name);
  const auto here = a->reader->ReadJournal(0, 10 * kReadings);
  const auto there = b->reader->ReadJournal(0, 10 * kReadings);
  ASSERT_TRUE(here.has_value() && there.has_value());
  EXPECT_EQ(here->records.size(), static_cast<size_t>(kReadings));
  EXPECT_TRUE(std::equal(here->records.begin(), here->records.end(), there->records.begin(), there->records.end(),
                         hub::SameRecord));
}

TEST(StoreCopy, MovesHistoryEitherWayThroughKills) {
  hub::postgres::TestServer server;
  hub::TemporaryFolder folder;
  FillFolder(folder.File("vesta.db"));
  const auto quiet = [](const CopyProgress&) {};
  const CopyPlan there{folder.File(""), server.url(), "vesta_home", "", {60, true}};
  CopyAndDie(there, 1);
  auto report = CopyStore(there, quiet);
  ASSERT_TRUE(report.has_value()) << report.error().text;
  EXPECT_EQ(report->copied, kReadings - 16384u);
  EXPECT_EQ(report->already_there, 16384u);
  EXPECT_EQ(report->readings, static_cast<uint64_t>(kReadings));
  EXPECT_EQ(server.Ask("vesta_home", "SELECT count(*) || ' ' || count(DISTINCT number) FROM reading"), "40000 40000");
  // What is due was rolled up on the way.
  EXPECT_NE(server.Ask("vesta_home", "SELECT sum(readings) FROM rollup WHERE level = 0"), "");

  report = CopyStore(there, quiet);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->copied, 0u);
  EXPECT_EQ(report->already_there, static_cast<uint64_t>(kReadings));

  const CopyPlan back{server.url(), folder.File("back"), "vesta_home", "", {60, true}};
  CopyAndDie(back, 2);
  report = CopyStore(back, quiet);
  ASSERT_TRUE(report.has_value()) << report.error().text;
  EXPECT_EQ(report->readings, static_cast<uint64_t>(kReadings));
  EXPECT_EQ(CopyStore(back, quiet)->copied, 0u);
  ExpectSameHistory(folder.File(""), folder.File("back"));

  // Neither a folder nor a schema takes what is another's.
  hub::TemporaryFolder other;
  FillFolder(other.File("vesta.db"));
  const auto mixed = CopyStore({other.File(""), server.url(), "vesta_home", "", {60, true}}, quiet);
  ASSERT_FALSE(mixed.has_value());
  EXPECT_THAT(mixed.error().text, ::testing::HasSubstr("another data folder"));
  const auto into = CopyStore({server.url(), other.File(""), "vesta_home", "", {60, true}}, quiet);
  ASSERT_FALSE(into.has_value());
  EXPECT_THAT(into.error().text, ::testing::HasSubstr("another data folder"));
  const auto no_sides = CopyStore({folder.File(""), other.File(""), "vesta_home", "", {60, true}}, quiet);
  EXPECT_FALSE(no_sides.has_value());
}

}  // namespace
}  // namespace vesta::app
