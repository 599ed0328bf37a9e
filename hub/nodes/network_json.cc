// The network description as JSON: our own form, read and written.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "hub/nodes/network.h"
#include "hub/nodes/network_values.h"
#include "hub/nodes/node_configuration.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kFormat = "vesta-network";
constexpr int kVersion = 1;
constexpr const char* kDayNames[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr const char* kTypeNames[] = {"thermostat", "thermometer", "relay"};
constexpr uint16_t kMinutesPerDay = 24 * 60;

// Reads one file; knows where it is for the problems that it tells.
class Reader {
 public:
  Reader(Network* network, std::vector<std::string>* problems) : network_(*network), problems_(*problems) {}

  void ReadAll(const Json& root) {
    if (const Json* hub = Object(root, "hub")) ReadHub(*hub);
    if (const Json* limits = Object(root, "limits")) {
      Number(*limits, "limits", "max_nodes", 1, kMaxListedNodes, &network_.max_nodes);
    }
    Each(root, "groups", kMaxGroups, [this](const Json& one, const std::string& at) { ReadGroup(one, at); });
    Each(root, "templates", kMaxTemplates, [this](const Json& one, const std::string& at) { ReadTemplate(one, at); });
    Each(root, "nodes", kMaxListedNodes, [this](const Json& one, const std::string& at) { ReadNode(one, at); });
    Each(root, "rooms", kMaxRooms, [this](const Json& one, const std::string& at) { ReadRoom(one, at); });
    Each(root, "schedules", kMaxSchedules, [this](const Json& one, const std::string& at) { ReadSchedule(one, at); });
  }

 private:
  void Tell(const std::string& at, std::string_view what) { problems_.push_back(fmt::format("{}: {}", at, what)); }

  static const Json* Object(const Json& in, const char* key) {
    const auto found = in.find(key);
    return found != in.end() && found->is_object() ? &*found : nullptr;
  }

  template <typename Take>
  void Each(const Json& in, const char* key, size_t most, const Take& take) {
    const auto found = in.find(key);
    if (found == in.end()) return;
    if (!found->is_array()) return Tell(key, "this is no list");
    for (size_t i = 0; i < found->size(); ++i) {
      const std::string at = fmt::format("{}[{}]", key, i);
      if (i >= most) return Tell(at, fmt::format("there are more than {}; this and the following are left out", most));
      if ((*found)[i].is_object()) {
        take((*found)[i], at);
      } else {
        Tell(at, "this is no object");
      }
    }
  }

  // False when it is there and wrong.
  template <typename Integer>
  bool Number(const Json& in, const std::string& at, const char* key, int64_t low, int64_t high, Integer* out) {
    const auto found = in.find(key);
    if (found == in.end()) return true;
    const std::optional<int64_t> value = WholeNumber(*found);
    if (!value || *value < low || *value > high) {
      Tell(at, fmt::format("\"{}\" must be a whole number from {} to {}", key, low, high));
      return false;
    }
    *out = static_cast<Integer>(*value);
    return true;
  }

  bool Text(const Json& in, const std::string& at, const char* key, size_t most, std::string* out) {
    const auto found = in.find(key);
    if (found == in.end()) return true;
    if (!found->is_string() || !IsNameText(found->get_ref<const std::string&>(), most)) {
      Tell(at, fmt::format("\"{}\" must be a text of at most {} bytes without control characters", key, most));
      return false;
    }
    *out = found->get<std::string>();
    return true;
  }

  bool DecimalAt(const Json& in, const std::string& at, const char* key, std::optional<Decimal>* out) {
    const auto found = in.find(key);
    if (found == in.end() || found->is_null()) return true;
    *out = DecimalOf(*found);
    if (*out) return true;
    Tell(at, fmt::format("\"{}\" must be a number", key));
    return false;
  }

  bool Flag(const Json& in, const char* key) {
    const auto found = in.find(key);
    return found != in.end() && found->is_boolean() && found->get<bool>();
  }

  void ReadHub(const Json& hub) {
    Number(hub, "hub", "id", 1, 255, &network_.hub_id);
    Number(hub, "hub", "network", 1, 65535, &network_.number);
  }

  void ReadGroup(const Json& one, const std::string& at) {
    NodeGroup group;
    if (!Text(one, at, "key", kMaxNodeNameBytes, &group.key) ||
        !Text(one, at, "name", kMaxNodeNameBytes, &group.name)) {
      return;
    }
    if (group.key.empty()) return Tell(at, "\"key\" is missing");
    network_.groups.push_back(std::move(group));
  }

  void ReadItems(const Json& in, const std::string& at, std::vector<NodeItem>* out) {
    std::set<uint8_t> seen;
    Each(in, "items", kMaxNodeItems, [&](const Json& one, const std::string& inner) {
      const std::string place = at + "." + inner;
      NodeItem item;
      if (!one.contains("index")) return Tell(place, "\"index\" is missing");
      if (!Number(one, place, "index", 0, link::kFirstSystemItem - 1, &item.index) ||
          !Text(one, place, "name", kMaxNodeNameBytes, &item.name) || !DecimalAt(one, place, "min", &item.min) ||
          !DecimalAt(one, place, "max", &item.max)) {
        return;
      }
      if (item.min && item.max && Compare(*item.min, *item.max) > 0) return Tell(place, "\"min\" is above \"max\"");
      if (!seen.insert(item.index).second) return Tell(place, "this index stands there twice");
      item.is_hidden = Flag(one, "hidden");
      out->push_back(std::move(item));
    });
  }

  bool ReadFunctions(const Json& in, const std::string& at, std::string* out) {
    const auto found = in.find("functions");
    if (found == in.end()) return true;
    if (!found->is_object() && !found->is_array()) {
      Tell(at, "\"functions\" must be the node's configuration, an object or a list");
      return false;
    }
    *out = NodeFunctionsText(*found);
    if (out->size() <= kMaxFunctionsBytes) return true;
    Tell(at, fmt::format("\"functions\" has {} bytes, a node takes {}", out->size(), kMaxFunctionsBytes));
    return false;
  }

  void ReadTemplate(const Json& one, const std::string& at) {
    NodeTemplate made;
    if (!Text(one, at, "name", kMaxNodeNameBytes, &made.name) || !ReadFunctions(one, at, &made.functions)) return;
    if (made.name.empty()) return Tell(at, "\"name\" is missing");
    ReadItems(one, at, &made.items);
    network_.templates.push_back(std::move(made));
  }

  void ReadDevices(const Json& one, const std::string& at, NodeEntry* entry) {
    Each(one, "devices", espnow::legacy::kSlots, [&](const Json& device, const std::string& inner) {
      const std::string place = at + "." + inner;
      LegacyDevice made;
      if (!Number(device, place, "id", 1, 254, &made.id) || !Number(device, place, "control", 0, 255, &made.control) ||
          !Text(device, place, "name", kMaxNodeNameBytes, &made.name) ||
          !DecimalAt(device, place, "set_point", &made.set_point) ||
          !DecimalAt(device, place, "hysteresis", &made.hysteresis)) {
        return;
      }
      if (made.id == 0) return Tell(place, "\"id\" is missing");
      std::string type;
      Text(device, place, "type", 32, &type);
      const auto name = std::find(std::begin(kTypeNames), std::end(kTypeNames), type);
      if (name == std::end(kTypeNames)) return Tell(place, "\"type\" must be thermostat, thermometer or relay");
      made.type = static_cast<uint8_t>(name - std::begin(kTypeNames));
      const bool is_twice = std::any_of(entry->devices.begin(), entry->devices.end(),
                                        [&](const LegacyDevice& d) { return d.id == made.id; });
      if (is_twice) return Tell(place, "this id stands there twice");
      entry->devices.push_back(std::move(made));
    });
  }

  void ReadNode(const Json& one, const std::string& at) {
    NodeEntry entry;
    std::string kind = "link";
    std::string address;
    if (!Text(one, at, "protocol", 32, &kind) || !Text(one, at, "address", 32, &address) ||
        !Text(one, at, "name", kMaxNodeNameBytes, &entry.name) ||
        !Text(one, at, "group", kMaxNodeNameBytes, &entry.group) ||
        !Text(one, at, "template", kMaxNodeNameBytes, &entry.template_name) ||
        !ReadFunctions(one, at, &entry.functions)) {
      return;
    }
    if (!KindOf(kind, &entry.kind)) return Tell(at, "\"protocol\" must be link, vesta-2025, vesta-2022 or victron");
    if (!Number(one, at, "number", 0, entry.kind == NodeKind::kLink ? network_.max_nodes : 254, &entry.number)) return;
    entry.has_address = !address.empty();
    if (entry.has_address && !ParseNodeAddress(address, &entry.address)) {
      return Tell(at, "\"address\" must be 12 hex digits");
    }
    if (NodeIdOf(entry).empty()) return Tell(at, "a node of this protocol needs its radio address");
    const bool is_legacy = entry.kind == NodeKind::kVesta2025 || entry.kind == NodeKind::kVesta2022;
    if (is_legacy && entry.number == 0) return Tell(at, "\"number\" is missing: the node's own id");
    entry.insecure_writes = Flag(one, "insecure_writes");
    ReadDevices(one, at, &entry);
    ReadItems(one, at, &entry.items);
    if (ids_.contains(NodeIdOf(entry))) return Tell(at, "this node stands there twice");
    if (entry.number != 0 && !numbers_.emplace(entry.kind, entry.number).second) {
      return Tell(at, fmt::format("the number {} stands there twice", entry.number));
    }
    ids_.insert(NodeIdOf(entry));
    network_.nodes.push_back(std::move(entry));
  }

  void ReadRoom(const Json& one, const std::string& at) {
    NodeRoom room;
    std::string sensor;
    if (!Text(one, at, "sensor", 32, &sensor) || !Text(one, at, "name", kMaxNodeNameBytes, &room.name)) return;
    if (!ParseHexBytes(sensor, room.sensor)) return Tell(at, "\"sensor\" must be 16 hex digits");
    network_.rooms.push_back(std::move(room));
  }

  void ReadSchedule(const Json& one, const std::string& at) {
    NodeSchedule schedule;
    std::string time;
    std::optional<Decimal> value;
    if (!Text(one, at, "node", kMaxNodeNameBytes, &schedule.node) || !Text(one, at, "at", 5, &time) ||
        !Number(one, at, "item", 0, link::kFirstSystemItem - 1, &schedule.item) ||
        !DecimalAt(one, at, "value", &value)) {
      return;
    }
    if (schedule.node.empty() || !value) return Tell(at, "\"node\" and \"value\" are needed");
    if (!ParseMinute(time, &schedule.minute)) return Tell(at, "\"at\" must be a time such as 06:30");
    schedule.value = *value;
    const auto days = one.find("days");
    if (days == one.end() || !days->is_array()) return Tell(at, "\"days\" must be a list of mon ... sun");
    for (const Json& day : *days) {
      const std::string text = day.is_string() ? day.get<std::string>() : "";
      const auto name = std::find(std::begin(kDayNames), std::end(kDayNames), text);
      if (name == std::end(kDayNames)) return Tell(at, "\"days\" must be a list of mon ... sun");
      schedule.days = static_cast<uint8_t>(schedule.days | 1u << (name - std::begin(kDayNames)));
    }
    network_.schedules.push_back(std::move(schedule));
  }

  static bool KindOf(std::string_view name, NodeKind* out) {
    for (const NodeKind kind : {NodeKind::kLink, NodeKind::kVesta2025, NodeKind::kVesta2022, NodeKind::kVictron}) {
      if (NodeKindName(kind) != name) continue;
      *out = kind;
      return true;
    }
    return false;
  }

  static bool ParseMinute(std::string_view text, uint16_t* out) {
    if (text.size() != 5 || text[2] != ':') return false;
    for (const size_t i : {0u, 1u, 3u, 4u}) {
      if (text[i] < '0' || text[i] > '9') return false;
    }
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    *out = static_cast<uint16_t>(hour * 60 + minute);
    return minute < 60 && *out < kMinutesPerDay;
  }

  Network& network_;
  std::vector<std::string>& problems_;
  std::set<std::string> ids_;
  std::set<std::pair<NodeKind, uint16_t>> numbers_;
};

OrderedJson ItemsJson(const std::vector<NodeItem>& items) {
  OrderedJson list = OrderedJson::array();
  for (const NodeItem& item : items) {
    OrderedJson one = {{"index", item.index}};
    if (!item.name.empty()) one["name"] = item.name;
    if (item.min) one["min"] = NumberJson(*item.min);
    if (item.max) one["max"] = NumberJson(*item.max);
    if (item.is_hidden) one["hidden"] = true;
    list.push_back(std::move(one));
  }
  return list;
}

OrderedJson NodeJson(const NodeEntry& entry) {
  OrderedJson one = {{"protocol", NodeKindName(entry.kind)}};
  if (entry.number != 0) one["number"] = entry.number;
  if (entry.has_address) one["address"] = AddressText(entry.address);
  if (!entry.name.empty()) one["name"] = entry.name;
  if (!entry.group.empty()) one["group"] = entry.group;
  if (!entry.template_name.empty()) one["template"] = entry.template_name;
  if (entry.insecure_writes) one["insecure_writes"] = true;
  for (const LegacyDevice& device : entry.devices) {
    OrderedJson made = {{"id", device.id}, {"type", kTypeNames[std::min<size_t>(device.type, 2)]}};
    if (!device.name.empty()) made["name"] = device.name;
    if (device.control != 0) made["control"] = device.control;
    if (device.set_point) made["set_point"] = NumberJson(*device.set_point);
    if (device.hysteresis) made["hysteresis"] = NumberJson(*device.hysteresis);
    one["devices"].push_back(std::move(made));
  }
  if (!entry.items.empty()) one["items"] = ItemsJson(entry.items);
  if (!entry.functions.empty()) one["functions"] = OrderedJson::parse(entry.functions, nullptr, false);
  return one;
}

}  // namespace

