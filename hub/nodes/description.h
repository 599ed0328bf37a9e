// What a node says of itself, read from its CBOR: its items with their meaning. docs/formats/node-items.md has the
// form.
//
// Comes from the air, from a joined node: bounded and checked, every text cleaned. An item that can't be read is left
// out and counted; the rest holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/field.h"
#include "model/value.h"

namespace vesta::hub {

// 255 chunks of a description is what the link can carry; no node has so much memory.
inline constexpr size_t kMaxDescriptionBytes = 16 * 1024;
inline constexpr size_t kMaxDescribedItems = 239;
inline constexpr size_t kMaxItemStates = 64;
inline constexpr size_t kMaxItemTextBytes = 64;

// An item of this kind carries frames of another protocol in pieces.
struct ItemSpec {
  uint8_t index = 0;
  uint32_t card = 0;
  std::string function;
  std::string key;
  std::string name;
  std::string id;
  FieldKind kind = FieldKind::kGauge;
  bool is_frames = false;
  std::string protocol;  // of frames
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  int8_t exponent = 0;
  int8_t decimals = 0;
  bool is_writable = false;
  std::optional<int64_t> min;  // integers of the same exponent
  std::optional<int64_t> max;
  std::optional<int64_t> step;
  uint32_t period_s = 0;
  std::vector<std::string> states;
};

struct NodeDescription {
  uint32_t hash = 0;
  std::string name;
  std::vector<ItemSpec> items;  // by index
  size_t left_out = 0;

  const ItemSpec* Find(uint8_t index) const;
  // Which part of the node an item belongs to, the same tomorrow: "thermometer-kitchen"; "" for the node itself. Two
  // parts of one function without names are told apart by their cards.
  std::string PartOf(const ItemSpec& spec) const;
};

// nullopt: this is no description. `hash` is made from the bytes.
std::optional<NodeDescription> ReadDescription(std::span<const uint8_t> cbor);

// [a-z0-9_]+ of any text, at most `most` bytes; "" when nothing is left.
std::string CleanWord(std::string_view text, size_t most);

}  // namespace vesta::hub
