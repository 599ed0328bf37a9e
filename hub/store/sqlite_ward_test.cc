#include <gtest/gtest.h>

#include "hub/store/sqlite_store.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

TEST(SqliteWard, BedsAndDecodersComeBack) {
  TemporaryFolder folder;
  const std::string path = folder.File("vesta.db");
  {
    auto store = OpenStore(path);
    CommitUnit unit;
    unit.beds = {{1, 7, "Bed 1", 1000, kNoTime, "local"}, {2, 8, "Bed '2'", -5, 99, "token:ward"}};
    unit.decoders = {{1, "bed-1", 1, 10, "vesta 1 medibus", "builtin-1/aa"}};
    ASSERT_TRUE(store->Commit(unit));
    CommitUnit ended;
    ended.beds = {{1, 7, "Bed 1", 1000, 2000, "session:ab"}};
    ASSERT_TRUE(store->Commit(ended));
  }
  auto store = OpenStore(path);
  const auto state = store->Restore();
  ASSERT_TRUE(state) << state.error().text;
  ASSERT_EQ(state->beds.size(), 2u);
  EXPECT_EQ(state->beds[0].end_us, 2000);
  EXPECT_EQ(state->beds[0].by, "session:ab");
  EXPECT_EQ(state->beds[1].bed, "Bed '2'");
  EXPECT_EQ(state->beds[1].begin_us, -5);
  ASSERT_EQ(state->decoders.size(), 1u);
  EXPECT_EQ(state->decoders[0].decoder, "vesta 1 medibus");
  EXPECT_EQ(state->decoders[0].tables, "builtin-1/aa");
}

// A file of a program that did not know these tables yet.
TEST(SqliteWard, AnOlderFileGetsTheTables) {
  TemporaryFolder folder;
  const std::string path = folder.File("vesta.db");
  OpenStore(path);
  {
    auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
    ASSERT_EQ(db->Execute("DROP TABLE bed_stay; DROP TABLE decoder"), SQLITE_OK);
  }
  auto store = OpenStore(path);
  CommitUnit unit;
  unit.beds = {{1, 7, "Bed 1", 1000, kNoTime, "local"}};
  ASSERT_TRUE(store->Commit(unit));
  EXPECT_EQ(store->Restore()->beds.size(), 1u);
}

TEST(SqliteWard, ARowDeletedByHandIsTold) {
  TemporaryFolder folder;
  const std::string path = folder.File("vesta.db");
  {
    auto store = OpenStore(path);
    CommitUnit unit;
    unit.beds = {{1, 7, "Bed 1", 1000, 1500, "local"}, {2, 7, "Bed 2", 2000, kNoTime, "local"}};
    ASSERT_TRUE(store->Commit(unit));
  }
  {
    auto db = SqliteDb::Open(path, SQLITE_OPEN_READWRITE, "");
    ASSERT_EQ(db->Execute("DELETE FROM bed_stay WHERE id = 1"), SQLITE_OK);
  }
  const auto state = OpenStore(path)->Restore();
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().text.find("bed_stay"), std::string::npos);
}

}  // namespace
}  // namespace vesta::hub
