#include "hub/store/store_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "hub/store/segments.h"
#include "hub/store/sqlite_reader.h"
#include "hub/store/sqlite_schema.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UtcUs kStart_us = 1754899200 * kUsPerSecond;
constexpr int64_t kDay_us = 86400 * kUsPerSecond;

class StoreAdminTest : public ::testing::Test {
 protected:
  // One reading each second of two series, the second a counter, in commits of ten.
  void Fill(Store& store, JournalNumber first, JournalNumber last) {
    CommitUnit unit;
    if (first == 1) {
      unit.devices.resize(1);
      unit.devices[0].id = 1;
      unit.devices[0].key = "d";
      for (SeriesId id = 1; id <= 2; ++id) {
        unit.series.push_back({id, 1, {}});
        unit.series.back().field.key = std::to_string(id);
      }
      unit.series[1].field.kind = FieldKind::kCounter;
    }
    unit.batches.emplace_back();
    for (JournalNumber number = first; number <= last; ++number) {
      unit.batches[0].Add(Made(number));
      if (number % 10 != 0 && number != last) continue;
      ASSERT_TRUE(store.Commit(unit).has_value());
      unit = {};
      unit.batches.emplace_back();
    }
  }
  static Record Made(JournalNumber number) {
    return MakeRecord(number, number % 2 == 0 ? 2 : 1, kStart_us + static_cast<int64_t>(number / 2) * kUsPerSecond,
                      Value::OfDecimal(static_cast<int64_t>(number * 7), -1));
  }
  static void ExpectAll(Store& store, JournalNumber last) {
    auto reader = store.OpenReader();
    const auto all = (*reader)->ReadJournal(0, 100000);
    ASSERT_TRUE(all.has_value()) << all.error().text;
    ASSERT_EQ(all->records.size(), last);
    for (JournalNumber number = 1; number <= last; ++number) {
      EXPECT_TRUE(SameRecord(all->records[number - 1], Made(number))) << number;
    }
  }
  int64_t Count(const std::string& sql) {
    return SqliteDb::Open(path_, SQLITE_OPEN_READONLY, "")->Integer(sql.c_str()).value();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("vesta.db");
};

TEST_F(StoreAdminTest, ABackupBesideARunningHubIsAStoreOfItsOwn) {
  auto store = OpenStore(path_, SmallFolds());
  Fill(*store, 1, 555);
  FoldAll(*store);
  Fill(*store, 556, 600);
  const auto done = BackUpStore(path_, folder_.File("copy"));
  ASSERT_TRUE(done.has_value()) << done.error().text;
  EXPECT_FALSE(BackUpStore(path_, folder_.File("copy")).has_value()) << "nothing is overwritten";
  Fill(*store, 601, 700);
  store.reset();
  auto copy = OpenStore(folder_.File("copy") + "/vesta.db", SmallFolds());
  ExpectAll(*copy, 600);
  EXPECT_EQ(copy->Restore()->devices.size(), 1u);
  EXPECT_THAT(CheckStore(folder_.File("copy") + "/vesta.db")->problems, IsEmpty());
}

TEST_F(StoreAdminTest, CheckAndStatsCountAllAndNameDamage) {
  auto store = OpenStore(path_, SmallFolds());
  Fill(*store, 1, 450);
  FoldAll(*store);
  auto report = CheckStore(path_);
  ASSERT_TRUE(report.has_value()) << report.error().text;
  EXPECT_THAT(report->problems, IsEmpty());
  EXPECT_EQ(report->folded_readings, 400u);
  EXPECT_EQ(report->journal_readings, 50u);
  EXPECT_EQ(report->blocks, 4u);
  EXPECT_EQ(report->rollup_rows[3], 1u);
  store.reset();
  {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READWRITE, "");
    db->Execute("UPDATE block SET data = zeroblob(50) WHERE id = 3");
    db->Execute("UPDATE rollup SET data = x'00' WHERE level = 0");
  }
  report = CheckStore(path_);
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->problems, SizeIs(2));
  EXPECT_THAT(report->problems[0], HasSubstr("block 3"));
  const auto repaired = RepairStore(path_);
  ASSERT_TRUE(repaired.has_value()) << repaired.error().text;
  EXPECT_EQ(repaired->damaged_blocks, 1u);
  EXPECT_EQ(repaired->damaged_rollups, 1u);
  EXPECT_THAT(CheckStore(path_)->problems, IsEmpty());
  auto mended = OpenStore(path_, SmallFolds());
  EXPECT_EQ((*mended->OpenReader())->ReadJournal(0, 1000)->records.size(), 350u);
}

