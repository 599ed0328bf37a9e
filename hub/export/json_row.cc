#include "hub/export/json_row.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

// A flat object whose numbers keep their digits.
class RowReader {
 public:
  explicit RowReader(ImportRow* row) : row_(row) {}

  bool null() { return Put("", "none"); }
  bool boolean(bool) { return false; }
  bool number_integer(int64_t number) { return Put(std::to_string(number), "decimal"); }
  bool number_unsigned(uint64_t number) { return Put(std::to_string(number), "decimal"); }
  bool number_float(double, const std::string& digits) { return Put(digits, "decimal"); }
  bool string(std::string& text) { return Put(std::move(text), "text"); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return ++depth_ == 1; }
  bool end_object() { return true; }
  bool start_array(size_t) { return false; }
  bool end_array() { return false; }
  bool key(std::string& name) {
    name_ = std::move(name);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

  bool has_value() const { return has_value_; }

 private:
  bool Put(std::string text, const char* kind) {
    if (name_ == "value") {
      has_value_ = true;
      if (!kind_said_) row_->kind = kind;
    }
    if (name_ == "kind") kind_said_ = true;
    for (const auto& [name, member] : kMembers) {
      if (name_ != name) continue;
      row_->*member = std::move(text);
      break;
    }
    return true;
  }

  static constexpr std::pair<std::string_view, std::string ImportRow::*> kMembers[] = {
      {"time", &ImportRow::time},        {"device", &ImportRow::device},       {"field", &ImportRow::field},
      {"kind", &ImportRow::kind},        {"value", &ImportRow::value},         {"quality", &ImportRow::quality},
      {"flags", &ImportRow::flags},      {"time_from", &ImportRow::time_from}, {"index", &ImportRow::index},
      {"received", &ImportRow::received}};

  ImportRow* row_;
  std::string name_;
  int depth_ = 0;
  bool kind_said_ = false;
  bool has_value_ = false;
};

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

template <typename Enum>
bool FindName(std::string_view (*name)(Enum), Enum count, const std::string& text, Enum* found) {
  for (int i = 0; i < static_cast<int>(count); ++i) {
    if (name(static_cast<Enum>(i)) != text) continue;
    *found = static_cast<Enum>(i);
    return true;
  }
  return false;
}

bool ReadField(const Json& told, SeriesField* field) {
  if (!told.is_object()) return false;
  field->key = TextOf(told, "field");
  constexpr auto kKinds = static_cast<FieldKind>(static_cast<int>(FieldKind::kText) + 1);
  if (field->key.empty() || !FindName(FieldKindName, kKinds, TextOf(told, "kind"), &field->kind) ||
      !FindName(QuantityName, Quantity::kCountOfQuantities, TextOf(told, "quantity"), &field->quantity) ||
      !FindName(UnitText, Unit::kCountOfUnits, TextOf(told, "unit"), &field->unit)) {
    return false;
  }
  if (const auto decimals = told.find("decimals"); decimals != told.end() && decimals->is_number_integer()) {
    field->decimals = decimals->get<int8_t>();
  }
  const auto states = told.find("states");
  if (states == told.end()) return true;
  if (!states->is_object()) return false;
  for (const auto& [code, name] : states->items()) {
    uint32_t number = 0;
    const auto parsed = std::from_chars(code.data(), code.data() + code.size(), number);
    if (parsed.ec != std::errc() || !name.is_string()) return false;
    field->states.emplace_back(number, name.get<std::string>());
  }
  return true;
}

}  // namespace

tl::expected<void, std::string> CheckJsonHeader(std::string_view line) {
  const Json header = Json::parse(line, nullptr, false);
  const auto version = header.is_object() ? header.find("vesta_export") : header.end();
  if (version == header.end() || *version != 1) {
    return tl::unexpected(std::string("line 1: this is no export as jsonl: it does not begin with \"vesta_export\":1"));
  }
  if (const auto hidden = header.find("pseudonymous"); hidden == header.end() || *hidden != false) {
    return tl::unexpected(
        std::string("line 1: this export is pseudonymous: names and dates in it are not the real ones"));
  }
  return {};
}

bool IsJsonDevice(std::string_view line) { return line.starts_with("{\"device\":{"); }

tl::expected<ImportDevice, std::string> ReadJsonDevice(std::string_view line) {
  const Json parsed = Json::parse(line, nullptr, false);
  const auto told = parsed.is_object() ? parsed.find("device") : parsed.end();
  if (told == parsed.end() || !told->is_object()) return tl::unexpected(std::string("this is no JSON"));
  ImportDevice device;
  device.key = TextOf(*told, "key");
  device.protocol = TextOf(*told, "protocol");
  device.source = TextOf(*told, "source");
  device.identity = TextOf(*told, "identity");
  if (const auto on_wire = told->find("identity_on_wire"); on_wire != told->end()) {
    device.identity_on_wire = *on_wire == true;
  }
  device.manufacturer = TextOf(*told, "manufacturer");
  device.model = TextOf(*told, "model");
  device.serial = TextOf(*told, "serial");
  device.firmware = TextOf(*told, "firmware");
  device.name = TextOf(*told, "name");
  device.place = TextOf(*told, "place");
  const auto series = told->find("series");
  if (device.key.empty() || device.protocol.empty() || device.identity.size() > kMaxIdentitySize ||
      !FindName(DeviceKindName, DeviceKind::kCountOfDeviceKinds, TextOf(*told, "kind"), &device.kind) ||
      series == told->end() || !series->is_array()) {
    return tl::unexpected(std::string("this does not tell of a device: key, protocol, kind or series is wrong"));
  }
  for (const Json& one : *series) {
    SeriesField field;
    if (!ReadField(one, &field)) {
      return tl::unexpected("the field " + TextOf(one, "field") + ": its kind, quantity, unit or states are wrong");
    }
    device.fields.push_back(std::move(field));
  }
  return device;
}

tl::expected<ImportRow, std::string> ReadJsonRow(std::string_view line) {
  ImportRow row;
  RowReader reader(&row);
  if (!Json::sax_parse(line, &reader) || !reader.has_value()) {
    return tl::unexpected(std::string("this is no reading: not JSON, or without a value"));
  }
  return row;
}

}  // namespace vesta::hub
