// A file of format 2 is brought up to date while the power goes again and again: each reading is there once at the end,
// and the next start goes on where the last one was cut.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>

#include "hub/store/temporary_store.h"
#include "tests/crash/power_cut_vfs.h"

namespace vesta::hub {
namespace {

constexpr char kPath[] = "/disk/vesta.db";
constexpr JournalNumber kReadings = 1500;

SqliteStoreOptions Options(const PowerCutVfs& disk) {
  SqliteStoreOptions options = SmallFolds(200);
  options.vfs = disk.name();
  return options;
}

PowerCutVfs::Image OldFile() {
  PowerCutVfs disk("old-file");
  std::ifstream in(std::string(VESTA_SOURCE_DIR) + "/hub/store/testing/store_v2.sql");
  const std::string sql((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  {
    auto db = SqliteDb::Open(kPath, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.name());
    EXPECT_EQ(db->Execute(sql.c_str()), SQLITE_OK);
    EXPECT_EQ(
        db->Execute("WITH RECURSIVE n(i) AS (SELECT 96 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
                    " INSERT INTO reading SELECT i, i % 2 + 1, 1754900100000000 + i * 1000000, 0, 1, 0, -1, i FROM n"),
        SQLITE_OK);
  }
  return disk.Save();
}

// "" when all is well.
std::string Verify(const PowerCutVfs& disk) {
  auto store = SqliteStore::Open(kPath, Options(disk));
  if (!store) return store.error().text;
  const auto all = (*(*store)->OpenReader())->ReadJournal(0, 1'000'000);
  if (!all) return all.error().text;
  if (all->records.size() != kReadings) return std::to_string(all->records.size()) + " readings";
  for (JournalNumber number = 1; number <= kReadings; ++number) {
    const Record& record = all->records[number - 1];
    if (record.number != number) return "number " + std::to_string(record.number) + " in the place of another";
    if (number > 95 && !(record.value == Value::OfDecimal(static_cast<int64_t>(number), -1))) return "another value";
  }
  const auto days = (*(*store)->OpenReader())->ReadRollups(2, RollupLevel::kDay, 0, INT64_MAX, 10);
  uint64_t count = 0;
  for (const RollupBucket& day : *days) count += day.count;
  return count == 30 + 702 ? "" : std::to_string(count) + " readings in the roll-ups";
}

TEST(Migration, PowerCutsLoseNothingAndItGoesOn) {
  spdlog::set_level(spdlog::level::off);
  const PowerCutVfs::Image old = OldFile();
  uint64_t points = 0;
  {
    PowerCutVfs disk("migration");
    disk.Load(old);
    ASSERT_EQ(Verify(disk), "");
    points = disk.points();
  }
  ASSERT_GT(points, 40u);
  // All points in full size; a sample of them otherwise.
  const uint64_t step = std::getenv("VESTA_FULL_SIZE") != nullptr ? 1 : points / 25;
  for (uint64_t point = 1; point < points; point += step) {
    PowerCutVfs disk("migration");
    disk.Load(old);
    for (int cut = 0; cut < 2; ++cut) {
      disk.CutAt(cut == 0 ? point : 1 + point / 2);
      (void)SqliteStore::Open(kPath, Options(disk));
      disk.Reboot(static_cast<uint32_t>(point * 7 + static_cast<uint64_t>(cut)));
    }
    EXPECT_EQ(Verify(disk), "") << "cut at " << point;
  }
  spdlog::set_level(spdlog::level::info);
}

}  // namespace
}  // namespace vesta::hub
