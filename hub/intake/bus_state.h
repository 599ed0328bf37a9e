// A MasterBus as people look at it, in plain values: devices, items with their newest values, who asks whom, commands,
// and frames that nobody understands. A copy, made when somebody looks; texts are UTF-8 and come from the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/time.h"

namespace vesta::masterbus {
class MasterBusSession;
}

namespace vesta::hub {

struct BusItem {
  uint16_t number = 0;
  std::string menu;  // "monitoring", "alarm", "history", "configuration"
  std::string label;
  std::string unit;
  std::string field;            // key of the field that it is; "" as long as it has had no value
  std::optional<double> value;  // the number on the wire; empty: none yet, or not available
  std::string text;             // what the number means: an option's label, a date, a time; "" for plain numbers
  std::optional<double> lowest;
  std::optional<double> highest;
  uint64_t values = 0;
  uint64_t asked = 0;  // by others
  std::optional<int64_t> age_us;
};

struct BusNode {
  uint32_t address = 0;
  uint8_t type = 0;
  uint32_t unique_id = 0;
  std::string name;
  std::string article;
  std::string serial;
  bool online = false;
  bool is_tentative = false;      // has yet to prove itself
  std::optional<int64_t> age_us;  // since it was heard; empty: known from before, not heard since the start
  double frames_per_second = 0;
  uint64_t frames = 0;
  uint64_t announces = 0;
  uint64_t polls = 0;  // only nodes that poll ask others
  uint64_t refusals = 0;
  uint64_t commands = 0;
  uint64_t malformed = 0;
  uint64_t asked_values = 0;
  uint64_t asked_properties = 0;
  uint64_t asked_items = 0;
  uint64_t asked_groups = 0;
  std::optional<int64_t> asked_age_us;
  std::vector<uint32_t> possible_askers;  // addresses; one: it is plain who asks
  std::vector<BusItem> items;
};

struct BusCommand {
  UtcUs time_us = 0;
  uint32_t address = 0;
  uint16_t item = 0;
  std::string label;
  double value = 0;
  std::optional<uint32_t> commander;
};

struct BusAbsentee {
  uint32_t address = 0;
  uint64_t requests = 0;
  UtcUs last_us = 0;
};

struct BusUnknown {
  uint32_t id = 0;
  bool is_extended = false;
  bool is_remote = false;
  std::vector<uint8_t> data;   // of the last one
  std::vector<uint8_t> moved;  // places of bytes that were not always the same
  bool size_changed = false;
  uint64_t count = 0;
  UtcUs first_us = 0;
  UtcUs last_us = 0;
};

struct BusState {
  double frames_per_second = 0;
  uint64_t frames = 0;
  std::vector<std::pair<std::string, uint64_t>> roles;  // frames by what they are for; those that came at all
  uint64_t error_frames = 0;
  uint64_t bus_offs = 0;
  bool asks = false;  // Vesta asks on this bus itself
  uint64_t questions = 0;
  uint64_t devices_refused = 0;  // for which there was no room
  uint64_t unknown_forgotten = 0;
  std::vector<BusNode> nodes;
  std::vector<BusCommand> commands;  // newest first
  std::vector<BusAbsentee> absent;
  std::vector<BusUnknown> unknown;
};

BusState DescribeBus(const masterbus::MasterBusSession& session, const Now& now);

}  // namespace vesta::hub