TEST_F(StoreAdminTest, AHoleInTheJournalIsToldAndMendedAroundIt) {
  {
    auto store = OpenStore(path_);
    Fill(*store, 1, 100);
  }
  // The third of ten commits loses a byte.
  {
    std::fstream file(path_ + "-j0000", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(kSectorBytes * 3 + 100));
    file.put('\x55');
  }
  const auto refused = SqliteStore::Open(path_, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, StoreErrorKind::kCorrupt);
  EXPECT_THAT(refused.error().text, HasSubstr("commit 3 is missing"));
  EXPECT_THAT(CheckStore(path_)->problems, SizeIs(1));
  const auto repaired = RepairStore(path_);
  ASSERT_TRUE(repaired.has_value()) << repaired.error().text;
  EXPECT_EQ(repaired->lost_commits, 1u);
  auto store = OpenStore(path_);
  const auto all = (*store->OpenReader())->ReadJournal(0, 1000);
  EXPECT_EQ(all->records.size(), 90u);
  EXPECT_EQ(store->Restore()->series.size(), 2u);
  CommitUnit next;
  next.batches.emplace_back();
  next.batches[0].Add(Made(101));
  EXPECT_TRUE(store->Commit(next).has_value());
}

TEST_F(StoreAdminTest, CompactGivesTrimmedRoomBackAndWantsTheHubStopped) {
  auto store = OpenStore(path_, SmallFolds(2000));
  uint64_t noise = 1;
  for (JournalNumber number = 1; number < 20000;) {
    CommitUnit unit;
    unit.batches.emplace_back();
    for (int i = 0; i < 1000; ++i, ++number) {
      noise = noise * 6364136223846793005u + 1442695040888963407u;
      unit.batches[0].Add(MakeRecord(number, 1, kStart_us, Value::OfInteger(static_cast<int64_t>(noise))));
    }
    ASSERT_TRUE(store->Commit(unit).has_value());
  }
  FoldAll(*store);
  EXPECT_EQ(CompactStore(path_).error().kind, StoreErrorKind::kBusy);
  while (*store->TrimStep(Retention::Readings(kDay_us), kStart_us + 30 * kDay_us, INT64_MAX) > 0) continue;
  store.reset();
  const uint64_t before = StoreStats(path_)->file_bytes;
  ASSERT_TRUE(CompactStore(path_).has_value());
  const auto after = StoreStats(path_);
  EXPECT_LT(after->file_bytes, before);
  EXPECT_EQ(after->free_bytes, 0u);
}

