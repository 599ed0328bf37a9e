#include "hub/export/row_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "hub/catalog/catalog.h"
#include "hub/export/cell.h"
#include "hub/export/csv_reader.h"
#include "hub/export/json_row.h"
#include "hub/export/store_import.h"
#include "model/calendar.h"

namespace vesta::hub {
namespace {

using Done = tl::expected<void, std::string>;

constexpr size_t kReadBytes = 64 * 1024;
constexpr uint64_t kRowsPerProgress = 100000;

template <typename Enum>
std::optional<Enum> FindName(std::string_view (*name)(Enum), int count, std::string_view text) {
  for (int i = 0; i < count; ++i) {
    if (name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

tl::unexpected<std::string> Wrong(std::string_view what, std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 32)) shown += c >= ' ' && c < 0x7F ? c : '?';
  return tl::unexpected(fmt::format("{} is \"{}\"", what, shown));
}

template <typename Number>
bool ParseWhole(std::string_view text, Number* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool ParseReal(std::string_view text, double* real) {
  *real = std::numeric_limits<double>::quiet_NaN();
  if (text.empty() || text == "nan") return true;
  return ParseWhole(text, real);
}

// As far as a decimal reaches, which is a digit or two more than a device may send.
bool ParseExact(std::string_view text, Decimal* decimal) {
  if (ParseDecimal(text, decimal)) return true;
  const size_t point = text.find('.');
  std::string digits(text);
  if (point != std::string_view::npos) digits.erase(point, 1);
  const size_t fraction = point == std::string_view::npos ? 0 : digits.size() - point;
  if (!ParseWhole(digits, &decimal->mantissa) || fraction > INT8_MAX) return false;
  decimal->exponent = static_cast<int8_t>(-static_cast<int>(fraction));
  return true;
}

// What the value says must fit its kind; a text is a view into the row.
tl::expected<Value, std::string> ReadValue(const ImportRow& row) {
  const auto kind = FindName<ValueKind>(ExportValueKindName, 5, row.kind);
  if (!kind) return Wrong("the kind", row.kind);
  Decimal decimal;
  double real = 0;
  uint32_t state = 0;
  switch (*kind) {
    case ValueKind::kNone:
      return Value::None();
    case ValueKind::kText:
      return Value::OfText(row.value);
    case ValueKind::kDecimal:
      if (!ParseExact(row.value, &decimal)) return Wrong("the value", row.value);
      return Value::OfDecimal(decimal);
    case ValueKind::kReal:
      if (!ParseReal(row.value, &real)) return Wrong("the value", row.value);
      return Value::OfReal(real);
    case ValueKind::kState:
      if (!ParseWhole(row.value, &state)) return Wrong("the value", row.value);
      return Value::OfState(state);
  }
  return Wrong("the kind", row.kind);
}

tl::expected<Record, std::string> ReadRecord(const ImportRow& row) {
  Record record;
  if (!ParseIso8601(row.time, &record.time_us)) return Wrong("the time", row.time);
  record.received_us = record.time_us;
  if (!row.received.empty() && !ParseIso8601(row.received, &record.received_us)) {
    return Wrong("the time of receipt", row.received);
  }
  const auto quality = FindName<ValueQuality>(ExportQualityName, 5, row.quality);
  if (!quality) return Wrong("the quality", row.quality);
  record.quality = *quality;
  const auto time_quality = FindName<TimeQuality>(ExportTimeName, 4, row.time_from);
  if (!time_quality) return Wrong("time_from", row.time_from);
  record.time_quality = *time_quality;
  record.flags = UINT8_MAX;
  for (const unsigned flags :
       {0u, unsigned{kReadingLate}, unsigned{kReadingRepaired}, unsigned{kReadingLate} | unsigned{kReadingRepaired}}) {
    if (ExportFlags(static_cast<uint8_t>(flags)) == row.flags) record.flags = static_cast<uint8_t>(flags);
  }
  if (record.flags == UINT8_MAX) return Wrong("flags", row.flags);
  if (!row.index.empty() && !ParseWhole(row.index, &record.index)) return Wrong("the index", row.index);
  auto value = ReadValue(row);
  if (!value) return tl::unexpected(value.error());
  record.value = *value;
  return record;
}

const Field* FindBuiltInField(std::string_view protocol, std::string_view key) {
  for (const ProtocolEntry& entry : Protocols()) {
    if (entry.name != protocol) continue;
    for (const Field& field : entry.fields) {
      if (key == field.key) return &field;
    }
  }
  return nullptr;
}

class RowImporter {
 public:
  RowImporter(StoreImport& store, const std::function<void(uint64_t)>& progress) : store_(store), progress_(progress) {}

  void Reject(uint64_t line, std::string why) {
    ++report.rejected_rows;
    if (report.named.size() < kMaxNamedImportRows) report.named.emplace_back(line, std::move(why));
  }

  Done Take(uint64_t line, const ImportRow& row) {
    if (++report.rows % kRowsPerProgress == 0) progress_(report.rows);
    auto record = ReadRecord(row);
    if (!record) {
      Reject(line, record.error());
      return {};
    }
    const auto series = SeriesOf(row);
    if (!series) {
      Reject(line, series.error());
      return {};
    }
    record->series = *series;
    return store_.Add(*record);
  }

  // A line of JSON about a device.
  void TakeDevice(uint64_t line, const ImportDevice& device) {
    const Device* known = store_.directory().FindDeviceByKey(device.key);
    DeviceId id = known == nullptr ? 0 : known->id;
    if (known != nullptr && (known->identity != device.identity || known->protocol != device.protocol)) {
      return Reject(line, fmt::format("another device has the key {} here", device.key));
    }
    if (known == nullptr) {
      DeviceInfo info;
      info.identity = device.identity;
      info.identity_on_wire = device.identity_on_wire;
      info.kind = device.kind;
      info.manufacturer = device.manufacturer;
      info.model = device.model;
      info.serial = device.serial;
      info.firmware = device.firmware;
      id = store_.directory().Resolve(device.protocol, device.source, info, 0);
      if (id == 0) return Reject(line, "the hub knows too many devices already");
      store_.directory().SetName(id, device.name, device.place);
      const std::string& key = store_.directory().FindDevice(id)->key;
      if (key != device.key) report.notes.push_back(fmt::format("{} of the file is {} here", device.key, key));
    }
    devices_[device.key] = id;
    for (const SeriesField& field : device.fields) {
      const std::string& key = store_.directory().FindDevice(id)->key;
      if (store_.directory().FindSeriesByKey(key, field.key) != nullptr) continue;
      // The table of the protocol says more of a field than the file.
      const Field* const built_in = FindBuiltInField(device.protocol, field.key);
      built_in == nullptr ? AddSeries(id, field) : (void)store_.directory().ResolveSeries(id, *built_in);
    }
  }

  RowImportReport report;

 private:
  void AddSeries(DeviceId device, const SeriesField& field) {
    std::vector<StateName> states;
    for (const auto& [code, name] : field.states) states.push_back({code, name.c_str()});
    Field made;
    made.key = field.key.c_str();
    made.quantity = field.quantity;
    made.unit = field.unit;
    made.decimals = field.decimals;
    made.kind = field.kind;
    made.pace = field.pace;
    made.diagnostic = field.diagnostic;
    made.states = states;
    store_.directory().ResolveSeries(device, made);
  }

  tl::expected<SeriesId, std::string> SeriesOf(const ImportRow& row) {
    SeriesId& series = series_[fmt::format("{}/{}", row.device, row.field)];
    if (series != 0) return series;
    const auto told = devices_.find(row.device);
    const Device* const device = told != devices_.end() ? store_.directory().FindDevice(told->second)
                                                        : store_.directory().FindDeviceByKey(row.device);
    if (device == nullptr) {
      return tl::unexpected(
          fmt::format("the hub does not know the device {}; an export as jsonl tells who it is", row.device));
    }
    if (const Series* known = store_.directory().FindSeriesByKey(device->key, row.field); known != nullptr) {
      return series = known->id;
    }
    const Field* const field = FindBuiltInField(device->protocol, row.field);
    if (field == nullptr) return tl::unexpected(fmt::format("{} has no field {}", device->protocol, row.field));
    series = store_.directory().ResolveSeries(device->id, *field);
    if (series == 0) return tl::unexpected(std::string("the hub knows too many series already"));
    return series;
  }

  StoreImport& store_;
  const std::function<void(uint64_t)>& progress_;
  std::map<std::string, DeviceId, std::less<>> devices_;  // by key in the file
  std::map<std::string, SeriesId> series_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// The next bytes; "" at the end.
tl::expected<std::string_view, std::string> ReadMore(std::FILE* file, std::string* buffer) {
  buffer->resize(kReadBytes);
  const size_t size = std::fread(buffer->data(), 1, buffer->size(), file);
  if (size == 0 && std::ferror(file) != 0) return tl::unexpected(std::string(std::strerror(errno)));
  return std::string_view(*buffer).substr(0, size);
}

constexpr std::array<std::pair<std::string_view, std::string ImportRow::*>, 11> kRowColumns = {{
    {"time", &ImportRow::time},
    {"device", &ImportRow::device},
    {"protocol", &ImportRow::protocol},
    {"field", &ImportRow::field},
    {"kind", &ImportRow::kind},
    {"value", &ImportRow::value},
    {"quality", &ImportRow::quality},
    {"time_from", &ImportRow::time_from},
    {"flags", &ImportRow::flags},
    {"index", &ImportRow::index},
    {"received", &ImportRow::received},
}};

Done ReadCsv(std::FILE* file, RowImporter* importer) {
  CsvReader reader;
  std::string buffer;
  std::vector<std::string> cells;
  std::vector<std::string> header;
  while (true) {
    const CsvReader::Result result = reader.Next(&cells);
    if (result == CsvReader::Result::kNeedMore) {
      const auto more = ReadMore(file, &buffer);
      if (!more) return tl::unexpected(more.error());
      more->empty() ? reader.Finish() : reader.Feed(*more);
      continue;
    }
    if (result == CsvReader::Result::kEnd) break;
    if (result != CsvReader::Result::kRow) {
      importer->Reject(reader.line(), "a quoted cell that begins here has no end; what follows was not read");
      break;
    }
    if (header.empty()) {
      header = cells;
      if (header[0].starts_with("\xEF\xBB\xBF")) header[0].erase(0, 3);
      for (const auto& [name, member] : kRowColumns) {
        if (std::find(header.begin(), header.end(), name) == header.end()) {
          return tl::unexpected(fmt::format("line 1: this is no export as csv: the column {} is missing", name));
        }
      }
      continue;
    }
    if (cells.size() == 1 && cells[0].empty()) continue;
    if (cells[0].starts_with("#error")) {
      importer->Reject(reader.line(), "the export was cut off here: " + cells[0]);
      continue;
    }
    if (cells.size() != header.size()) {
      importer->Reject(reader.line(), fmt::format("{} cells where the header has {}", cells.size(), header.size()));
      continue;
    }
    ImportRow row;
    for (size_t i = 0; i < cells.size(); ++i) {
      for (const auto& [name, member] : kRowColumns) {
        if (header[i] == name) row.*member = std::move(cells[i]);
      }
    }
    if (row.kind == "text") row.value = UnguardText(row.value);
    if (auto taken = importer->Take(reader.line(), row); !taken) return taken;
  }
  if (header.empty()) return tl::unexpected(std::string("line 1: this is no export as csv: the header is missing"));
  return {};
}

Done TakeJsonLine(uint64_t number, std::string_view line, RowImporter* importer) {
  if (number == 1) return CheckJsonHeader(line);
  if (line.empty()) return {};
  if (line.starts_with("#error")) {
    importer->Reject(number, "the export was cut off here: " + std::string(line.substr(0, 256)));
    return {};
  }
  if (IsJsonDevice(line)) {
    const auto device = ReadJsonDevice(line);
    device ? importer->TakeDevice(number, *device) : importer->Reject(number, device.error());
    return {};
  }
  const auto row = ReadJsonRow(line);
  if (row) return importer->Take(number, *row);
  importer->Reject(number, row.error());
  return {};
}

Done ReadJsonLines(std::FILE* file, RowImporter* importer) {
  std::string buffer;
  std::string line;
  uint64_t number = 1;
  bool too_long = false;
  const auto end_line = [&]() -> Done {
    if (line.ends_with('\r')) line.pop_back();
    Done taken;
    if (too_long) {
      importer->Reject(number, "the line is too long");
    } else {
      taken = TakeJsonLine(number, line, importer);
    }
    line.clear();
    too_long = false;
    ++number;
    return taken;
  };
  while (true) {
    const auto more = ReadMore(file, &buffer);
    if (!more) return tl::unexpected(more.error());
    if (more->empty()) break;
    for (std::string_view rest = *more; !rest.empty();) {
      const size_t end = rest.find('\n');
      too_long |= line.size() + std::min(end, rest.size()) > kMaxImportLineBytes;
      if (!too_long) line += rest.substr(0, end);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
      if (auto taken = end_line(); !taken) return taken;
    }
  }
  if (!line.empty() || number == 1) return end_line();
  return {};
}

}  // namespace

tl::expected<RowImportReport, std::string> ImportRows(ExportFormat format, const std::string& file,
                                                      const std::string& folder,
                                                      const std::function<void(uint64_t)>& progress) {
  const File input(std::fopen(file.c_str(), "rbe"));
  if (input == nullptr) return tl::unexpected(fmt::format("{}: {}", file, std::strerror(errno)));
  auto store = StoreImport::Open(folder);
  if (!store) return tl::unexpected(store.error());
  RowImporter importer(**store, progress);
  const Done read =
      format == ExportFormat::kCsv ? ReadCsv(input.get(), &importer) : ReadJsonLines(input.get(), &importer);
  if (!read) return tl::unexpected(fmt::format("{}: {}", file, read.error()));
  if (auto done = (*store)->Finish(); !done) return tl::unexpected(done.error());
  importer.report.readings = (*store)->imported();
  importer.report.already_there = (*store)->already_there();
  return importer.report;
}

}  // namespace vesta::hub
