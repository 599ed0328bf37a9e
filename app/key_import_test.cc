#include "app/key_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/store/sqlite_db.h"
#include "hub/store/temporary_store.h"

namespace vesta::app {
namespace {

using testing::HasSubstr;

const std::string kKey = "adeccb947395801a4dd45a2eaa44bf17";

class KeyImportTest : public testing::Test {
 protected:
  std::string MakeDatabase(const std::string& sql) {
    const std::string path = folder_.File("app.sqlite");
    auto db = hub::SqliteDb::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    EXPECT_EQ(db->Execute(sql.c_str()), SQLITE_OK);
    return path;
  }
  hub::TemporaryFolder folder_;
};

TEST_F(KeyImportTest, TheAppsOwnTables) {
  const auto import = ReadKeysToImport(MakeDatabase(
      "CREATE TABLE macAddresses (macAddress INTEGER PRIMARY KEY, address TEXT);"
      "CREATE TABLE advertisementKeys (macAddress INTEGER, advertisementKey TEXT);"
      "INSERT INTO macAddresses VALUES (1, 'C0:FF:EE:11:22:33'), (2, '{763aeff5-1334-e64a-ab30-a0f478020fe1}');"
      "INSERT INTO advertisementKeys VALUES (1, '" +
      kKey + "'), (2, '" + kKey +
      "'), (1, 'short');"
      "CREATE TABLE networks (id TEXT, key BLOB, name TEXT);"
      "INSERT INTO networks VALUES ('a1b2', x'" +
      kKey + "', 'Boat');"));
  ASSERT_TRUE(import) << import.error();
  ASSERT_EQ(import->keys.size(), 3u);
  EXPECT_EQ(import->keys[0].id, "c0ffee112233");
  EXPECT_EQ(import->keys[0].key, kKey);
  EXPECT_EQ(import->keys[1].id, "");  // macOS
  EXPECT_EQ(import->keys[1].name, "");
  EXPECT_EQ(import->keys[2].id, "network-a1b2");
  EXPECT_EQ(import->keys[2].name, "Boat");
  EXPECT_EQ(import->left_out, 1u);
}

TEST_F(KeyImportTest, OnlyTheTableOfKeys) {
  const auto import =
      ReadKeysToImport(MakeDatabase("CREATE TABLE advertisementKeys (macAddress TEXT, advertisementKey TEXT);"
                                    "INSERT INTO advertisementKeys VALUES ('c0ffee112233', '" +
                                    kKey + "');"));
  ASSERT_TRUE(import);
  ASSERT_EQ(import->keys.size(), 1u);
  EXPECT_EQ(import->keys[0].id, "c0ffee112233");
}

TEST_F(KeyImportTest, AnotherDatabaseIsSaidToBeOne) {
  EXPECT_THAT(ReadKeysToImport(MakeDatabase("CREATE TABLE x (y)")).error(), HasSubstr("none of the tables"));
  EXPECT_THAT(ReadKeysToImport(folder_.File("none")).error(), HasSubstr("cannot read"));
}

TEST_F(KeyImportTest, TablesAsText) {
  const KeyImport import = ParseKeyTable("# from sqlite3\nid|key|name\na1b2|" + kKey + "|Boat\r\nC0:FF:EE:11:22:33,\"" +
                                         kKey + "\",Roof\n{763aeff5-1334}|" + kKey + "\n\n");
  ASSERT_EQ(import.keys.size(), 3u);
  EXPECT_EQ(import.keys[0].id, "network-a1b2");
  EXPECT_EQ(import.keys[0].name, "Boat");
  EXPECT_EQ(import.keys[1].id, "c0ffee112233");
  EXPECT_EQ(import.keys[1].name, "Roof");
  EXPECT_EQ(import.keys[2].id, "");
  EXPECT_EQ(import.left_out, 1u);
}

}  // namespace
}  // namespace vesta::app
