#include "app/day_log.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/whole_file.h"
#include "hub/export/store_import.h"
#include "model/calendar.h"
#include "protocols/link/fields.h"

namespace vesta::app {
namespace {

using Json = nlohmann::json;

// What a key says; `type` as in the description.
struct LogKey {
  std::string name;
  uint8_t peer = 0;
  uint8_t device = 0;
};

bool TakeNumber(std::string_view text, uint8_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<LogKey> ParseKey(const std::string& key) {
  const size_t second = key.rfind('_');
  const size_t first = second == std::string::npos || second == 0 ? second : key.rfind('_', second - 1);
  if (first == std::string::npos || first == second) return std::nullopt;
  LogKey out;
  out.name = key.substr(0, first);
  if (!TakeNumber(std::string_view(key).substr(first + 1, second - first - 1), &out.peer) ||
      !TakeNumber(std::string_view(key).substr(second + 1), &out.device)) {
    return std::nullopt;
  }
  return out;
}

class Importer {
 public:
  Importer(hub::StoreImport& store, const hub::Network& network) : store_(store), network_(network) {}

  // The error ends the import.
  tl::expected<void, std::string> TakeRow(const Json& row, DayLogReport* report) {
    ++report->rows;
    const auto uid = row.is_object() ? row.find("UID") : row.end();
    UtcUs time_us = 0;
    if (!row.is_object() || uid == row.end() || !uid->is_string() ||
        !ParseIso8601(uid->get<std::string>() + "Z", &time_us)) {
      ++report->left_out;
      return {};
    }
    for (const auto& [key, value] : row.items()) {
      if (key == "ID" || key == "UID") continue;
      hub::Record record;
      record.time_us = time_us;
      record.received_us = time_us;
      record.quality = ValueQuality::kDerived;
      record.time_quality = TimeQuality::kDeviceClock;
      record.flags = kReadingLate;
      if (!Fill(key, value, &record)) {
        ++report->left_out;
        continue;
      }
      if (auto added = store_.Add(record); !added) return added;
    }
    return {};
  }

 private:
  bool Fill(const std::string& key, const Json& value, hub::Record* record) {
    const auto parsed = ParseKey(key);
    Decimal number;
    if (!parsed || !value.is_string() || !ParseDecimal(value.get_ref<const std::string&>(), &number)) return false;
    const hub::NodeEntry* entry = network_.FindLegacy(hub::NodeKind::kVesta2025, parsed->peer);
    std::optional<uint8_t> type;
    if (entry != nullptr) {
      for (const hub::LegacyDevice& device : entry->devices) {
        if (device.id == parsed->device) type = device.type;
      }
    }
    uint16_t field = link::kFieldTemperature;
    if (parsed->name == "F2") {
      field = link::kFieldSetPoint;
    } else if (parsed->name == "U1" && type) {
      field = *type == 2 ? link::kFieldSwitch : link::kFieldHeating;
    } else if (parsed->name != "F1") {
      return false;
    }
    record->value = Value::OfDecimal(number);
    if (field == link::kFieldSwitch || field == link::kFieldHeating) {
      const bool is_zero = Compare(number, {0, 0}) == 0;
      if (!is_zero && Compare(number, {1, 0}) != 0) return false;
      // The original says 0 while it heats.
      record->value = Value::OfState(is_zero == (field == link::kFieldHeating) ? 1 : 0);
    }
    record->series = SeriesOf(*parsed, field);
    return record->series != 0;
  }

  hub::SeriesId SeriesOf(const LogKey& key, uint16_t field) {
    const std::string identity = fmt::format("vesta-{}-{}", key.peer, key.device);
    hub::SeriesId& known = series_[identity + "/" + std::to_string(field)];
    if (known != 0) return known;
    const std::string parent = fmt::format("vesta-{}", key.peer);
    DeviceInfo node;
    node.identity = parent;
    node.identity_on_wire = true;
    node.kind = DeviceKind::kNode;
    const hub::DeviceId node_id = store_.directory().Resolve("nodes", "import", node, 0);
    DeviceInfo device;
    device.identity = identity;
    device.identity_on_wire = true;
    device.kind = DeviceKind::kSensor;
    const hub::DeviceId id = store_.directory().Resolve("nodes", "import", device, node_id);
    known = store_.directory().ResolveSeries(id, link::NodeFields()[field]);
    return known;
  }

  hub::StoreImport& store_;
  const hub::Network& network_;
  std::map<std::string, hub::SeriesId> series_;
};

}  // namespace

tl::expected<DayLogReport, std::string> ImportDayLogs(const std::vector<std::string>& files,
                                                      const std::string& directory, const hub::Network& network) {
  auto store = hub::StoreImport::Open(directory);
  if (!store) return tl::unexpected(store.error());
  Importer importer(**store, network);
  DayLogReport report;
  for (const std::string& file : files) {
    const auto text = ReadWholeFile(file);
    const Json root = text ? Json::parse(*text, nullptr, false) : Json();
    if (!root.is_object() || !root.contains("Data") || !root["Data"].is_array()) {
      return tl::unexpected(fmt::format("{}: this is no day file of the original server", file));
    }
    for (const Json& row : root["Data"]) {
      if (auto taken = importer.TakeRow(row, &report); !taken) return tl::unexpected(taken.error());
    }
  }
  if (auto finished = (*store)->Finish(); !finished) return tl::unexpected(finished.error());
  report.imported = (*store)->imported();
  report.already_there = (*store)->already_there();
  return report;
}

}  // namespace vesta::app