tl::expected<Network, std::string> ReadNetwork(std::string_view json, std::vector<std::string>* problems) {
  if (json.size() > kMaxNetworkBytes) return tl::unexpected(std::string("this is too large for a description"));
  const Json root = Json::parse(json, nullptr, false);
  if (!root.is_object()) return tl::unexpected(std::string("this is no JSON object"));
  if (!root.contains("format") || root["format"] != kFormat) {
    return tl::unexpected(std::string("\"format\" is not \"vesta-network\": see docs/formats/network.md"));
  }
  if (!root.contains("version") || root["version"] != kVersion) {
    return tl::unexpected(std::string("this version of the description is not known here"));
  }
  Network network;
  Reader(&network, problems).ReadAll(root);
  return network;
}

std::string WriteNetwork(const Network& network) {
  OrderedJson root = {{"format", kFormat}, {"version", kVersion}};
  root["hub"] = {{"id", network.hub_id}, {"network", network.number}};
  root["limits"] = {{"max_nodes", network.max_nodes}};
  for (const NodeGroup& group : network.groups) root["groups"].push_back({{"key", group.key}, {"name", group.name}});
  for (const NodeTemplate& one : network.templates) {
    OrderedJson made = {{"name", one.name}};
    if (!one.items.empty()) made["items"] = ItemsJson(one.items);
    if (!one.functions.empty()) made["functions"] = OrderedJson::parse(one.functions, nullptr, false);
    root["templates"].push_back(std::move(made));
  }
  root["nodes"] = OrderedJson::array();
  for (const NodeEntry& entry : network.nodes) root["nodes"].push_back(NodeJson(entry));
  for (const NodeRoom& room : network.rooms) {
    root["rooms"].push_back({{"sensor", SensorText(room.sensor)}, {"name", room.name}});
  }
  for (const NodeSchedule& schedule : network.schedules) {
    OrderedJson one = {{"node", schedule.node}, {"item", schedule.item}};
    one["days"] = OrderedJson::array();
    for (size_t day = 0; day < std::size(kDayNames); ++day) {
      if ((schedule.days >> day & 1) != 0) one["days"].push_back(kDayNames[day]);
    }
    one["at"] = fmt::format("{:02}:{:02}", schedule.minute / 60, schedule.minute % 60);
    one["value"] = NumberJson(schedule.value);
    root["schedules"].push_back(std::move(one));
  }
  return root.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace vesta::hub
