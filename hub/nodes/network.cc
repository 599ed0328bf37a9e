#include "hub/nodes/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "hub/nodes/network_values.h"

namespace vesta::hub {
namespace {

constexpr std::string_view kKindNames[] = {"link", "vesta-2025", "vesta-2022", "victron"};

const NodeItem* FindIn(const std::vector<NodeItem>& items, uint8_t index) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const NodeItem& i) { return i.index == index; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

std::string_view NodeKindName(NodeKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

const NodeEntry* Network::FindAddress(const link::Address& address) const {
  for (const NodeEntry& entry : nodes) {
    if (entry.has_address && entry.address == address) return &entry;
  }
  return nullptr;
}

const NodeEntry* Network::FindLegacy(NodeKind kind, uint16_t id) const {
  for (const NodeEntry& entry : nodes) {
    if (entry.kind == kind && entry.number == id) return &entry;
  }
  return nullptr;
}

const NodeEntry* Network::FindId(std::string_view id) const {
  for (const NodeEntry& entry : nodes) {
    if (NodeIdOf(entry) == id) return &entry;
  }
  return nullptr;
}

const NodeItem* Network::FindItem(const NodeEntry& entry, uint8_t index) const {
  if (const NodeItem* own = FindIn(entry.items, index)) return own;
  for (const NodeTemplate& one : templates) {
    if (one.name == entry.template_name) return FindIn(one.items, index);
  }
  return nullptr;
}

const std::string& Network::FunctionsOf(const NodeEntry& entry) const {
  if (!entry.functions.empty()) return entry.functions;
  for (const NodeTemplate& one : templates) {
    if (one.name == entry.template_name) return one.functions;
  }
  return entry.functions;
}

std::string_view Network::GroupName(std::string_view key) const {
  for (const NodeGroup& group : groups) {
    if (group.key == key) return group.name;
  }
  return key;
}

std::string_view Network::RoomOf(const espnow::legacy::SensorAddress& sensor) const {
  for (const NodeRoom& room : rooms) {
    if (room.sensor == sensor) return room.name;
  }
  return {};
}

std::string AddressText(const link::Address& address) {
  std::string text;
  for (const uint8_t byte : address) text += fmt::format("{:02x}", byte);
  return text;
}

uint64_t AddressNumber(const link::Address& address) {
  uint64_t number = 0;
  for (const uint8_t byte : address) number = number << 8 | byte;
  return number;
}

bool ParseNodeAddress(std::string_view text, link::Address* out) { return ParseHexBytes(text, *out); }

std::string SensorText(const espnow::legacy::SensorAddress& sensor) {
  std::string text;
  for (const uint8_t byte : sensor) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", byte);
  return text;
}

std::string NodeIdOf(const NodeEntry& entry) {
  switch (entry.kind) {
    case NodeKind::kVesta2025:
      return fmt::format("vesta-{}", entry.number);
    case NodeKind::kVesta2022:
      return fmt::format("vesta2022-{}", entry.number);
    case NodeKind::kLink:
    case NodeKind::kVictron:
      break;
  }
  return entry.has_address ? AddressText(entry.address) : "";
}

}  // namespace vesta::hub
