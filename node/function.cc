#include "node/function.h"

namespace vesta::node {

void Board::EmitInteger(uint8_t index, int64_t value, link::Status status_of) {
  link::Item item = link::IntegerItem(index, value);
  item.status = status_of;
  Emit(item);
}

void Board::EmitState(uint8_t index, uint8_t state, link::Status status_of) {
  Emit({index, link::ValueType::kState, status_of, state, 0, {}});
}

void Board::EmitNothing(uint8_t index, link::Status status_of) {
  Emit({index, link::ValueType::kNone, status_of, 0, 0, {}});
}

void Board::EmitText(uint8_t index, std::string_view text) {
  const Bytes bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  Emit({index, link::ValueType::kBytes, link::Status::kOk, 0, 0, bytes});
}

Temperature* Board::FindTemperature(const SensorId& id) {
  for (Temperature& t : temperatures) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

Temperature* Board::PlaceOf(const SensorId& id) {
  if (Temperature* known = FindTemperature(id)) return known;
  Temperature* free = FindTemperature({});
  if (free != nullptr) free->id = id;
  return free;
}

ItemDescription Function::Described(uint8_t place, std::string_view key, std::string_view kind) const {
  ItemDescription item;
  item.index = static_cast<uint8_t>(first_item_ + place);
  item.card = card_;
  item.function = NameOf(config_.type);
  item.key = key;
  item.name = config_.name.view();
  item.kind = kind;
  item.period_s = config_.period_s;
  return item;
}

int64_t Function::After(int64_t due_us, int64_t now_us) const {
  const int64_t next_us = due_us + period_us();
  return next_us > now_us ? next_us : now_us + period_us();
}

}  // namespace vesta::node
