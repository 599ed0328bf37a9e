// How fast readings get into PostgreSQL: the writer, with partitions, roll-up marks and position, against a bare COPY
// of the same rows into a table without anything. Both in one run, on one server.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>

#include "hub/postgres/reader.h"
#include "hub/postgres/test_server.h"
#include "hub/postgres/wire.h"
#include "hub/postgres/writer.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub::postgres {
namespace {

constexpr UtcUs kStart_us = 1786406400 * kUsPerSecond;  // 2026-08-11T00:00:00Z
constexpr SeriesId kFields = 28;
constexpr int kSeconds = 24 * 1024;
constexpr size_t kBatch = 16384;

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// A meter with 28 fields each second.
std::vector<RecordBatch> Meter() {
  std::vector<RecordBatch> batches(1);
  JournalNumber number = 0;
  for (int second = 0; second < kSeconds; ++second) {
    for (SeriesId series = 1; series <= kFields; ++series) {
      if (batches.back().records.size() == kBatch) batches.emplace_back();
      batches.back().Add(MakeRecord(++number, series, kStart_us + second * kUsPerSecond,
                                    Value::OfDecimal(23000 + (second * 7 + static_cast<int>(series) * 13) % 200, -2)));
    }
  }
  return batches;
}

int Run() {
  TestServer server({.fsync = true, .password = ""});
  const std::vector<RecordBatch> batches = Meter();
  const double readings = static_cast<double>(kFields) * kSeconds;
  server.Ask("public",
             "CREATE TABLE bare (number bigint, series integer, time timestamptz, delay_us bigint, frame bigint,"
             " marks integer, value numeric, text text)");
  Connection connection(server.Settings("public"));
  bool well = connection.Open().has_value();
  const double bare_s = Seconds([&] {
    for (const RecordBatch& batch : batches) {
      CopyRows rows;
      for (const Record& record : batch.records) AddReading(record, &rows);
      well = well && connection.CopyIn("COPY bare FROM STDIN (FORMAT binary)", rows.Finish()).has_value();
    }
  });
  Writer writer(server.Settings("vesta_bench"), "bench", {60, true});
  well = well && writer.Open().has_value();
  const double writer_s = Seconds([&] {
    for (const RecordBatch& batch : batches) well = well && writer.Write(batch, {}, {}).has_value();
  });
  const double rollup_s = Seconds([&] {
    while (well && *writer.RollUp(kStart_us + 2 * 86400 * kUsPerSecond)) {
    }
  });
  Reader reader(server.Settings("vesta_bench"), {60, true}, nullptr, nullptr);
  const double hour_s = Seconds([&] {
    const auto hour = reader.ReadRange(5, kStart_us + 3600 * kUsPerSecond, kStart_us + 7200 * kUsPerSecond, 100000);
    well = well && hour.has_value() && hour->records.size() == 3600;
  });
  if (!well) {
    std::fprintf(stderr, "the server refused something\n");
    return 1;
  }
  fmt::print(
      "bare COPY {:.0f} readings/s, writer {:.0f} readings/s, roll-ups of {:.1f} h in {:.2f} s, an hour of one"
      " series in {:.0f} ms\n",
      readings / bare_s, readings / writer_s, kSeconds / 3600.0, rollup_s, hour_s * 1000);
  fmt::print("bytes a reading {}\n",
             server.Ask("vesta_bench", fmt::format("SELECT round(sum(pg_total_relation_size(inhrelid)) / {}, 1)"
                                                   " FROM pg_inherits WHERE inhparent = 'reading'::regclass",
                                                   static_cast<int64_t>(readings))));
  const double part = bare_s / writer_s;
  fmt::print("bar postgres_writer_part_of_bare_copy {:.2f} 0.50 {}\n", part, part >= 0.5 ? "ok" : "short");
  return 0;
}

}  // namespace
}  // namespace vesta::hub::postgres

int main() { return vesta::hub::postgres::Run(); }
