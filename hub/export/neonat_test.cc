#include "hub/export/neonat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/export/export_test_data.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A table as one of the original's programs made it.
class Original {
 public:
  explicit Original(const std::string& path, bool older = true)
      : db_(*SqliteDb::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "")), older_(older) {
    Run(older ? "CREATE TABLE donnees (id INTEGER PRIMARY KEY AUTOINCREMENT, unique_id TEXT, timestamp DATE, T_periph "
                "TEXT,"
                " T_centr TEXT, humidite TEXT, t_air TEXT, rwp TEXT, d_skin TEXT, lum TEXT, NL TEXT, CHP TEXT, W_date "
                "TEXT)"
              : "CREATE TABLE donnees (id INTEGER PRIMARY KEY AUTOINCREMENT, unique_id TEXT, timestamp DATE,"
                " T_centr TEXT, humidite TEXT, t_air TEXT, rwp TEXT, d_skin TEXT, lum TEXT, CHP TEXT, W_date TEXT)");
  }
  void Row(const std::string& values) { Run("INSERT INTO donnees VALUES (NULL, " + values + ")"); }
  void Good(const std::string& stamp) {
    Row("'a1b2c3d4e5f6', '" + stamp +
        "', '30.8', '31.6', ' 18 ', '33.3', '   0', ' 0.8', ' 176', '  53', '   4', ' 101'");
  }
  void Run(const std::string& sql) { ASSERT_EQ(db_.Execute(sql.c_str()), SQLITE_OK) << sqlite3_errmsg(db_.get()); }

 private:
  SqliteDb db_;
  bool older_;
};

class Neonat : public testing::Test {
 protected:
  NeonatReport Import() {
    NeonatImportOptions options;
    options.file = files_.File("rea.db");
    options.folder = data_.File("");
    auto report = ImportNeonat(options, [this](uint64_t done, uint64_t) { progress_ = done; });
    EXPECT_TRUE(report) << report.error();
    return report ? *report : NeonatReport();
  }
  std::vector<std::string> Csv() {
    auto data = OpenDataFolder(data_.File(""));
    auto exporter = MakeExporter(*PlanExport({}, data->devices, data->series));
    std::string text;
    while (*exporter->Next(*data->reader, &text)) {
    }
    return LinesOf(text);
  }

  TemporaryFolder files_;
  TemporaryFolder data_;
  uint64_t progress_ = 0;
};

TEST_F(Neonat, KeepsValuesTimesAndDigits) {
  Original(files_.File("rea.db")).Good("2023/07/07 16:34:41");
  const NeonatReport report = Import();
  EXPECT_EQ(report.rows, 1u);
  EXPECT_EQ(report.readings, 10u);
  EXPECT_EQ(report.shifted_rows, 0u);
  const auto lines = Csv();
  EXPECT_THAT(lines[1], HasSubstr("2023-07-07T14:34:41Z,medibus_neonat_a1b2c3d4e5f6_unidentified"));
  EXPECT_THAT(lines[1],
              HasSubstr(",medibus,skin_temp_peripheral,decimal,30.8,,°C,ok,device,late,0,2023-07-07T14:34:41Z"));
  EXPECT_THAT(lines[10], HasSubstr(",weight_date,text,01-01,"));
}

TEST_F(Neonat, ASecondRunImportsNothingTwice) {
  {
    Original table(files_.File("rea.db"));
    for (int i = 0; i < 60; ++i) table.Good("2023/07/07 16:34:" + std::to_string(i));
    // Two rows of one second, alike: the table has both, and so has the history.
    table.Good("2023/07/07 16:34:59");
  }
  EXPECT_EQ(Import().readings, 610u);
  const NeonatReport again = Import();
  EXPECT_EQ(again.readings, 0u);
  EXPECT_EQ(again.already_there, 610u);
  EXPECT_EQ(progress_, 61u);
  Original(files_.File("rea2.db"));
  EXPECT_EQ(Csv().size(), 611u);
}

TEST_F(Neonat, AnImportThatWasCutOffGoesOn) {
  {
    Original table(files_.File("rea.db"));
    table.Run("BEGIN");
    for (int i = 0; i < 3600; ++i) {
      table.Good("2023/07/07 16:" + std::to_string(i / 60) + ":" + std::to_string(i % 60));
    }
    table.Run("COMMIT");
  }
  NeonatImportOptions options;
  options.file = files_.File("rea.db");
  options.folder = data_.File("");
  struct CutOff {};
  EXPECT_THROW(static_cast<void>(ImportNeonat(options,
                                              [](uint64_t done, uint64_t) {
                                                if (done == 2000) throw CutOff();
                                              })),
               CutOff);
  const NeonatReport report = Import();
  EXPECT_GT(report.already_there, 10000u);
  EXPECT_EQ(report.already_there + report.readings, 36000u);
  EXPECT_EQ(Csv().size(), 36001u);
}

