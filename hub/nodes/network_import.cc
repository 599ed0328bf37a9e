// Reads the two files of the original server into our description.
//
// Struct.json: {"Peers":[{PeerID, Devices[{ID, Type, Title, CtrlID, SP?, Hyst?}]}], "DataTypes", "HTMLs", "Titles"};
// older ones wrap the parts as {"Struct":[{..},{..}]}. peersList.js: {"channel", "Peers":[{PeerID, mac, DeviceIds[12],
// DeviceTypes[12]}]}. Numbers may be texts. The HTML templates are not taken: cards follow from what a device is.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hub/nodes/network.h"
#include "hub/nodes/network_values.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxPeerId = 254;

std::optional<int64_t> NumberAt(const Json& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() ? std::nullopt : WholeNumber(*found);
}

std::string NameAt(const Json& in, const char* key) {
  const auto found = in.find(key);
  if (found == in.end() || !found->is_string()) return "";
  const std::string& text = found->get_ref<const std::string&>();
  return IsNameText(text, kMaxNodeNameBytes) ? text : "";
}

std::optional<Decimal> DecimalAt(const Json& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() ? std::nullopt : DecimalOf(*found);
}

// The parts of an older file stand one by one in a list.
Json Unwrapped(Json root) {
  if (!root.is_object() || !root.contains("Struct") || !root["Struct"].is_array()) return root;
  Json flat = Json::object();
  for (const Json& part : root["Struct"]) {
    if (part.is_object()) flat.update(part);
  }
  return flat;
}

tl::expected<Json, std::string> Parse(std::string_view text) {
  if (text.size() > kMaxNetworkBytes) return tl::unexpected(std::string("this file is too large"));
  Json root = Unwrapped(Json::parse(text, nullptr, false));
  if (!root.is_object() || !root.contains("Peers") || !root["Peers"].is_array()) {
    return tl::unexpected(std::string("this is no file of the original server: it has no list \"Peers\""));
  }
  return root;
}

NodeEntry& EntryOf(Network* network, uint16_t id) {
  for (NodeEntry& entry : network->nodes) {
    if (entry.kind == NodeKind::kVesta2025 && entry.number == id) return entry;
  }
  NodeEntry& entry = network->nodes.emplace_back();
  entry.kind = NodeKind::kVesta2025;
  entry.number = id;
  return entry;
}

// What is wrong, "" when nothing is.
std::string ReadDevice(const Json& device, NodeEntry* entry) {
  if (!device.is_object()) return "this is no object";
  const auto id = NumberAt(device, "ID");
  const auto type = NumberAt(device, "Type");
  const auto control = NumberAt(device, "CtrlID");
  if (!id || *id < 1 || *id > kMaxPeerId) return "\"ID\" is no number from 1 to 254";
  if (!type || *type < 0 || *type > 2) return "\"Type\" is not 0, 1 or 2";
  LegacyDevice made;
  made.id = static_cast<uint8_t>(*id);
  made.type = static_cast<uint8_t>(*type);
  if (control && *control >= 0 && *control <= 255) made.control = static_cast<uint8_t>(*control);
  made.name = NameAt(device, "Title");
  made.set_point = DecimalAt(device, "SP");
  made.hysteresis = DecimalAt(device, "Hyst");
  for (const LegacyDevice& other : entry->devices) {
    if (other.id == made.id) return "this ID stands there twice";
  }
  if (entry->devices.size() >= espnow::legacy::kSlots) return "a node has at most 12 devices";
  entry->devices.push_back(std::move(made));
  return "";
}

bool ReadMac(const Json& peer, link::Address* out) {
  const auto mac = peer.find("mac");
  if (mac == peer.end()) return false;
  if (mac->is_string()) return ParseNodeAddress(mac->get_ref<const std::string&>(), out);
  if (!mac->is_array() || mac->size() != out->size()) return false;
  for (size_t i = 0; i < out->size(); ++i) {
    const auto byte = WholeNumber((*mac)[i]);
    if (!byte || *byte < 0 || *byte > 255) return false;
    (*out)[i] = static_cast<uint8_t>(*byte);
  }
  return true;
}

void ReadTitles(const Json& root, Network* network, std::vector<std::string>* problems) {
  const auto titles = root.find("Titles");
  if (titles == root.end()) return;
  // A list of objects with one sensor each, or one object with all.
  std::vector<std::pair<std::string, Json>> pairs;
  const auto take = [&](const Json& object) {
    if (!object.is_object()) return;
    for (const auto& [key, value] : object.items()) pairs.emplace_back(key, value);
  };
  if (titles->is_array()) {
    for (const Json& one : *titles) take(one);
  } else {
    take(*titles);
  }
  for (const auto& [key, value] : pairs) {
    NodeRoom room;
    if (!ParseHexBytes(key, room.sensor) || !value.is_string() ||
        !IsNameText(value.get_ref<const std::string&>(), kMaxNodeNameBytes) || network->rooms.size() >= kMaxRooms) {
      problems->push_back(fmt::format("Titles: \"{}\" is left out", key.substr(0, kMaxNodeNameBytes)));
      continue;
    }
    room.name = value.get<std::string>();
    std::erase_if(network->rooms, [&](const NodeRoom& other) { return other.sensor == room.sensor; });
    network->rooms.push_back(std::move(room));
  }
}

}  // namespace

tl::expected<void, std::string> ImportStruct(std::string_view json, Network* network,
                                             std::vector<std::string>* problems) {
  const auto root = Parse(json);
  if (!root) return tl::unexpected(root.error());
  for (size_t i = 0; i < (*root)["Peers"].size(); ++i) {
    const Json& peer = (*root)["Peers"][i];
    const auto id = peer.is_object() ? NumberAt(peer, "PeerID") : std::nullopt;
    if (!id || *id < 1 || *id > kMaxPeerId) {
      problems->push_back(fmt::format("Peers[{}]: \"PeerID\" is no number from 1 to 254; left out", i));
      continue;
    }
    NodeEntry& entry = EntryOf(network, static_cast<uint16_t>(*id));
    entry.devices.clear();
    const auto devices = peer.find("Devices");
    if (devices == peer.end() || !devices->is_array()) continue;
    for (size_t d = 0; d < devices->size(); ++d) {
      const std::string wrong = ReadDevice((*devices)[d], &entry);
      if (!wrong.empty()) problems->push_back(fmt::format("Peers[{}].Devices[{}]: {}; left out", i, d, wrong));
    }
  }
  ReadTitles(*root, network, problems);
  return {};
}

tl::expected<void, std::string> ImportPeers(std::string_view json, Network* network,
                                            std::vector<std::string>* problems) {
  const auto root = Parse(json);
  if (!root) return tl::unexpected(root.error());
  for (size_t i = 0; i < (*root)["Peers"].size(); ++i) {
    const Json& peer = (*root)["Peers"][i];
    const auto id = peer.is_object() ? NumberAt(peer, "PeerID") : std::nullopt;
    link::Address address = {};
    if (!id || *id < 1 || *id > kMaxPeerId || !ReadMac(peer, &address)) {
      problems->push_back(fmt::format("Peers[{}]: no \"PeerID\" from 1 to 254 with a \"mac\"; left out", i));
      continue;
    }
    NodeEntry& entry = EntryOf(network, static_cast<uint16_t>(*id));
    // The original keeps zeros for a node that never paired.
    entry.has_address = address != link::Address{};
    entry.address = address;
  }
  return {};
}

}  // namespace vesta::hub