// Classes of series are kept for different times; roll-ups have times of their own.
TEST_F(StoreAdminTest, RetentionGoesByClassAndRollupsStay) {
  auto store = OpenStore(path_, SmallFolds());
  Fill(*store, 1, 450);
  FoldAll(*store);
  Retention retention;
  retention.readings_us[static_cast<size_t>(SeriesClass::kMeasurement)] = kDay_us;
  uint64_t trimmed = 0;
  while (true) {
    const auto step = store->TrimStep(retention, kStart_us + 3 * kDay_us, 250);
    ASSERT_TRUE(step.has_value()) << step.error().text;
    if (*step == 0) break;
    trimmed += *step;
  }
  EXPECT_EQ(trimmed, 100u) << "two blocks lie below number 250, half of each is measurements";
  auto reader = std::move(*store->OpenReader());
  EXPECT_EQ(reader->ReadRange(1, 0, INT64_MAX, 1000)->records.size(), 125u);
  EXPECT_EQ(reader->ReadRange(2, 0, INT64_MAX, 1000)->records.size(), 225u);
  EXPECT_EQ(reader->ReadRollups(1, RollupLevel::kDay, 0, INT64_MAX, 10)->at(0).count, 200u);
  retention = Retention::Readings(kDay_us);
  retention.rollups_us[0] = kDay_us;
  while (*store->TrimStep(retention, kStart_us + 3 * kDay_us, INT64_MAX) > 0) continue;
  EXPECT_EQ(reader->ReadRange(2, 0, INT64_MAX, 1000)->records.size(), 25u) << "what is in the journal stays";
  EXPECT_THAT(*reader->ReadRollups(1, RollupLevel::kMinute, 0, INT64_MAX, 1000), IsEmpty());
  EXPECT_EQ(reader->ReadRollups(1, RollupLevel::kDay, 0, INT64_MAX, 10)->at(0).count, 200u);
  retention = {};
  retention.max_bytes = 1;
  while (*store->TrimStep(retention, kStart_us, INT64_MAX) > 0) continue;
  EXPECT_EQ(Count("SELECT count(*) FROM rollup WHERE level < 3"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM rollup WHERE level = 3"), 1) << "days are kept for ever";
}

// A long span is thinned from roll-ups: same extremes, exact values, readings that are not folded included.
TEST_F(StoreAdminTest, AThinnedMonthHasItsExtremes) {
  SqliteStoreOptions options;
  options.fold = {1000, 5000};
  options.fsync = false;
  auto store = OpenStore(path_, options);
  JournalNumber number = 0;
  Record lowest;
  Record highest;
  uint64_t state = 7;
  for (int64_t hour = 0; hour < 30 * 24; ++hour) {
    CommitUnit unit;
    unit.batches.emplace_back();
    for (int64_t minute = 0; minute < 60; ++minute) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      Record record = MakeRecord(++number, 1, kStart_us + (hour * 60 + minute) * 60 * kUsPerSecond,
                                 Value::OfDecimal(static_cast<int64_t>(state >> 40), -3));
      record.received_us = record.time_us;
      if (lowest.number == 0 || Compare(record.value.decimal(), lowest.value.decimal()) < 0) lowest = record;
      if (highest.number == 0 || Compare(record.value.decimal(), highest.value.decimal()) > 0) highest = record;
      unit.batches[0].Add(record);
    }
    ASSERT_TRUE(store->Commit(unit).has_value());
    FoldAll(*store);
  }
  EXPECT_GT(Count("SELECT count(*) FROM block"), 25);
  uint64_t total = 0;
  auto reader = std::move(*store->OpenReader());
  const auto thinned = reader->ReadThinned(1, kStart_us + 30 * kUsPerSecond, kStart_us + 30 * kDay_us, 200, &total);
  ASSERT_TRUE(thinned.has_value());
  EXPECT_EQ(total, number - 1) << "the first is before the span";
  EXPECT_LE(thinned->records.size(), 200u);
  const auto has = [&](const Record& wanted) {
    for (const Record& record : thinned->records) {
      if (record.time_us == wanted.time_us && SameValue(record.value, wanted.value)) return true;
    }
    return false;
  };
  EXPECT_TRUE(has(lowest));
  EXPECT_TRUE(has(highest));
  for (size_t i = 1; i < thinned->records.size(); ++i) {
    EXPECT_LE(thinned->records[i - 1].time_us, thinned->records[i].time_us);
  }
}

// Late by days, twice, in any order: the blocks hold each reading once, the roll-ups are what the readings give.
TEST_F(StoreAdminTest, LateReadingsAndRepeatsAreMerged) {
  auto store = OpenStore(path_, SmallFolds(50));
  std::vector<Record> given;
  for (JournalNumber number = 1; number <= 400; ++number) {
    Record record = Made(number);
    record.series = 1;
    if (number % 7 == 0) record.time_us -= static_cast<int64_t>(number % 5) * kDay_us;
    if (number % 11 == 0) {  // the one before once more
      record = given.back();
      record.number = number;
    }
    given.push_back(record);
    CommitUnit unit;
    unit.batches.emplace_back();
    unit.batches[0].Add(record);
    ASSERT_TRUE(store->Commit(unit).has_value());
    FoldAll(*store);
  }
  auto reader = std::move(*store->OpenReader());
  EXPECT_EQ(reader->ReadJournal(0, 1000)->records.size(), 400u);
  EXPECT_EQ(reader->ReadRange(1, 0, INT64_MAX, 1000)->records.size(), 400u);
  const auto folded_to = static_cast<JournalNumber>(Count("SELECT value FROM meta WHERE name = 'folded_to'"));
  std::erase_if(given, [&](const Record& record) { return record.number > folded_to; });
  std::sort(given.begin(), given.end(), [](const Record& a, const Record& b) {
    return a.time_us != b.time_us ? a.time_us < b.time_us : a.number < b.number;
  });
  for (const RollupLevel level : {RollupLevel::kMinute, RollupLevel::kQuarter, RollupLevel::kHour, RollupLevel::kDay}) {
    BucketMaker maker(level, Zone{60, true}, false);
    for (const Record& record : given) maker.Add(record);
    EXPECT_EQ(*reader->ReadRollups(1, level, 0, INT64_MAX, 10000), maker.buckets());
  }
}

// tools/read_history.py knows the files from their documents alone.
TEST_F(StoreAdminTest, TheScriptReadsAllWithoutVesta) {
  auto store = OpenStore(path_, SmallFolds());
  Fill(*store, 1, 450);
  CommitUnit unit;
  unit.batches.emplace_back();
  const Value values[] = {Value::OfReal(0.1), Value::OfReal(-2.5),     Value::OfText("caf\xC3\xA9"), Value::OfState(7),
                          Value::None(),      Value::OfDecimal(-5, 2), Value::OfDecimal(-5, -3)};
  for (JournalNumber number = 451; number <= 600; ++number) {
    unit.batches[0].Add(MakeRecord(number, 1, kStart_us + 1000, values[number % std::size(values)]));
  }
  ASSERT_TRUE(store->Commit(unit).has_value());
  FoldAll(*store);
  unit.batches[0] = {};
  for (JournalNumber number = 601; number <= 620; ++number) {
    unit.batches[0].Add(MakeRecord(number, 1, kStart_us + 1000, values[number % std::size(values)]));
  }
  ASSERT_TRUE(store->Commit(unit).has_value());
  const std::string command = std::string(VESTA_SOURCE_DIR) + "/tools/read_history.py " + path_ + " 2>&1";
  FILE* const pipe = popen(command.c_str(), "r");
  std::string out(100000, '\0');
  out.resize(std::fread(out.data(), 1, out.size(), pipe));
  EXPECT_EQ(pclose(pipe), 0) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 620);
  EXPECT_THAT(out, HasSubstr("\n2,2,d,2,1754899201000000,1.4,ok\r\n"));
  for (const int base : {455, 609}) {  // in a block, and in the journal; both are 0 in the list of values
    const auto line = [&](int offset, const std::string& text) {
      EXPECT_THAT(out, HasSubstr("\n" + std::to_string(base + offset) + ",1,d,1,1754899200001000," + text + ",ok\r\n"));
    };
    line(0, "0.1");
    line(1, "-2.5");
    line(2, "caf\xC3\xA9");
    line(3, "7");
    line(4, "");
    line(5, "-500");
    line(6, "-0.005");
  }
}

