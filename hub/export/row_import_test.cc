// Our own exports come back as they went, and nothing comes twice.
#include "hub/export/row_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "hub/export/csv_reader.h"
#include "hub/export/export_test_data.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr StateName kModes[] = {{1, "air"}, {2, "skin"}};
constexpr Field kAir{"air_temp", Quantity::kTemperature, Unit::kCelsius, 1};
constexpr Field kMode{"my_mode", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kFast, false, kModes};
constexpr Field kTexts{"texts", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText};
constexpr Field kReal{"my_real", Quantity::kLevel, Unit::kNone, 0};

// Texts that are hard to carry.
constexpr const char* kHard[] = {"plain",           "",   "=1+1", "'quoted", "a,b;\"c\"\r\nd", "tab\tend ",
                                 "\xFF\xFE broken", "\n", "grün"};

void AddBed(ExportData& data, int minutes) {
  const SeriesId air = data.AddSeries("medibus", "B1", kAir, DeviceKind::kIncubator);
  const SeriesId mode = data.AddSeries("medibus", "B1", kMode, DeviceKind::kIncubator);
  const SeriesId texts = data.AddSeries("medibus", "B1", kTexts, DeviceKind::kIncubator);
  const SeriesId real = data.AddSeries("medibus", "B1", kReal, DeviceKind::kIncubator);
  for (int i = 0; i < minutes; ++i) {
    const UtcUs time_us = kExportStart_us + i * 60 * kUsPerSecond;
    data.Add(air, time_us, Value::OfDecimal(3650 + i % 7, -2), i % 5 == 0 ? ValueQuality::kSuspect : ValueQuality::kOk,
             i % 3 == 0 ? kReadingLate | kReadingRepaired : 0);
    data.Add(mode, time_us, Value::OfState(static_cast<uint32_t>(i % 4)));
    data.Add(texts, time_us, Value::OfText(kHard[static_cast<size_t>(i) % std::size(kHard)]), ValueQuality::kOk, 0,
             static_cast<uint16_t>(i % 2));
    data.Add(real, time_us, Value::OfReal(1.0 / (i + 1)));
  }
  data.Add(air, kExportStart_us - kUsPerSecond, Value::None(), ValueQuality::kUnavailable);
  data.Add(air, kExportStart_us - 2 * kUsPerSecond, Value::OfDecimal(INT64_MIN, -18));
  data.Add(real, kExportStart_us - kUsPerSecond, Value::OfReal(std::numeric_limits<double>::infinity()));
}

class RowImport : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = folder_.File("export");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string Export(ExportData& data, ExportFormat format) {
    ExportRequest request;
    request.format = format;
    return data.Export(request);
  }
  RowImportReport Import(const std::string& text, ExportFormat format, const std::string& folder) {
    const auto report = ImportRows(format, Write(text), folder, [](uint64_t) {});
    EXPECT_TRUE(report) << report.error();
    return report.value_or(RowImportReport());
  }
  std::string Refusal(const std::string& text, ExportFormat format) {
    const auto report = ImportRows(format, Write(text), other_.File(""), [](uint64_t) {});
    return report ? "taken" : report.error();
  }
  // Without the journal's numbers, which are the hub's own.
  static std::string WithoutNumbers(const std::string& lines) {
    std::string out;
    for (const std::string& line : LinesOf(lines, "\n")) {
      const size_t at = line.rfind(",\"number\":");
      out += (at == std::string::npos ? line : line.substr(0, at) + "}") + "\n";
    }
    return out;
  }

  TemporaryFolder folder_;
  TemporaryFolder other_;
};

