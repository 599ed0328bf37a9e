#include "hub/export/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "hub/export/cell.h"
#include "hub/export/export_test_data.h"

namespace vesta::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr StateName kTariffs[] = {{1, "low"}, {2, "normal"}};
constexpr Field kPower{"power", Quantity::kPower, Unit::kKilowatt, 3};
constexpr Field kVoltage{"voltage", Quantity::kVoltage, Unit::kVolt, 1};
constexpr Field kTariff{"tariff", Quantity::kMode, Unit::kNone, 0, FieldKind::kState, Pace::kSlow, false, kTariffs};
constexpr Field kFlag{"relay", Quantity::kMode, Unit::kNone, 0, FieldKind::kFlag};
constexpr Field kMessage{"message", Quantity::kMessage, Unit::kNone, 0, FieldKind::kText};
constexpr Field kSkin{"skin_temp_central", Quantity::kTemperature, Unit::kCelsius, 1};

ExportRequest Request(ExportFormat format) {
  ExportRequest request;
  request.format = format;
  return request;
}

constexpr char kKey[] = "0123456789abcdef0123456789abcdef";

void AddHouse(ExportData& data) {
  const SeriesId power = data.AddSeries("p1", "M1", kPower);
  const SeriesId voltage = data.AddSeries("p1", "M1", kVoltage);
  const SeriesId tariff = data.AddSeries("p1", "M1", kTariff);
  const SeriesId message = data.AddSeries("p1", "M1", kMessage);
  data.Add(power, kExportStart_us, Value::OfDecimal(1230, -3));
  data.Add(voltage, kExportStart_us, Value::OfDecimal(23010, -2));
  data.Add(tariff, kExportStart_us, Value::OfState(2));
  data.Add(message, kExportStart_us, Value::OfText("=HYPERLINK(\"http://x\")\r\n,\"q\""));
  data.Add(power, kExportStart_us + kUsPerSecond, Value::OfDecimal(-5, 0), ValueQuality::kSuspect, kReadingLate);
  data.Add(power, kExportStart_us + 2 * kUsPerSecond, Value::None(), ValueQuality::kUnavailable);
  data.Add(tariff, kExportStart_us + 2 * kUsPerSecond, Value::OfState(42));
}

TEST(ExportCsv, WritesEveryReadingWithItsExactDigits) {
  ExportData data;
  AddHouse(data);
  const std::vector<std::string> lines = LinesOf(data.Export(Request(ExportFormat::kCsv)));
  EXPECT_EQ(lines[0], "time,device,protocol,field,kind,value,name,unit,quality,time_from,flags,index,received");
  EXPECT_EQ(lines[1], "2025-08-10T22:00:00Z,p1_m1,p1,power,decimal,1.230,,kW,ok,device,,0,2025-08-10T22:00:00.250Z");
  EXPECT_EQ(lines[2],
            "2025-08-10T22:00:01Z,p1_m1,p1,power,decimal,-5,,kW,suspect,device,late,0,2025-08-10T22:00:01.250Z");
  EXPECT_EQ(lines[3], "2025-08-10T22:00:02Z,p1_m1,p1,power,none,,,kW,unavailable,device,,0,2025-08-10T22:00:02.250Z");
  EXPECT_THAT(lines[4], HasSubstr(",voltage,decimal,230.10,,V,ok,"));
  EXPECT_THAT(lines[5], HasSubstr(",tariff,state,2,normal,,ok,"));
  EXPECT_THAT(lines[6], HasSubstr(",tariff,state,42,unknown(0x2A),,ok,"));
  // The hostile text: quoted, and no formula.
  EXPECT_THAT(lines[7], HasSubstr(",message,text,\"'=HYPERLINK(\"\"http://x\"\")"));
  EXPECT_THAT(lines[8], HasSubstr(",\"\"q\"\"\",,,ok,"));
}

