#include "hub/nodes/node_configuration.h"

#include <nlohmann/json.hpp>

#include "protocols/link/wire.h"

namespace vesta::hub {

namespace {

using OrderedJson = nlohmann::ordered_json;

// A node has little memory: it must know the type before the keys that depend on it.
OrderedJson TypeFirst(const nlohmann::json& function) {
  OrderedJson out = OrderedJson::object();
  if (!function.is_object()) return OrderedJson(function);
  if (function.contains("type")) out["type"] = OrderedJson(function["type"]);
  for (const auto& [key, value] : function.items()) {
    if (key != "type") out[key] = OrderedJson(value);
  }
  return out;
}

OrderedJson ListOf(const nlohmann::json& functions) {
  OrderedJson list = OrderedJson::array();
  for (const nlohmann::json& one : functions) list.push_back(TypeFirst(one));
  return list;
}

// Not in the middle of a character.
std::string_view NameThatFits(std::string_view name) {
  if (name.size() <= link::kMaxName) return name;
  size_t size = link::kMaxName;
  while (size > 0 && (static_cast<uint8_t>(name[size]) & 0xC0) == 0x80) --size;
  return name.substr(0, size);
}

}  // namespace

std::string NodeFunctionsText(const nlohmann::json& functions) {
  constexpr auto kReplace = OrderedJson::error_handler_t::replace;
  if (functions.is_array()) return ListOf(functions).dump(-1, ' ', false, kReplace);
  OrderedJson out = OrderedJson::object();
  for (const auto& [key, value] : functions.items()) {
    out[key] = key == "functions" && value.is_array() ? ListOf(value) : OrderedJson(value);
  }
  return out.dump(-1, ' ', false, kReplace);
}

std::string NodeConfigurationText(std::string_view functions, uint32_t version, std::string_view name) {
  const OrderedJson written = OrderedJson::parse(functions, nullptr, false);
  OrderedJson out = {{"version", version}};
  if (!name.empty()) out["name"] = std::string(NameThatFits(name));
  if (written.is_array()) {
    out["functions"] = written;
  } else if (written.is_object()) {
    for (const auto& [key, value] : written.items()) {
      if (key != "version") out[key] = value;
    }
  }
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace vesta::hub