std::string SqlOfVersion2() {
  std::ifstream in(std::string(VESTA_SOURCE_DIR) + "/hub/store/testing/store_v2.sql");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_F(StoreAdminTest, AFileOfFormat2IsBroughtUpToDateAndLosesNothing) {
  std::vector<std::string> before;
  const auto rows = [&] {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    if (db->Execute(SqlOfVersion2().c_str()) != SQLITE_OK) std::abort();
    return db->Integer("SELECT count(*) FROM reading").value();
  }();
  ASSERT_EQ(rows, 95);
  EXPECT_EQ(SqliteReader::Open(path_, "").error().kind, StoreErrorKind::kWrongVersion);
  for (int i = 0; i < 2; ++i) {
    auto store = OpenStore(path_, SmallFolds(20));
    auto reader = std::move(*store->OpenReader());
    const auto all = reader->ReadJournal(0, 1000);
    ASSERT_EQ(all->records.size(), 95u);
    EXPECT_EQ(all->records[0].frame, 1u);
    EXPECT_EQ(all->records[90].value.text(), "it's \xC3\xA9");
    EXPECT_EQ(all->records[94].value.real(), 0.25);
    EXPECT_EQ(all->records[8].quality, ValueQuality::kSuspect);
    EXPECT_EQ(reader->ReadRange(5, 0, INT64_MAX, 10)->records.size(), 2u);
    EXPECT_EQ(reader->ReadFrameRecords(1)->records.size(), 2u);
    const auto state = store->Restore();
    EXPECT_EQ(state->devices.size(), 2u);
    EXPECT_EQ(state->positions.at(0).second, 40u);
    EXPECT_EQ(state->beds.size(), 1u);
    EXPECT_EQ(state->last_number, 95u);
    EXPECT_EQ(state->reserved_numbers_end, 16777217u);
    EXPECT_EQ(reader->ReadRollups(2, RollupLevel::kDay, 0, INT64_MAX, 10)->at(0).IncreaseValue(),
              Value::OfDecimal(29, -3));
    EXPECT_EQ(Count("PRAGMA user_version"), kStoreVersion);
    EXPECT_EQ(Count("SELECT count(*) FROM sqlite_master WHERE name IN ('reading', 'timeline')"), 0);
  }
}

}  // namespace
}  // namespace vesta::hub
