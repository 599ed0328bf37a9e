// Writes what the node says of itself, as CBOR. The form is docs/formats/node-items.md.
//
// The text is made anew for each piece that the hub asks for, and only the bytes of that piece are kept: a description
// of several kilobytes costs no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/field.h"

namespace vesta::node {

// CBOR of which the bytes from `begin` on go to `out`; the rest is only counted.
class CborWindow {
 public:
  CborWindow(size_t begin, std::span<uint8_t> out) : begin_(begin), out_(out) {}
  void Map(size_t pairs) { Head(5, pairs); }
  void Array(size_t items) { Head(4, items); }
  void Text(std::string_view text);
  void Integer(int64_t value);
  size_t size() const { return at_; }

 private:
  void Head(uint8_t major, uint64_t value);
  void Byte(uint64_t byte);

  size_t begin_;
  std::span<uint8_t> out_;
  size_t at_ = 0;
};

struct ItemDescription {
  uint8_t index = 0;
  uint8_t card = 0;
  std::string_view function;
  std::string_view key;
  std::string_view name;
  std::string_view id = {};  // "" = none
  std::string_view kind = "gauge";
  Quantity quantity = Quantity::kNone;
  Unit unit = Unit::kNone;
  int8_t exponent = 0;
  uint8_t decimals = 0;
  bool is_writable = false;
  int64_t min = 0;  // of a writable gauge
  int64_t max = 0;
  int64_t step = 0;
  int32_t period_s = 0;
  std::span<const std::string_view> states = {};
  std::string_view protocol = {};
};

class ItemSink {
 public:
  virtual ~ItemSink() = default;
  virtual void Add(const ItemDescription& item) = 0;
};

void WriteItem(const ItemDescription& item, CborWindow& out);

}  // namespace vesta::node
