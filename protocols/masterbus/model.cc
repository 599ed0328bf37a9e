#include "protocols/masterbus/model.h"

#include <algorithm>

namespace vesta::masterbus {
namespace {

uint32_t Mix(uint32_t value) {
  value *= 0x9E3779B1u;
  return value ^ value >> 15;
}

uint32_t ItemHash(uint16_t device, Menu menu, uint16_t number) {
  return Mix(static_cast<uint32_t>(device) << 19 | static_cast<uint32_t>(menu) << 16 | number);
}

// A power of two at least twice as large, so that open addressing stays short.
size_t HashSize(size_t entries) {
  size_t size = 16;
  while (size < 2 * entries) size *= 2;
  return size;
}

// Appends to a chained table of bounded size; nullptr when it is full.
template <typename Entry>
Entry* Append(std::vector<Entry>* table, size_t limit, uint16_t* head, uint16_t* count, size_t share,
              uint64_t* refused) {
  if (table->size() >= limit || *count >= share) {
    ++*refused;
    return nullptr;
  }
  Entry entry;
  entry.next = *head;
  *head = static_cast<uint16_t>(table->size());
  ++*count;
  table->push_back(entry);
  return &table->back();
}

template <typename Value>
bool Set(Value* to, Value value, uint16_t* known, uint16_t fact) {
  const bool changed = (*known & fact) == 0 || *to != value;
  *to = value;
  *known = static_cast<uint16_t>(*known | fact);
  return changed;
}

uint16_t FactOf(uint8_t op) {
  switch (op) {
    case kOpPresentation:
      return kHasPresentation;
    case kOpMinimum:
      return kHasMinimum;
    case kOpMaximumOrCount:
      return kHasMaximum;
    case kOpStep:
      return kHasStep;
    case kOpDefault:
      return kHasDefault;
    case kOpWritable:
      return kHasWritable;
    case kOpName:
      return kHasName;
    case kOpUnit:
      return kHasUnit;
    default:
      return 0;
  }
}

}  // namespace

Model::Model(const Limits& limits)
    : limits_(limits),
      devices_(limits.devices),
      device_hash_(HashSize(limits.devices), kNone),
      item_hash_(HashSize(limits.items), kNone) {
  items_.reserve(limits.items);
  texts_.reserve(limits.strings);
  options_.reserve(limits.options);
  groups_.reserve(limits.groups);
  places_.reserve(limits.group_places);
  properties_.reserve(limits.properties);
}

void Model::Clear() { *this = Model(limits_); }

uint16_t Model::FindDevice(uint32_t address) const {
  const size_t mask = device_hash_.size() - 1;
  for (size_t at = Mix(address) & mask;; at = (at + 1) & mask) {
    const uint16_t place = device_hash_[at];
    if (place == kNone || devices_[place].address == address) return place;
  }
}

void Model::Rehash() {
  std::fill(device_hash_.begin(), device_hash_.end(), kNone);
  const size_t mask = device_hash_.size() - 1;
  for (size_t place = 0; place < devices_.size(); ++place) {
    if (!devices_[place].used) continue;
    size_t at = Mix(devices_[place].address) & mask;
    while (device_hash_[at] != kNone) at = (at + 1) & mask;
    device_hash_[at] = static_cast<uint16_t>(place);
  }
}

// A free place, or that of the tentative device that was silent longest.
uint16_t Model::MakeRoom() {
  uint16_t oldest = kNone;
  const auto count = static_cast<uint16_t>(devices_.size());
  for (uint16_t at = 0; at < count; ++at) {
    const BusDevice& one = devices_[at];
    if (!one.used) return at;
    if (one.established) continue;
    if (oldest == kNone || one.last_heard_us < devices_[oldest].last_heard_us) oldest = at;
  }
  if (oldest != kNone) ++counters_.devices_evicted;
  return oldest;
}

uint16_t Model::AddDevice(uint32_t address, int64_t now_us) {
  if (const uint16_t known = FindDevice(address); known != kNone) return known;
  const uint16_t place = MakeRoom();
  if (place == kNone) {
    ++counters_.devices_refused;
    return kNone;
  }
  devices_[place] = BusDevice();
  devices_[place].address = address;
  devices_[place].first_heard_us = devices_[place].last_heard_us = now_us;
  devices_[place].used = true;
  Rehash();
  return place;
}

bool Model::Establish(uint16_t device) {
  if (devices_[device].established) return true;
  if (established_ + limits_.tentative >= limits_.devices) {
    ++counters_.devices_refused;
    return false;
  }
  devices_[device].established = true;
  ++established_;
  return true;
}

uint16_t Model::FindItem(uint16_t device, Menu menu, uint16_t number) const {
  const size_t mask = item_hash_.size() - 1;
  for (size_t at = ItemHash(device, menu, number) & mask;; at = (at + 1) & mask) {
    const uint16_t place = item_hash_[at];
    if (place == kNone) return kNone;
    const Item& one = items_[place];
    if (one.number == number && one.device == device && one.menu == menu) return place;
  }
}

uint16_t Model::AddItem(uint16_t device, Menu menu, uint16_t number) {
  if (const uint16_t known = FindItem(device, menu, number); known != kNone) return known;
  BusDevice& owner = devices_[device];
  if (items_.size() >= limits_.items || owner.items >= limits_.items_per_device) {
    ++counters_.items_refused;
    return kNone;
  }
  const auto place = static_cast<uint16_t>(items_.size());
  Item one;
  one.device = device;
  one.menu = menu;
  one.number = number;
  items_.push_back(one);
  (owner.last_item == kNone ? owner.first_item : items_[owner.last_item].next) = place;
  owner.last_item = place;
  ++owner.items;
  const size_t mask = item_hash_.size() - 1;
  size_t at = ItemHash(device, menu, number) & mask;
  while (item_hash_[at] != kNone) at = (at + 1) & mask;
  item_hash_[at] = place;
  return place;
}

void Model::TakeValue(uint16_t at, float real, int64_t now_us) {
  Seen& seen = items_[at].seen;
  ++seen.values;
  seen.last_us = now_us;
  if (!IsAvailable(real)) return;
  if (!seen.has_real) {
    seen.has_real = true;
    seen.first = seen.lowest = seen.highest = real;
  }
  seen.last = real;
  seen.lowest = std::min(seen.lowest, real);
  seen.highest = std::max(seen.highest, real);
}

bool Model::TakeReply(uint16_t device, const Frame& frame) {
  switch (frame.role) {
    case Role::kPropertyReply:
      return frame.op == kPropertyString ? TakeTextPiece(device, frame) : TakeProperty(device, frame);
    case Role::kPropertyNoValue:
      return frame.op != kPropertyString && TakeProperty(device, frame);
    case Role::kItemMetaReply:
    case Role::kItemMetaNoValue:
      return TakeItemMeta(device, frame);
    case Role::kGroupMetaReply:
    case Role::kGroupMetaNoValue:
      return TakeGroupMeta(device, frame);
    default:
      return false;
  }
}

bool Model::TakeProperty(uint16_t device, const Frame& frame) {
  if (frame.role == Role::kPropertyReply && !frame.has_word) return false;
  return SetProperty(device, frame.op, frame.selector, frame.has_word, frame.word);
}

bool Model::SetProperty(uint16_t device, uint8_t op, uint8_t selector, bool has_value, uint16_t value) {
  BusDevice& owner = devices_[device];
  auto* one = const_cast<Property*>(FindProperty(device, op, selector));
  if (one != nullptr && one->has_value == has_value && one->value == value) return false;
  if (one == nullptr) {
    one = Append(&properties_, limits_.properties, &owner.first_property, &owner.properties,
                 limits_.properties_per_device, &counters_.facts_refused);
    if (one == nullptr) return false;
  }
  one->op = op;
  one->selector = selector;
  one->has_value = has_value;
  one->value = value;
  if (op == kPropertyStringId || op == kPropertyFirmware) ++owner.identity_revision;
  return true;
}

bool Model::TakeTextPiece(uint16_t device, const Frame& frame) {
  Pieces* pieces = nullptr;
  for (Pieces& one : pieces_) {
    if (one.device == device && one.id == frame.number) pieces = &one;
  }
  if (pieces == nullptr || frame.selector == 0) {
    if (frame.selector != 0) {  // it began before we listened
      ++counters_.texts_broken;
      return false;
    }
    if (pieces == nullptr) {
      pieces = &*std::min_element(pieces_.begin(), pieces_.end(),
                                  [](const Pieces& a, const Pieces& b) { return a.used < b.used; });
    }
    *pieces = Pieces();
    pieces->device = device;
    pieces->id = frame.number;
  }
  if (frame.selector + 1 == pieces->next_segment) return false;  // two ask for the same text at a time
  if (frame.selector != pieces->next_segment) {
    ++counters_.texts_broken;
    *pieces = Pieces();
    return false;
  }
  pieces->used = ++piece_clock_;
  ++pieces->next_segment;
  for (size_t i = 0; i < frame.text_size && pieces->size < kMaxText; ++i) {
    pieces->latin1[pieces->size++] = static_cast<char>(frame.raw[i]);
  }
  if (!frame.text_ends && pieces->size < kMaxText) return false;
  const Pieces done = *pieces;
  *pieces = Pieces();
  return SetText(device, done.id, {done.latin1.data(), done.size});
}

bool Model::SetText(uint16_t device, uint16_t id, std::string_view latin1) {
  auto* one = const_cast<Text*>(FindText(device, id));
  if (one != nullptr && one->view() == latin1) return false;
  if (one == nullptr) {
    BusDevice& owner = devices_[device];
    one = Append(&texts_, limits_.strings, &owner.first_text, &owner.texts, limits_.strings_per_device,
                 &counters_.texts_refused);
    if (one == nullptr) return false;
  }
  one->id = id;
  one->size = static_cast<uint8_t>(std::min(latin1.size(), kMaxText));
  std::copy_n(latin1.begin(), one->size, one->latin1.begin());
  TextChanged(device, id);
  return true;
}

void Model::TextChanged(uint16_t device, uint16_t id) {
  BusDevice& owner = devices_[device];
  for (uint16_t at = owner.first_property; at != kNone; at = properties_[at].next) {
    const Property& one = properties_[at];
    if (one.op == kPropertyStringId && one.has_value && one.value == id) ++owner.identity_revision;
  }
  for (uint16_t at = owner.first_item; at != kNone; at = items_[at].next) {
    Item& one = items_[at];
    bool uses =
        ((one.known & kHasName) != 0 && one.name_id == id) || ((one.known & kHasUnit) != 0 && one.unit_id == id);
    for (uint16_t o = one.first_option; o != kNone && !uses; o = options_[o].next) uses = options_[o].text_id == id;
    if (uses) ++one.revision;
  }
}

bool Model::TakeItemMeta(uint16_t device, const Frame& frame) {
  const uint16_t at = AddItem(device, frame.menu, frame.number);
  if (at == kNone) return false;
  Item& one = items_[at];
  bool news = false;
  if (frame.op == kOpOptionLabel) {
    news = TakeOption(&one, frame.index, frame.has_word && frame.word != 0, frame.word);
  } else if (const uint16_t fact = FactOf(frame.op); frame.role == Role::kItemMetaNoValue) {
    news = fact != 0 && (one.denied & fact) == 0;
    one.denied = static_cast<uint16_t>(one.denied | fact);
  } else {
    switch (frame.op) {
      case kOpPresentation:
        news = Set(&one.presentation, static_cast<Presentation>(frame.word & 0xFF), &one.known, kHasPresentation);
        break;
      case kOpMinimum:
        news = Set(&one.minimum, frame.real, &one.known, kHasMinimum);
        break;
      case kOpMaximumOrCount:
        news = Set(&one.maximum_or_count, frame.real, &one.known, kHasMaximum);
        break;
      case kOpStep:
        news = Set(&one.step, frame.real, &one.known, kHasStep);
        break;
      case kOpDefault:
        news = Set(&one.factory_default, frame.real, &one.known, kHasDefault);
        break;
      case kOpWritable:
        news = Set(&one.writable, frame.word, &one.known, kHasWritable);
        break;
      case kOpName:
        news = Set(&one.name_id, frame.word, &one.known, kHasName);
        break;
      case kOpUnit:
        news = Set(&one.unit_id, frame.word, &one.known, kHasUnit);
        break;
      default:
        break;
    }
  }
  if (news) ++one.revision;
  return news;
}

bool Model::TakeOption(Item* item, uint8_t index, bool has_label, uint16_t text_id) {
  auto* one = const_cast<Option*>(FindOption(*item, index));
  if (one != nullptr && one->has_label == has_label && one->text_id == text_id) return false;
  if (one == nullptr) {
    one = Append(&options_, limits_.options, &item->first_option, &item->options, limits_.options_per_item,
                 &counters_.facts_refused);
    if (one == nullptr) return false;
  }
  one->index = index;
  one->has_label = has_label;
  one->text_id = text_id;
  return true;
}

Group* Model::AddGroup(uint16_t device, Menu menu, uint16_t number) {
  if (const Group* known = FindGroup(device, menu, number)) return const_cast<Group*>(known);
  BusDevice& owner = devices_[device];
  Group* one = Append(&groups_, limits_.groups, &owner.first_group, &owner.groups, limits_.groups_per_device,
                      &counters_.facts_refused);
  if (one == nullptr) return nullptr;
  one->menu = menu;
  one->number = number;
  return one;
}

bool Model::SetPlace(Group* group, uint8_t index, uint16_t item) {
  auto* one = const_cast<Place*>(FindPlace(*group, index));
  if (one != nullptr && one->item == item) return false;
  if (one == nullptr) {
    one = Append(&places_, limits_.group_places, &group->first_place, &group->places, limits_.places_per_group,
                 &counters_.facts_refused);
    if (one == nullptr) return false;
  }
  one->index = index;
  one->item = item;
  return true;
}

bool Model::TakeGroupMeta(uint16_t device, const Frame& frame) {
  if (frame.role == Role::kGroupMetaNoValue) return false;
  if (frame.op != kOpMaximumOrCount && frame.op != kOpItemAt && frame.op != kOpName) return false;
  Group* one = AddGroup(device, frame.menu, frame.number);
  if (one == nullptr) return false;
  if (frame.op == kOpItemAt) return SetPlace(one, frame.index, frame.word);
  if (frame.op == kOpName) {
    const bool news = !one->has_name || one->name_id != frame.word;
    one->has_name = true;
    one->name_id = frame.word;
    return news;
  }
  const std::optional<uint16_t> count = ReadOption(frame.real);
  const bool news = count && (!one->has_count || one->count != *count);
  if (count) {
    one->has_count = true;
    one->count = *count;
  }
  return news;
}

const Text* Model::FindText(uint16_t device, uint16_t id) const {
  for (uint16_t at = devices_[device].first_text; at != kNone; at = texts_[at].next) {
    if (texts_[at].id == id) return &texts_[at];
  }
  return nullptr;
}

const Text* Model::DeviceText(uint16_t device, uint8_t selector) const {
  const Property* property = FindProperty(device, kPropertyStringId, selector);
  return property == nullptr || !property->has_value ? nullptr : FindText(device, property->value);
}

const Property* Model::FindProperty(uint16_t device, uint8_t op, uint8_t selector) const {
  for (uint16_t at = devices_[device].first_property; at != kNone; at = properties_[at].next) {
    if (properties_[at].op == op && properties_[at].selector == selector) return &properties_[at];
  }
  return nullptr;
}

const Group* Model::FindGroup(uint16_t device, Menu menu, uint16_t number) const {
  for (uint16_t at = devices_[device].first_group; at != kNone; at = groups_[at].next) {
    if (groups_[at].menu == menu && groups_[at].number == number) return &groups_[at];
  }
  return nullptr;
}

const Option* Model::FindOption(const Item& item, uint8_t index) const {
  for (uint16_t at = item.first_option; at != kNone; at = options_[at].next) {
    if (options_[at].index == index) return &options_[at];
  }
  return nullptr;
}

const Place* Model::FindPlace(const Group& group, uint8_t index) const {
  for (uint16_t at = group.first_place; at != kNone; at = places_[at].next) {
    if (places_[at].index == index) return &places_[at];
  }
  return nullptr;
}

void Model::DropPieces() { pieces_.fill(Pieces()); }

}  // namespace vesta::masterbus
