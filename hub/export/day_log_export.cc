// The day files of the original node server: means by quarter of an hour of its sensors, from the roll-ups.
//
// A row is made for each quarter that has readings, with the time at which the original wrote it, the quarter's end. A
// quarter with one reading alone keeps that reading's time: so what was imported goes out as it came.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "hub/export/json_text.h"
#include "hub/export/long_export.h"
#include "hub/export/series_stream.h"

namespace vesta::hub {
namespace {

constexpr int64_t kQuarter_us = 900 * kUsPerSecond;
constexpr int64_t kDay_us = 86400 * kUsPerSecond;

struct LogSeries {
  SeriesId id = 0;
  std::string key;  // "F1_2_7": what, peer, device
  bool inverted = false;
};

// "vesta-2-7": peer and device of the original network.
bool ReadPeer(std::string_view identity, std::string* peer) {
  constexpr std::string_view kPrefix = "vesta-";
  if (identity.substr(0, kPrefix.size()) != kPrefix) return false;
  identity.remove_prefix(kPrefix.size());
  int numbers[2] = {};
  const char* at = identity.data();
  const char* const end = at + identity.size();
  for (int i = 0; i < 2; ++i) {
    const auto read = std::from_chars(at, end, numbers[i]);
    if (read.ec != std::errc() || numbers[i] < 0 || numbers[i] > 255) return false;
    at = read.ptr;
    if (i == 0 && (at == end || *at++ != '-')) return false;
  }
  if (at != end) return false;
  *peer = fmt::format("{}_{}", numbers[0], numbers[1]);
  return true;
}

std::vector<LogSeries> ChooseSeries(const ExportPlan& plan) {
  std::vector<LogSeries> chosen;
  for (const ExportDevice& device : plan.devices) {
    std::string peer;
    if (device.protocol != "nodes" || !ReadPeer(device.identity, &peer)) continue;
    for (size_t i = 0; i < device.series_count; ++i) {
      const ExportSeries& series = plan.series[device.first_series + i];
      const std::string& field = series.field.key;
      if (field == "temperature") chosen.push_back({series.id, "F1_" + peer, false});
      if (field == "set_point") chosen.push_back({series.id, "F2_" + peer, false});
      if (field == "switch") chosen.push_back({series.id, "U1_" + peer, false});
      if (field == "heating") chosen.push_back({series.id, "U1_" + peer, true});  // the original says 0 while it heats
    }
  }
  return chosen;
}

double StateMean(const RollupBucket& bucket) {
  int64_t on_ms = 0;
  for (const auto& [code, time_ms] : bucket.states) on_ms += code == 0 ? 0 : time_ms;
  if (bucket.states.empty() || bucket.covered_ms == 0) return bucket.last == 0 ? 0 : 1;
  return static_cast<double>(on_ms) / static_cast<double>(bucket.covered_ms);
}

class DayLogExporter final : public Exporter {
 public:
  explicit DayLogExporter(const ExportPlan& plan)
      : series_(ChooseSeries(plan)),
        next_us_(std::max(plan.request.from_us, kRollupFirst_us)),
        to_us_(std::min(plan.request.to_us, kRollupEnd_us)) {}

  tl::expected<bool, StoreError> Next(StoreReader& reader, std::string* out) override {
    if (!begun_) {
      *out += "{\"Data\":[";
      begun_ = true;
    }
    while (next_us_ < to_us_) {
      // Over what is empty in one step.
      const auto first = FirstQuarter(reader);
      if (!first) return tl::unexpected(first.error());
      if (*first >= to_us_) break;
      next_us_ = *first - *first % kDay_us;
      const size_t before = out->size();
      if (auto done = WriteDay(reader, std::max(*first, next_us_), out); !done) return tl::unexpected(done.error());
      next_us_ += kDay_us;
      if (out->size() - before >= kPieceBytes) return true;
    }
    *out += "]}\n";
    return false;
  }

