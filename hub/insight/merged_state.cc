// The state of merged devices as one small JSON text:
//   {"house_battery":{"energy":{"member":1,"shown":"12.34","offsets":["0","1.5"],"counted_then":["12.34",null]}}}
#include <nlohmann/json.hpp>

#include "hub/insight/merged_device.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

Json TextOf(const std::optional<Decimal>& number) {
  if (!number) return nullptr;
  char text[kDecimalTextSize];
  return std::string(text, FormatDecimal(*number, text));
}

bool Read(const Json& json, std::optional<Decimal>* number) {
  number->reset();
  if (json.is_null()) return true;
  Decimal value;
  if (!json.is_string() || !ParseDecimal(json.get_ref<const std::string&>(), &value)) return false;
  *number = value;
  return true;
}

bool ReadRoad(const Json& json, MergedDevice::Road* road) {
  if (!json.is_object()) return false;
  const Json member = json.value("member", Json());
  const Json offsets = json.value("offsets", Json::array());
  const Json then = json.value("counted_then", Json::array());
  if (!member.is_number_unsigned() || !offsets.is_array() || !then.is_array()) return false;
  road->member = member.get<size_t>();
  for (const Json& one : offsets) {
    std::optional<Decimal> offset;
    if (!Read(one, &offset) || !offset) return false;
    road->offsets.push_back(*offset);
  }
  for (const Json& one : then) {
    if (!Read(one, &road->counted_then.emplace_back())) return false;
  }
  return Read(json.value("shown", Json()), &road->shown);
}

}  // namespace

std::string MergedStateToJson(const std::map<std::string, MergedDevice::State>& devices) {
  Json all = Json::object();
  for (const auto& [key, state] : devices) {
    Json fields = Json::object();
    for (const auto& [field, road] : state) {
      Json offsets = Json::array();
      Json then = Json::array();
      for (const Decimal& offset : road.offsets) offsets.push_back(TextOf(offset));
      for (const auto& counted : road.counted_then) then.push_back(TextOf(counted));
      fields[field] = {
          {"member", road.member}, {"shown", TextOf(road.shown)}, {"offsets", offsets}, {"counted_then", then}};
    }
    all[key] = fields;
  }
  return all.dump(1);
}

std::optional<std::map<std::string, MergedDevice::State>> MergedStateFromJson(const std::string& text) {
  const Json all = Json::parse(text, nullptr, false);
  if (!all.is_object()) return std::nullopt;
  std::map<std::string, MergedDevice::State> devices;
  for (const auto& [key, fields] : all.items()) {
    if (!fields.is_object()) return std::nullopt;
    for (const auto& [field, road] : fields.items()) {
      if (!ReadRoad(road, &devices[key][field])) return std::nullopt;
    }
  }
  return devices;
}

}  // namespace vesta::hub
