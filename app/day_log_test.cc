// Day files of the original server, in and out again.
#include "app/day_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hub/export/exporter.h"
#include "hub/export/open_data.h"
#include "hub/nodes/network.h"
#include "hub/store/temporary_store.h"

namespace vesta::app {
namespace {

constexpr char kNetwork[] = R"({"format": "vesta-network", "version": 1, "hub": {"id": 10, "network": 7},
  "nodes": [{"protocol": "vesta-2025", "number": 2, "devices": [{"id": 7, "type": "thermometer"}]}]})";
constexpr char kDay[] = R"({"Data":[
  {"ID":"ESP8266","UID":"2026-02-28T23:15:00","F1_2_7":"20.53","F1_2_8":"19.00"},
  {"ID":"ESP8266","UID":"2026-02-28T23:30:01","F1_2_7":"20.50","F2_2_7":"21.50"},
  {"ID":"ESP8266","UID":"2026-03-01T12:00:00","F1_2_7":"-3.25"}]})";

std::string Export(const std::string& folder) {
  auto data = hub::OpenDataFolder(folder);
  EXPECT_TRUE(data.has_value()) << data.error();
  hub::ExportRequest request;
  request.format = hub::ExportFormat::kDayLog;
  const auto plan = hub::PlanExport(std::move(request), data->devices, data->series);
  EXPECT_TRUE(plan.has_value());
  const auto exporter = hub::MakeExporter(*plan);
  std::string text;
  while (true) {
    const auto more = exporter->Next(*data->reader, &text);
    EXPECT_TRUE(more.has_value());
    if (!more || !*more) return text;
  }
}

TEST(DayLog, ComesBackAsItWent) {
  hub::TemporaryFolder folder;
  std::vector<std::string> problems;
  const auto network = hub::ReadNetwork(kNetwork, &problems);
  ASSERT_TRUE(network.has_value());
  std::string file = folder.File("2026_03_01.JSN");
  std::ofstream(file) << kDay;
  for (const char* const name : {"first", "second"}) {
    const std::string data = folder.File(name);
    std::filesystem::create_directory(data);
    const auto report = ImportDayLogs({file}, data, *network);
    ASSERT_TRUE(report.has_value()) << report.error();
    EXPECT_EQ(report->imported, 5u);
    const std::string text = Export(data);
    EXPECT_EQ(nlohmann::json::parse(text), nlohmann::json::parse(kDay)) << text;
    file = folder.File("again.JSN");
    std::ofstream(file) << text;
  }
}

// Readings of a live node: a row is what a quarter came to, at its end.
TEST(DayLog, IsMadeOfQuartersOfAnHour) {
  hub::TemporaryFolder folder;
  {
    auto store = hub::OpenStore(folder.File("vesta.db"));
    hub::CommitUnit unit;
    hub::Device& device = unit.devices.emplace_back();
    device.id = 1;
    device.key = "nodes_vesta-3-9";
    device.protocol = "nodes";
    device.identity = "vesta-3-9";
    const char* const fields[] = {"temperature", "heating", "humidity"};
    for (hub::SeriesId id = 1; id <= 3; ++id) {
      hub::Series& series = unit.series.emplace_back();
      series.id = id;
      series.device = 1;
      series.field.key = fields[id - 1];
    }
    hub::RecordBatch& batch = unit.batches.emplace_back();
    const UtcUs start_us = 1772323200 * kUsPerSecond;  // 2026-03-01T00:00:00Z
    hub::JournalNumber number = 0;
    for (int minute = 0; minute < 30; ++minute) {
      const UtcUs time_us = start_us + minute * 60 * kUsPerSecond;
      batch.Add(hub::MakeRecord(++number, 1, time_us, Value::OfDecimal(200 + minute, -1)));
      // Five minutes of the first quarter, all of the second.
      batch.Add(hub::MakeRecord(++number, 2, time_us, Value::OfState(minute >= 10 ? 1 : 0)));
      batch.Add(hub::MakeRecord(++number, 3, time_us, Value::OfInteger(50)));
    }
    ASSERT_TRUE(store->Commit(unit).has_value());
  }
  const auto rows = nlohmann::json::parse(Export(folder.File("")));
  EXPECT_EQ(rows, nlohmann::json::parse(R"({"Data":[
    {"ID":"ESP8266","UID":"2026-03-01T00:15:00","F1_3_9":"20.70","U1_3_9":"0.71"},
    {"ID":"ESP8266","UID":"2026-03-01T00:30:00","F1_3_9":"22.20","U1_3_9":"0.00"}]})"));
}

}  // namespace
}  // namespace vesta::app