TEST(ExportCsv, GuardsWhatASpreadsheetWouldRun) {
  for (const std::string text : {"=1", "+1", "-1", "@x", "\t=1", "\r=1", "'x",
                                 "\xEF\xBC\x9D"
                                 "1"}) {
    std::string cell;
    AppendTextCell(text, &cell);
    ASSERT_TRUE(cell.starts_with("\"'")) << cell;
    const std::string inner = cell.substr(1, cell.size() - 2);
    EXPECT_EQ(UnguardText(inner), text);
  }
  std::string plain;
  AppendTextCell("plain", &plain);
  EXPECT_EQ(plain, "plain");
  std::string broken;
  AppendTextCell(std::string_view("a\xFF\0b", 4), &broken);
  EXPECT_EQ(broken,
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
}

TEST(ExportCsvWide, HasALineAnInstantAndAColumnAField) {
  ExportData data;
  AddHouse(data);
  const SeriesId other = data.AddSeries("p1", "M2", kPower);
  data.Add(other, kExportStart_us, Value::OfDecimal(7, 0));
  ExportRequest request = Request(ExportFormat::kCsvWide);
  request.fields = {"power", "voltage", "tariff"};
  EXPECT_THAT(
      LinesOf(data.Export(request)),
      ElementsAre("time,device,\"power [kW]\",\"voltage [V]\",tariff", "2025-08-10T22:00:00Z,p1_m1,1.230,230.10,normal",
                  "2025-08-10T22:00:01Z,p1_m1,,,",  // suspect
                  "2025-08-10T22:00:02Z,p1_m1,,,unknown(0x2A)", "2025-08-10T22:00:00Z,p1_m2,7,,"));
}

TEST(ExportJsonLines, EachLineIsAnObjectAndNumbersKeepTheirDigits) {
  ExportData data;
  AddHouse(data);
  const std::vector<std::string> lines = LinesOf(data.Export(Request(ExportFormat::kJsonLines)), "\n");
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_EQ(nlohmann::json::parse(lines[0])["vesta_export"], 1);
  const auto device = nlohmann::json::parse(lines[1])["device"];
  EXPECT_EQ(device["key"], "p1_m1");
  EXPECT_EQ(device["series"][2]["states"]["2"], "normal");
  EXPECT_THAT(lines[2], HasSubstr("\"value\":1.230,"));
  EXPECT_EQ(lines.size(), 2u + 7u);
}

TEST(Export, SpanDevicesAndFieldsAreChosen) {
  ExportData data;
  AddHouse(data);
  ExportRequest request = Request(ExportFormat::kCsv);
  request.from_us = kExportStart_us + kUsPerSecond;
  request.to_us = kExportStart_us + 2 * kUsPerSecond;
  EXPECT_EQ(LinesOf(data.Export(request)).size(), 2u);

  auto opened = OpenDataFolder(data.folder());
  request.devices = {"p1_nobody"};
  EXPECT_EQ(PlanExport(request, opened->devices, opened->series).error(), "there is no device p1_nobody");
}

TEST(Export, ManyReadingsOfOneTimeAreAllThereOnce) {
  ExportData data;
  const SeriesId power = data.AddSeries("p1", "M1", kPower);
  for (uint16_t i = 0; i < 3000; ++i) {
    data.Add(power, kExportStart_us, Value::OfInteger(i), ValueQuality::kOk, 0, i);
  }
  for (int i = 0; i < 1500; ++i) data.Add(power, kExportStart_us + 1 + i / 3, Value::OfInteger(i));
  EXPECT_EQ(LinesOf(data.Export(Request(ExportFormat::kCsv))).size(), 1u + 4500u);
}

TEST(Export, APseudonymousOneNamesNobody) {
  ExportData data;
  AddHouse(data);
  ExportRequest request = Request(ExportFormat::kJsonLines);
  request.privacy.emplace(kKey);
  const std::string text = data.Export(request);
  for (const char* telling :
       {"p1_m1", "M1", "S-M1", "cmd", "Model", "HYPERLINK", "2025-08-10", "\"number\"", "message"}) {
    EXPECT_THAT(text, Not(HasSubstr(telling)));
  }
  const Privacy privacy(kKey);
  EXPECT_THAT(text, HasSubstr(privacy.NameOf("p1_m1")));
  EXPECT_EQ(data.Export(request), text) << "the same key, the same export";
  request.privacy.emplace("another key of some length......");
  EXPECT_NE(data.Export(request), text);
}

TEST(Export, TheShiftIsWholeDaysAndOfTheDevice) {
  const Privacy privacy(kKey);
  constexpr int64_t kDay_us = 86400 * kUsPerSecond;
  EXPECT_EQ(privacy.ShiftUs("a") % kDay_us, 0);
  EXPECT_LT(privacy.ShiftUs("a"), 0);
  EXPECT_NE(privacy.ShiftUs("a"), privacy.ShiftUs("b"));
  EXPECT_EQ(privacy.ShiftUs("a"), Privacy(kKey).ShiftUs("a"));
  // printf 'vesta device\0p1_m1' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
  EXPECT_EQ(privacy.NameOf("p1_m1"), "d-997fc2692286b4aaf42c8787");
}

TEST(ExportFhir, IsABundleOfDevicesAndObservations) {
  ExportData data;
  AddHouse(data);
  const SeriesId skin = data.AddSeries("medibus", "bed 1", kSkin, DeviceKind::kIncubator);
  const SeriesId relay = data.AddSeries("p1", "M1", kFlag);
  const SeriesId real = data.AddSeries("p1", "M1", {"real", Quantity::kNone, Unit::kNone, 0});
  data.Add(skin, kExportStart_us, Value::OfDecimal(360, -1));
  data.Add(relay, kExportStart_us, Value::OfState(1));
  data.Add(real, kExportStart_us, Value::OfReal(std::numeric_limits<double>::quiet_NaN()));
  const std::string text = data.Export(Request(ExportFormat::kFhir));
  EXPECT_THAT(text,
              HasSubstr("\"value\":36.0,\"unit\":\"°C\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"Cel\""));
  const auto bundle = nlohmann::json::parse(text);
  EXPECT_EQ(bundle["resourceType"], "Bundle");
  EXPECT_EQ(bundle["entry"].size(), 2u + 10u);
  std::map<std::string, nlohmann::json> by_code;
  for (const auto& entry : bundle["entry"]) {
    if (entry["resource"]["resourceType"] != "Observation") continue;
    EXPECT_EQ(entry["resource"]["device"]["reference"],
              bundle["entry"][entry["resource"]["code"]["coding"].size() == 2 ? 1 : 0]["fullUrl"]);
    by_code[entry["resource"]["code"]["coding"].back()["code"]] = entry["resource"];
  }
  EXPECT_EQ(by_code["skin_temp_central"]["code"]["coding"][0]["code"], "60839-8");
  EXPECT_EQ(by_code["relay"]["valueBoolean"], true);
  EXPECT_EQ(by_code["real"]["dataAbsentReason"]["coding"][0]["code"], "not-a-number");
  EXPECT_EQ(by_code["power"]["dataAbsentReason"]["coding"][0]["code"], "unknown");
  EXPECT_EQ(by_code["tariff"]["valueCodeableConcept"]["coding"][0]["code"], "42");
}

uint64_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kib = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kib;
  }
  return kib;
}