TEST_F(Neonat, FindsAndMarksShiftedRows) {
  {
    Original table(files_.File("rea.db"));
    table.Good("2023/07/07 16:34:41");
    // Cut one place too far: bits of codes stand among the digits.
    table.Row(
        "'a1', '2023/07/07 16:34:42', '0.86', '1.66', 'C 18', ' 6D3', '3.36', 'E   ', '0C2 ', '0.8E', '4 17', '6EC '");
    // All numbers, but in each other's columns.
    table.Row("'a1', '2023/07/07 16:34:43', '31.6', '18', '33.3', '0', '0.8', '176', '53', '4', '101', ' 101'");
    // Right numbers that do not belong together.
    table.Row("'a1', '2023/07/07 16:34:44', '30.8', '31.6', '18', '33.3', '0', '5.0', '176', '53', '4', '101'");
    table.Row("'a1', 'yesterday', '30.8', '31.6', '18', '33.3', '0', '0.8', '176', '53', '4', '101'");
    table.Row("'; DROP', '2023/07/07 16:34:45', '30.8', '31.6', '18', '33.3', '0', '0.8', '176', '53', '4', '101'");
  }
  const NeonatReport report = Import();
  EXPECT_EQ(report.rows, 6u);
  EXPECT_EQ(report.shifted_rows, 3u);
  EXPECT_EQ(report.rejected_rows, 2u);
  std::vector<int64_t> named;
  for (const auto& [id, reason] : report.named) named.push_back(id);
  EXPECT_THAT(named, ElementsAre(2, 3, 4, 5, 6));
  EXPECT_EQ(report.named[2].second, "d_skin is not T_centr minus T_periph");
  EXPECT_EQ(report.named[3].second, "timestamp \"yesterday\" is no time");
  size_t suspect = 0;
  for (const std::string& line : Csv()) {
    if (line.find(",suspect,") != std::string::npos) ++suspect;
    if (line.find("medibus_neonat_a1_unidentified") != std::string::npos) {
      EXPECT_THAT(line, HasSubstr(",suspect,"));
    }
  }
  EXPECT_EQ(suspect + report.rejected_values, 30u);
}

TEST_F(Neonat, TakesTheTableWithoutSomeColumns) {
  Original table(files_.File("rea.db"), false);
  table.Row("'a1', '2023/07/07 16:34:1', '31.6', ' 18 ', '33.3', '   0', ' 0.8', ' 176', '   4', NULL");
  const NeonatReport report = Import();
  EXPECT_EQ(report.shifted_rows, 0u);
  EXPECT_EQ(report.readings, 7u);
}

TEST_F(Neonat, SaysWhatAFileLacks) {
  {
    Original table(files_.File("rea.db"));
    table.Run("ALTER TABLE donnees RENAME TO autre");
  }
  NeonatImportOptions options;
  options.file = files_.File("rea.db");
  options.folder = data_.File("");
  EXPECT_THAT(ImportNeonat(options, [](uint64_t, uint64_t) {}).error(), HasSubstr("no table donnees"));
}

TEST_F(Neonat, WhatWasExportedComesBackTheSame) {
  {
    Original table(files_.File("rea.db"));
    for (int i = 0; i < 20; ++i) table.Good("2023/07/07 16:34:" + std::to_string(i));
    table.Good("2023/07/07 16:34:19");
  }
  Import();
  const auto rows = ExportNeonat(data_.File(""), {}, files_.File("out.db"), 120);
  ASSERT_TRUE(rows) << rows.error();
  EXPECT_EQ(*rows, 21u);
  EXPECT_FALSE(ExportNeonat(data_.File(""), {}, files_.File("out.db"), 120)) << "a file is never written over";
  auto db = *SqliteDb::Open(files_.File("out.db"), SQLITE_OPEN_READONLY, "");
  Statement row = db.Prepare("SELECT * FROM donnees WHERE id = 1");
  ASSERT_EQ(row.Step(), SQLITE_ROW);
  std::vector<std::string> cells;
  for (int i = 0; i < 13; ++i) cells.emplace_back(row.Text(i));
  EXPECT_THAT(cells, ElementsAre("1", "a1b2c3d4e5f6", "2023/07/07 16:34:00", "30.8", "31.6", "18", "33.3", "0", "0.8",
                                 "176", "53", "4", "101"));
  std::filesystem::rename(files_.File("out.db"), files_.File("rea.db"));
  const NeonatReport again = Import();
  EXPECT_EQ(again.readings, 0u) << "every value and time is the same";
  EXPECT_EQ(again.already_there, 210u);
}

}  // namespace
}  // namespace vesta::hub
