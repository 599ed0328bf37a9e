#include "node/description.h"

namespace vesta::node {

void CborWindow::Byte(uint64_t byte) {
  if (at_ >= begin_ && at_ - begin_ < out_.size()) out_[at_ - begin_] = static_cast<uint8_t>(byte);
  ++at_;
}

void CborWindow::Head(uint8_t major, uint64_t value) {
  const auto type = static_cast<uint64_t>(major) << 5;
  const int bytes = value < 24 ? 0 : value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFFFFFF ? 4 : 8;
  constexpr uint8_t kLength[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
  Byte(type | (bytes == 0 ? value : kLength[bytes]));
  for (int i = bytes - 1; i >= 0; --i) Byte(value >> (8 * i) & 0xFF);
}

void CborWindow::Text(std::string_view text) {
  Head(3, text.size());
  for (const char c : text) Byte(static_cast<uint8_t>(c));
}

void CborWindow::Integer(int64_t value) {
  if (value >= 0) return Head(0, static_cast<uint64_t>(value));
  Head(1, static_cast<uint64_t>(-(value + 1)));
}

namespace {

// Calls `visit` for each pair that is not at its default, so that counting and writing are one list.
template <typename Visit>
void ForEachPair(const ItemDescription& item, const Visit& visit) {
  const auto text = [&visit](std::string_view key, std::string_view value) {
    if (!value.empty()) visit(key, value, 0);
  };
  const auto number = [&visit](std::string_view key, int64_t value, bool is_given) {
    if (is_given) visit(key, {}, value);
  };
  number("index", item.index, true);
  number("card", item.card, true);
  text("function", item.function);
  text("key", item.key);
  text("name", item.name);
  text("id", item.id);
  text("kind", item.kind);
  text("quantity", item.quantity == Quantity::kNone ? std::string_view() : QuantityName(item.quantity));
  text("unit", UnitText(item.unit));
  number("exponent", item.exponent, item.exponent != 0);
  number("decimals", item.decimals, item.decimals != 0);
  number("writable", 1, item.is_writable);
  const bool has_bounds = item.is_writable && item.max > item.min;
  number("min", item.min, has_bounds);
  number("max", item.max, has_bounds);
  number("step", item.step, has_bounds);
  number("period", item.period_s, item.period_s != 0);
  text("protocol", item.protocol);
}

}  // namespace

void WriteItem(const ItemDescription& item, CborWindow& out) {
  size_t pairs = item.states.empty() ? 0 : 1;
  ForEachPair(item, [&pairs](std::string_view, std::string_view, int64_t) { ++pairs; });
  out.Map(pairs);
  ForEachPair(item, [&out](std::string_view key, std::string_view text, int64_t value) {
    out.Text(key);
    if (text.empty())
      out.Integer(value);
    else
      out.Text(text);
  });
  if (item.states.empty()) return;
  out.Text("states");
  out.Array(item.states.size());
  for (const std::string_view state : item.states) out.Text(state);
}

}  // namespace vesta::node
