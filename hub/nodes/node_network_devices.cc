// Nodes as the hub's devices: slots, names, readings.
#include <fmt/format.h>

#include <algorithm>

#include "hub/nodes/node_network.h"

namespace vesta::hub {

NodeState& NodeNetwork::StateOf(NodeKind kind, uint16_t number, const link::Address& address) {
  NodeEntry key;
  key.kind = kind;
  key.number = number;
  key.has_address = true;
  key.address = address;
  const std::string id = NodeIdOf(key);
  std::unique_ptr<NodeState>& state = nodes_[id];
  if (state == nullptr) {
    state = std::make_unique<NodeState>();
    state->id = id;
    state->kind = kind;
  }
  state->number = number;
  state->has_address = address != link::Address{};
  state->address = address;
  if (kind == NodeKind::kLink) {
    // It may have had another number before, and the number another node.
    std::erase_if(by_number_, [&](const auto& one) { return one.second == state.get(); });
    by_number_[number] = state.get();
  }
  return *state;
}

NodeState* NodeNetwork::FindState(std::string_view id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second.get();
}

NodeState* NodeNetwork::FindNumber(uint16_t number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

void NodeNetwork::TellDevice(NodeState& node) {
  if (node.slot == kNoDevice) node.slot = next_slot_++;
  const NodeEntry* entry = network_.FindId(node.id);
  const std::string firmware = node.info.firmware == 0 ? "" : FirmwareText(node.info.firmware);
  DeviceInfo info;
  info.identity = node.id;
  info.identity_on_wire = true;
  info.kind = DeviceKind::kNode;
  info.model = node.label;
  info.firmware = firmware;
  events_->OnDevice(node.slot, info);
  ApplyNames(node.id, entry == nullptr ? "" : entry->name, entry == nullptr ? "" : entry->group);
}

uint16_t NodeNetwork::SlotOf(NodeState& node, const std::string& suffix, const std::string& label, DeviceKind kind) {
  const auto known = node.slots.find(suffix);
  if (known != node.slots.end()) return known->second;
  if (node.slot == kNoDevice) TellDevice(node);
  if (next_slot_ == kNoDevice) return kNoDevice;
  const uint16_t slot = next_slot_++;
  node.slots.emplace(suffix, slot);
  const std::string identity = fmt::format("{}-{}", node.id, suffix);
  DeviceInfo info;
  info.identity = identity;
  info.identity_on_wire = true;
  info.kind = kind;
  info.model = label;
  info.parent = node.slot;
  events_->OnDevice(slot, info);
  const NodeEntry* entry = network_.FindId(node.id);
  ApplyNames(identity, label, entry == nullptr ? "" : entry->group);
  return slot;
}

// The description's names hold as long as the user gave none on the page.
void NodeNetwork::ApplyNames(const std::string& identity, const std::string& name, const std::string& group) {
  const Device* device = DeviceOf(identity);
  if (device == nullptr || !device->name.empty() || !device->place.empty()) return;
  if (name.empty() && group.empty()) return;
  const DeviceId id = device->id;
  if (host_.directory.SetName(id, name, std::string(network_.GroupName(group)))) host_.live.AnnounceDevice(id);
}

void NodeNetwork::AddReading(uint16_t slot, uint16_t field, Value value, UtcUs time_us, TimeQuality quality,
                             uint8_t flags, ValueQuality value_quality) {
  if (slot == kNoDevice || field == kNoField) return;
  Reading reading;
  reading.device = slot;
  reading.field = field;
  reading.quality = value_quality;
  reading.time_quality = quality;
  reading.flags = flags;
  reading.time_us = time_us;
  reading.value = value;
  readings_.push_back(reading);
}

void NodeNetwork::AddHubReading(uint16_t slot, uint16_t field, Value value) {
  const bool is_sure = now_.clock == ClockQuality::kSynchronised;
  AddReading(slot, field, value, now_.utc_us,
             is_sure ? TimeQuality::kHubSynchronised : TimeQuality::kHubNotSynchronised);
}

}  // namespace vesta::hub