TEST_F(RowImport, JsonLinesGoIntoAnEmptyFolderAndComeOutTheSame) {
  ExportData data;
  AddBed(data, 5000);
  const std::string went = Export(data, ExportFormat::kJsonLines);
  const RowImportReport first = Import(went, ExportFormat::kJsonLines, other_.File(""));
  EXPECT_EQ(first.rows, 20003u);
  EXPECT_EQ(first.readings, 20003u);
  EXPECT_EQ(first.rejected_rows, 0u);
  EXPECT_THAT(first.notes, ElementsAre());

  auto opened = OpenDataFolder(other_.File(""));
  ASSERT_TRUE(opened) << opened.error();
  ExportRequest request;
  request.format = ExportFormat::kJsonLines;
  const auto exporter = MakeExporter(*PlanExport(request, opened->devices, opened->series));
  std::string came;
  while (*exporter->Next(*opened->reader, &came)) {
  }
  EXPECT_TRUE(WithoutNumbers(came) == WithoutNumbers(went)) << came.substr(0, 2000);

  const RowImportReport again = Import(went, ExportFormat::kJsonLines, other_.File(""));
  EXPECT_EQ(again.readings, 0u);
  EXPECT_EQ(again.already_there, 20003u);
}

TEST_F(RowImport, AnExportImportedWhereItCameFromAddsNothing) {
  for (const ExportFormat format : {ExportFormat::kCsv, ExportFormat::kJsonLines}) {
    ExportData data;
    AddBed(data, 100);
    const std::string went = Export(data, format);
    data.Close();
    const RowImportReport report = Import(went, format, data.folder());
    EXPECT_EQ(report.rows, 403u);
    EXPECT_EQ(report.readings, 0u);
    EXPECT_EQ(report.already_there, 403u);
  }
}

TEST_F(RowImport, CsvFillsTheHistoryOfDevicesThatTheHubKnows) {
  ExportData data;
  AddBed(data, 100);
  const std::string went = Export(data, ExportFormat::kCsv);
  ExportData fresh;
  fresh.AddSeries("medibus", "B1", kMode, DeviceKind::kIncubator);
  fresh.AddSeries("medibus", "B1", kReal, DeviceKind::kIncubator);
  fresh.Close();
  const RowImportReport report = Import(went, ExportFormat::kCsv, fresh.folder());
  EXPECT_EQ(report.readings, 403u) << "air_temp and texts are in the table of the protocol";
  std::vector<std::string> before = LinesOf(went);
  std::vector<std::string> after = LinesOf(fresh.Export(ExportRequest()));
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  EXPECT_TRUE(after == before);
}

TEST_F(RowImport, WrongRowsAreNamedWithTheirLineAndTheOthersTaken) {
  ExportData data;
  AddBed(data, 0);
  std::string csv = Export(data, ExportFormat::kCsv);
  csv +=
      "2025-08-10T22:00:00Z,medibus_b1,medibus,texts,text,\"two\r\nlines\",,,ok,device,,0,\r\n"
      "yesterday,medibus_b1,medibus,air_temp,decimal,36.5,,,ok,device,,0,\r\n"
      "2025-08-10T22:00:00Z,medibus_b2,medibus,air_temp,decimal,36.5,,,ok,device,,0,\r\n"
      "2025-08-10T22:00:00Z,medibus_b1,medibus,air_temp,decimal,36;5,,,ok,device,,0,\r\n"
      "2025-08-10T22:00:00Z,medibus_b1,medibus,no_field,decimal,36.5,,,ok,device,,0,\r\n"
      "2025-08-10T22:00:00Z,medibus_b1,medibus\r\n"
      "2025-08-10T22:00:00Z,medibus_b1,medibus,air_temp,decimal,36.5,,,fine,device,,0,\r\n"
      "\n#error the disk is gone\n";
  data.Close();
  const RowImportReport report = Import(csv, ExportFormat::kCsv, data.folder());
  EXPECT_EQ(report.readings, 1u);
  EXPECT_EQ(report.already_there, 3u);
  EXPECT_EQ(report.rejected_rows, 7u);
  // Header and three rows are lines 1 to 4; the text takes lines 5 and 6.
  EXPECT_THAT(report.named,
              ElementsAre(Pair(7u, HasSubstr("the time is \"yesterday\"")), Pair(8u, HasSubstr("medibus_b2")),
                          Pair(9u, HasSubstr("the value is \"36;5\"")), Pair(10u, HasSubstr("no field no_field")),
                          Pair(11u, HasSubstr("3 cells")), Pair(12u, HasSubstr("the quality is \"fine\"")),
                          Pair(14u, HasSubstr("cut off here: #error the disk is gone"))));
}

