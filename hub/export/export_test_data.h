// For the tests of this room: a store file with devices and readings, and the text of an export of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/export/exporter.h"
#include "hub/export/open_data.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {

inline constexpr UtcUs kExportStart_us = 1754863200ll * kUsPerSecond;  // 2025-08-10T22:00:00Z

class ExportData {
 public:
  ExportData() : store_(OpenStore(folder_.File("vesta.db"))) {}

  SeriesId AddSeries(const std::string& protocol, const std::string& identity, const Field& field,
                     DeviceKind kind = DeviceKind::kElectricityMeter) {
    DeviceInfo info;
    info.identity = identity;
    info.identity_on_wire = true;
    info.kind = kind;
    info.manufacturer = "=cmd|'/c calc'!A1";
    info.model = "Model \"T\"";
    info.serial = "S-" + identity;
    return directory.ResolveSeries(directory.Resolve(protocol, "test", info, 0), field);
  }
  void Add(SeriesId series, UtcUs time_us, Value value, ValueQuality quality = ValueQuality::kOk, uint8_t flags = 0,
           uint16_t index = 0) {
    Record record = MakeRecord(++number_, series, time_us, value);
    record.quality = quality;
    record.flags = flags;
    record.index = index;
    batch_.Add(record);
    if (batch_.records.size() >= 20000) Commit();
  }
  void Commit() {
    CommitUnit unit;
    const Directory::Changes changes = directory.TakeChanges();
    for (const DeviceId id : changes.devices) unit.devices.push_back(*directory.FindDevice(id));
    for (const SeriesId id : changes.series) unit.series.push_back(*directory.FindSeries(id));
    unit.batches.push_back(std::move(batch_));
    unit.reserved_numbers_end = number_ + 1;
    batch_ = {};
    EXPECT_TRUE(store_->Commit(unit));
  }
  std::string folder() const { return folder_.File(""); }
  // Closes the store: its folder may be opened by others.
  void Close() {
    Commit();
    store_.reset();
  }

  std::string Export(ExportRequest request) {
    if (store_) Commit();
    auto data = OpenDataFolder(folder());
    EXPECT_TRUE(data) << data.error();
    auto plan = PlanExport(std::move(request), data->devices, data->series);
    EXPECT_TRUE(plan) << plan.error();
    const auto exporter = MakeExporter(std::move(*plan));
    std::string text;
    bool more = true;
    while (more) {
      std::string piece;
      auto next = exporter->Next(*data->reader, &piece);
      EXPECT_TRUE(next);
      more = next && *next;
      EXPECT_LT(piece.size(), 2 * kPieceBytes);
      text += piece;
    }
    return text;
  }

  Directory directory;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
  RecordBatch batch_;
  JournalNumber number_ = 0;
};

inline std::vector<std::string> LinesOf(const std::string& text, const std::string& end = "\r\n") {
  std::vector<std::string> lines;
  size_t at = 0;
  for (size_t next = text.find(end); next != std::string::npos; next = text.find(end, at)) {
    lines.push_back(text.substr(at, next - at));
    at = next + end.size();
  }
  EXPECT_EQ(at, text.size()) << "the last line has no end";
  return lines;
}

}  // namespace vesta::hub
