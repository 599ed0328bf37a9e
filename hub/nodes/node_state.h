// What a network remembers of one node while the hub runs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/nodes/description.h"
#include "hub/nodes/field_registry.h"
#include "hub/nodes/node_desk.h"
#include "protocols/link/relay.h"
#include "protocols/link/wire.h"

namespace vesta::hub {

struct ItemState {
  const ItemSpec* spec = nullptr;  // nullptr: the node's description lacks it
  uint16_t slot = kNoDevice;
  uint16_t field = kNoField;
  bool is_hidden = false;
};

// The last wish for an item, also when it was answered.
struct NodeCommand {
  uint32_t version = 0;  // by which the link knows it; 0 = not handed over
  WishView view;
  int tries = 0;
  std::optional<WishState> told;  // the state that was told last
};

// The last order to load a firmware.
struct NodeUpdate {
  uint32_t target = 0;
  uint32_t version = 0;
  uint32_t size = 0;
  uint32_t loaded = 0;  // bytes
  UpdateState state = UpdateState::kWaiting;
  std::string reason;
  UtcUs since_us = 0;
};

struct Relay {
  std::array<uint8_t, link::kMaxRelayFrame> memory;
  link::RelayJoiner joiner{memory};
  bool is_half = false;
};

struct NodeState {
  std::string id;
  NodeKind kind = NodeKind::kLink;
  uint16_t number = 0;
  bool has_address = false;
  link::Address address = {};
  uint16_t slot = kNoDevice;  // of the node itself
  std::string label;          // name that it gives itself

  link::NodeInfo info;
  std::shared_ptr<const NodeDescription> description;
  std::vector<uint8_t> gathered;  // of a description
  uint8_t next_chunk = 0;
  int64_t asked_us = INT64_MIN;  // monotonic: since when its description is waited for
  std::map<uint8_t, ItemState> items;
  std::map<std::string, uint16_t> slots;  // by part of the node
  std::map<uint8_t, std::unique_ptr<Relay>> relays;
  std::map<uint8_t, NodeCommand> commands;
  std::unique_ptr<NodeUpdate> update;

  bool is_sleepy = false;
  int16_t rssi_dbm = 0;
  uint8_t channel = 0;
  UtcUs heard_us = 0;
  int64_t heard_monotonic_us = INT64_MIN;
  int64_t signal_told_us = INT64_MIN;
  uint32_t told_epoch = 0;
  uint64_t reports = 0;
  uint64_t unknown_items = 0;
  uint64_t busy_reports = 0;
  std::string note;
  std::string problem;  // what the node itself says is wrong
};

}  // namespace vesta::hub