 private:
  using Row = std::map<std::string, std::string>;

  tl::expected<UtcUs, StoreError> FirstQuarter(StoreReader& reader) {
    UtcUs first_us = to_us_;
    for (const LogSeries& series : series_) {
      const auto one = reader.ReadRollups(series.id, RollupLevel::kQuarter, next_us_, first_us, 1);
      if (!one) return tl::unexpected(one.error());
      if (!one->empty()) first_us = std::min(first_us, one->front().start_us);
      const auto newest = reader.ReadRange(series.id, next_us_, first_us, 1);
      if (!newest) return tl::unexpected(newest.error());
      if (!newest->records.empty()) {
        first_us = std::max(next_us_, BucketStart(RollupLevel::kQuarter, newest->records[0].time_us, Zone()));
      }
    }
    return first_us;
  }

  // Roll-ups, and behind them what the newest readings give, which are not rolled up yet.
  tl::expected<std::vector<RollupBucket>, StoreError> QuartersOf(StoreReader& reader, SeriesId series, UtcUs from_us,
                                                                 UtcUs to_us) {
    auto quarters = reader.ReadRollups(series, RollupLevel::kQuarter, from_us, to_us, SIZE_MAX);
    if (!quarters) return quarters;
    const UtcUs behind_us = quarters->empty() ? from_us : quarters->back().start_us;
    BucketMaker maker(RollupLevel::kQuarter, Zone(), false);
    SeriesStream stream(series, behind_us, std::min(INT64_MAX - kQuarter_us, to_us) + kQuarter_us);
    while (true) {
      const auto record = stream.Peek(reader);
      if (!record) return tl::unexpected(record.error());
      if (*record == nullptr) break;
      maker.Add(**record);
      stream.Advance();
    }
    for (RollupBucket& fresh : maker.buckets()) {
      if (fresh.start_us < from_us || fresh.start_us >= to_us) continue;
      if (quarters->empty() || quarters->back().start_us < fresh.start_us) {
        quarters->push_back(std::move(fresh));
      } else if (quarters->back().start_us == fresh.start_us && quarters->back().count < fresh.count) {
        quarters->back() = std::move(fresh);
      }
    }
    return quarters;
  }

  tl::expected<void, StoreError> WriteDay(StoreReader& reader, UtcUs from_us, std::string* out) {
    std::map<UtcUs, Row> rows;
    const UtcUs end_us = std::min(to_us_, next_us_ + kDay_us);
    for (const LogSeries& series : series_) {
      const auto quarters = QuartersOf(reader, series.id, from_us, end_us);
      if (!quarters) return tl::unexpected(quarters.error());
      for (const RollupBucket& bucket : *quarters) {
        const UtcUs time_us = bucket.count == 1 ? bucket.first_ms / 1000 * kUsPerSecond : bucket.start_us + kQuarter_us;
        double mean = bucket.kind == ValueKind::kState ? StateMean(bucket) : bucket.Mean();
        if (series.inverted) mean = 1 - mean;
        rows[time_us][series.key] = fmt::format("{:.2f}", mean);
        readings_ += bucket.count;
      }
    }
    for (const auto& entry : rows) {
      *out += any_ ? ",\n" : "\n";
      any_ = true;
      AppendJsonText(out, [&](JsonWriter& json) {
        char time[kIso8601Size];
        json.BeginObject().Key("ID").Text("ESP8266");
        json.Key("UID").Text(std::string_view(time, FormatIso8601(entry.first, time) - 1));  // without the Z
        for (const auto& [key, mean] : entry.second) json.Key(key).Text(mean);
        json.EndObject();
      });
    }
    return {};
  }

  std::vector<LogSeries> series_;
  UtcUs next_us_;
  UtcUs to_us_;
  bool begun_ = false;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Exporter> MakeDayLogExporter(const ExportPlan& plan) { return std::make_unique<DayLogExporter>(plan); }

}  // namespace vesta::hub