TEST_F(RowImport, WrongJsonLinesAreNamed) {
  ExportData data;
  AddBed(data, 0);
  std::string lines = Export(data, ExportFormat::kJsonLines);
  const size_t good = LinesOf(lines, "\n").size();
  lines +=
      "{\"time\":\"2025-08-10T22:00:00Z\",\"device\":\"medibus_b1\"\n"
      "{\"time\":\"2025-08-10T22:00:00Z\",\"device\":\"medibus_b1\",\"field\":\"air_temp\",\"value\":{\"a\":1}}\n"
      "{\"device\":{\"key\":\"x\"}}\n"
      "[]\n";
  const RowImportReport report = Import(lines, ExportFormat::kJsonLines, other_.File(""));
  EXPECT_EQ(report.readings, 3u);
  EXPECT_THAT(
      report.named,
      ElementsAre(Pair(good + 1, HasSubstr("no reading")), Pair(good + 2, HasSubstr("no reading")),
                  Pair(good + 3, HasSubstr("does not tell of a device")), Pair(good + 4, HasSubstr("no reading"))));
}

TEST_F(RowImport, WhatIsNoExportIsRefused) {
  EXPECT_THAT(Refusal("", ExportFormat::kCsv), HasSubstr("the header is missing"));
  EXPECT_THAT(Refusal("a,b,c\n1,2,3\n", ExportFormat::kCsv), HasSubstr("the column time is missing"));
  EXPECT_THAT(Refusal("", ExportFormat::kJsonLines), HasSubstr("no export as jsonl"));
  EXPECT_THAT(Refusal("{\"vesta_export\":2}\n", ExportFormat::kJsonLines), HasSubstr("no export as jsonl"));
  EXPECT_THAT(Refusal("{\"vesta_export\":1,\"pseudonymous\":true}\n", ExportFormat::kJsonLines),
              HasSubstr("pseudonymous"));
}

TEST_F(RowImport, ALostQuoteDoesNotEatTheMemory) {
  std::string csv = "time,device,protocol,field,kind,value,name,unit,quality,time_from,flags,index,received\r\n\"";
  csv += std::string(3 * kMaxCsvRowBytes, 'x');
  const RowImportReport report = Import(csv, ExportFormat::kCsv, other_.File(""));
  EXPECT_THAT(report.named, ElementsAre(Pair(2u, HasSubstr("has no end"))));
}

TEST(CsvReader, RowsMayBeCutAnywhere) {
  const std::string text = "a,\"b\"\"c\",\r\n\"x\r\ny\",2,3\n\nlast,,";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    CsvReader reader;
    std::vector<std::vector<std::string>> rows;
    std::vector<uint64_t> lines;
    std::vector<std::string> cells;
    size_t at = 0;
    for (CsvReader::Result result = reader.Next(&cells); result != CsvReader::Result::kEnd;
         result = reader.Next(&cells)) {
      if (result == CsvReader::Result::kRow) {
        rows.push_back(cells);
        lines.push_back(reader.line());
      } else if (at < text.size()) {
        reader.Feed(std::string_view(text).substr(at, piece));
        at += piece;
      } else {
        reader.Finish();
      }
    }
    EXPECT_THAT(rows, ElementsAre(ElementsAre("a", "b\"c", ""), ElementsAre("x\r\ny", "2", "3"), ElementsAre(""),
                                  ElementsAre("last", "", "")));
    EXPECT_THAT(lines, ElementsAre(1u, 2u, 4u, 5u));
  }
}

}  // namespace
}  // namespace vesta::hub
