// The description of a network of nodes, as the operator keeps it in a JSON file: which nodes belong to it, what they
// are called and do, limits, rooms of sensors, and the weekday schedules of set-points. docs/formats/network.md has the
// form.
//
// Holds no secret: it may be shown and exported. A wrong entry is left out and told, the rest holds. Reads the two
// files of the original server, too. Texts come from people or from files: hostile until escaped.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/field.h"
#include "model/value.h"
#include "protocols/espnow/legacy_network.h"
#include "protocols/link/wire.h"

namespace vesta::hub {

inline constexpr size_t kMaxNetworkBytes = 4u << 20;
inline constexpr uint16_t kMaxListedNodes = 10000;  // what a hub is measured with
inline constexpr size_t kMaxNodeItems = 64;
inline constexpr size_t kMaxGroups = 64;
inline constexpr size_t kMaxRooms = 256;
inline constexpr size_t kMaxSchedules = 512;
inline constexpr size_t kMaxTemplates = 64;
inline constexpr size_t kMaxNodeNameBytes = 64;
inline constexpr size_t kMaxFunctionsBytes = 4096;  // what a node takes as its configuration

enum class NodeKind : uint8_t { kLink, kVesta2025, kVesta2022, kVictron };
std::string_view NodeKindName(NodeKind kind);  // "link", "vesta-2025", "vesta-2022", "victron"

// One thing that a node measures or can be told. `mentioned` fields override what the node says of itself.
struct NodeItem {
  uint8_t index = 0;
  std::string name;
  std::optional<Decimal> min;  // of what may be asked for
  std::optional<Decimal> max;
  bool is_hidden = false;  // not made into a series
};

struct LegacyDevice {
  uint8_t id = 0;  // 1..12
  uint8_t type = 0;
  uint8_t control = 0;
  std::string name;
  std::optional<Decimal> set_point;  // that its owner wanted when the file was written
  std::optional<Decimal> hysteresis;
};

struct NodeEntry {
  NodeKind kind = NodeKind::kLink;
  uint16_t number = 0;  // link: the number that the hub gives it; 0 = any. Legacy: its peer id
  bool has_address = false;
  link::Address address = {};
  std::string name;
  std::string group;
  std::string template_name;
  // Legacy nodes can't prove who speaks to them or for them: nothing is sent to them unless their owner says so here.
  bool insecure_writes = false;
  std::vector<LegacyDevice> devices;
  std::vector<NodeItem> items;
  std::string functions;  // JSON for the node, "" = none
};

struct NodeGroup {
  std::string key;
  std::string name;
};

// Items and functions that several nodes share; a node's own win.
struct NodeTemplate {
  std::string name;
  std::vector<NodeItem> items;
  std::string functions;
};

// Sends a value at a time of the week, by the site's clock.
struct NodeSchedule {
  std::string node;  // id, see NodeIdOf
  uint8_t item = 0;
  uint8_t days = 0;     // bit 0 = Monday
  uint16_t minute = 0;  // of the day
  Decimal value;
};

struct NodeRoom {
  espnow::legacy::SensorAddress sensor = {};
  std::string name;
};

struct Network {
  uint8_t hub_id = 1;   // of the original protocol, 1..255
  uint16_t number = 1;  // of the node link
  uint16_t max_nodes = 256;
  std::vector<NodeGroup> groups;
  std::vector<NodeTemplate> templates;
  std::vector<NodeEntry> nodes;
  std::vector<NodeRoom> rooms;
  std::vector<NodeSchedule> schedules;

  const NodeEntry* FindAddress(const link::Address& address) const;
  const NodeEntry* FindLegacy(NodeKind kind, uint16_t number) const;
  const NodeEntry* FindId(std::string_view id) const;
  // With the template's laid under; nullptr when nobody says anything of this item.
  const NodeItem* FindItem(const NodeEntry& entry, uint8_t index) const;
  const std::string& FunctionsOf(const NodeEntry& entry) const;
  std::string_view GroupName(std::string_view key) const;
  std::string_view RoomOf(const espnow::legacy::SensorAddress& sensor) const;
};

// "02bb00000001" of a link node, "vesta-3", "vesta2022-3"; "" of a link node without address.
std::string NodeIdOf(const NodeEntry& entry);
std::string AddressText(const link::Address& address);
// The sender's number in LinkFacts and in maps.
uint64_t AddressNumber(const link::Address& address);
bool ParseNodeAddress(std::string_view text, link::Address* out);
// As the original's files name a sensor: "28:7e:c6:38:0a:00:00:15".
std::string SensorText(const espnow::legacy::SensorAddress& sensor);

// The error: this is no description at all. *problems: entries that were left out, for people.
tl::expected<Network, std::string> ReadNetwork(std::string_view json, std::vector<std::string>* problems);
std::string WriteNetwork(const Network& network);

// The original server's files: its structure (Struct.json, with or without the wrapper of older ones) and its list of
// radio addresses (peersList.js). Adds to the network; what it has under the same id is replaced.
tl::expected<void, std::string> ImportStruct(std::string_view json, Network* network,
                                             std::vector<std::string>* problems);
tl::expected<void, std::string> ImportPeers(std::string_view json, Network* network,
                                            std::vector<std::string>* problems);

}  // namespace vesta::hub