TEST(Export, MemoryStaysTheSameForManyReadings) {
  ExportData data;
  std::vector<SeriesId> series;
  for (const char* name : {"a", "b", "c", "d"}) {
    series.push_back(data.AddSeries("p1", "M1", {name, Quantity::kPower, Unit::kWatt, 0}));
  }
  for (int i = 0; i < 100000; ++i) {
    for (const SeriesId id : series) data.Add(id, kExportStart_us + i * kUsPerSecond, Value::OfInteger(i));
  }
  data.Close();
  for (const ExportFormat format :
       {ExportFormat::kCsv, ExportFormat::kCsvWide, ExportFormat::kJsonLines, ExportFormat::kFhir}) {
    auto opened = OpenDataFolder(data.folder());
    const auto exporter = MakeExporter(*PlanExport(Request(format), opened->devices, opened->series));
    std::string piece;
    uint64_t bytes = 0;
    // The high-water mark is reset, so each format is measured for itself.
    std::ofstream("/proc/self/clear_refs") << "5";
    const uint64_t before_kib = ResidentKib();
    for (bool more = true; more;) {
      piece.clear();
      more = *exporter->Next(*opened->reader, &piece);
      bytes += piece.size();
    }
    EXPECT_EQ(exporter->readings(), 400000u);
    EXPECT_LT(ResidentKib() - before_kib, 6 * 1024u) << bytes << " bytes written";
  }
}

}  // namespace
}  // namespace vesta::hub
