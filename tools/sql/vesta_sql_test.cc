// The extension as any tool uses it: open the file, load the extension, ask the view.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;

CommitUnit SomeUnit() {
  CommitUnit unit;
  Device& device = unit.devices.emplace_back();
  device.id = 1;
  device.key = "p1_meter";
  device.protocol = "p1";
  for (SeriesId id = 1; id <= 3; ++id) {
    Series& series = unit.series.emplace_back();
    series.id = id;
    series.device = 1;
    series.field.key = "field_" + std::to_string(id);
    series.field.unit = Unit::kVolt;
    if (id == 2) series.field.states = {{1, "low"}};
  }
  RecordBatch& batch = unit.batches.emplace_back();
  for (int i = 0; i < 9000; ++i) {
    const auto series = static_cast<SeriesId>(1 + i % 3);
    Record record = MakeRecord(i + 1, series, kStart_us + i / 3 * kUsPerSecond, Value::OfDecimal(23010 + i, -2));
    if (series == 2) record.value = Value::OfState(static_cast<uint32_t>(i % 2));
    if (series == 3) record.value = Value::OfText("it's");
    batch.Add(record);
  }
  return unit;
}

class SqlExtension : public ::testing::Test {
 protected:
  SqlExtension() {
    path_ = folder_.File("vesta.db");
    store_ = OpenStore(path_, SmallFolds(3000));
    EXPECT_TRUE(store_->Commit(SomeUnit()).has_value());
    FoldAll(*store_);
    // Beside the running store, and of what is not folded, too.
    EXPECT_EQ(sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  }
  ~SqlExtension() override { sqlite3_close(db_); }

  std::string Ask(const std::string& sql) {
    std::string answer;
    char* error = nullptr;
    const auto add = [](void* to, int columns, char** values, char**) {
      auto* const text = static_cast<std::string*>(to);
      for (int i = 0; i < columns; ++i) {
        *text += (i == 0 ? "" : "|") + std::string(values[i] == nullptr ? "NULL" : values[i]);
      }
      *text += "\n";
      return 0;
    };
    if (sqlite3_exec(db_, sql.c_str(), add, &answer, &error) != SQLITE_OK) answer = error;
    sqlite3_free(error);
    return answer;
  }
  void Load() {
    sqlite3_enable_load_extension(db_, 1);
    char* error = nullptr;
    ASSERT_EQ(sqlite3_load_extension(db_, VESTA_SQL_FILE, nullptr, &error), SQLITE_OK) << error;
  }

  TemporaryFolder folder_;
  std::string path_;
  std::unique_ptr<SqliteStore> store_;
  sqlite3* db_ = nullptr;
};

TEST_F(SqlExtension, ShowsReadingsAsRows) {
  EXPECT_NE(Ask("SELECT * FROM plain").find("vesta_reading"), std::string::npos) << "it can't work without";
  Load();
  EXPECT_EQ(Ask("SELECT time, device, field, value, digits, unit, quality FROM plain"
                " WHERE field = 'field_1' AND time_us < 1754900002000000"),
            "2025-08-11T08:13:20.000Z|p1_meter|field_1|230.1|230.10|V|ok\n"
            "2025-08-11T08:13:21.000Z|p1_meter|field_1|230.13|230.13|V|ok\n");
  EXPECT_EQ(Ask("SELECT count(*), sum(number) FROM plain"), "9000|40504500\n");
  EXPECT_EQ(Ask("SELECT count(*), round(avg(value), 3) FROM plain WHERE series = 1"), "3000|275.085\n");
  EXPECT_EQ(Ask("SELECT state, count(*) FROM plain WHERE series = 2 GROUP BY state ORDER BY 1"),
            "low|1500\nunknown(0)|1500\n");
  EXPECT_EQ(Ask("SELECT value FROM plain WHERE series = 3 LIMIT 1"), "it's\n");
  EXPECT_EQ(Ask("SELECT count(*) FROM vesta_reading(1754900010000000, 1754900020000000)"
                " WHERE series = 1"),
            "10\n");
  EXPECT_EQ(Ask("SELECT count(*) FROM vesta_reading WHERE series = 1 AND time_us > 1754900010000000"
                " AND time_us <= 1754900020000000"),
            "10\n");
  EXPECT_EQ(Ask("SELECT count(*) FROM plain WHERE series = 77"), "0\n");
}

}  // namespace
}  // namespace vesta::hub
