// What is known of a bus: its devices, their items, and the texts that name them.
//
// Filled from the replies that pass by, whoever asked for them. Tables of a fixed size, made once: a device, item or
// text for which there is no room is counted and left out, and one device may take only its share, so that a node that
// invents things never pushes out what is known. A device is held as tentative until it spoke twice; only tentative
// ones give way to new ones. Everything here is found by index; lists are chained by `next`. Facts: the reference of
// MasterBus, sections 3 to 5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocols/masterbus/frame.h"
#include "protocols/masterbus/rate.h"
#include "protocols/masterbus/value.h"

namespace vesta::masterbus {

inline constexpr uint16_t kNone = 0xFFFF;

struct Limits {
  // The largest bus on record has 28 devices.
  uint16_t devices = 128;
  // Places that only tentative devices may use: new ones are always heard.
  uint16_t tentative = 32;
  uint16_t items = 2048;
  uint16_t items_per_device = 512;
  uint16_t strings = 3072;
  uint16_t strings_per_device = 768;
  uint16_t options = 2048;
  uint16_t options_per_item = 64;
  uint16_t groups = 512;
  uint16_t groups_per_device = 64;
  uint16_t group_places = 2048;
  uint16_t places_per_group = 128;
  uint16_t properties = 1024;
  uint16_t properties_per_device = 32;
};

// Longest text kept, in Latin-1; what is longer is cut. Names on the wire have at most some 20 characters.
inline constexpr size_t kMaxText = 56;
inline constexpr size_t kMaxUtf8 = 2 * kMaxText;

enum ItemFact : uint16_t {
  kHasPresentation = 1 << 0,
  kHasMinimum = 1 << 1,
  kHasMaximum = 1 << 2,
  kHasStep = 1 << 3,
  kHasDefault = 1 << 4,
  kHasWritable = 1 << 5,
  kHasName = 1 << 6,  // the id of the text, not yet the text
  kHasUnit = 1 << 7,
  // No fact of the device, but it must not change: another item had the same key when this one was bound.
  kKeyedByNumber = 1 << 15,
};

struct Text {
  uint16_t id = 0;
  uint16_t next = kNone;
  uint8_t size = 0;
  std::array<char, kMaxText> latin1 = {};
  std::string_view view() const { return {latin1.data(), size}; }
};

struct Option {
  uint16_t next = kNone;
  uint16_t text_id = 0;
  uint8_t index = 0;
  bool has_label = false;  // false: the device says that there is none
};

// What was seen of an item's value since the start.
struct Seen {
  uint32_t values = 0;
  uint32_t asked = 0;    // by others
  uint8_t open = 0;      // questions of them that are not answered yet
  int64_t asked_us = 0;  // monotonic
  bool has_real = false;
  float first = 0;
  float last = 0;
  float lowest = 0;
  float highest = 0;
  int64_t last_us = 0;  // monotonic
};

struct Item {
  uint16_t device = kNone;
  uint16_t next = kNone;
  uint16_t number = 0;
  Menu menu = Menu::kNone;
  Presentation presentation = Presentation::kUnknown;
  uint16_t known = 0;   // ItemFact
  uint16_t denied = 0;  // ItemFact: the device says that there is none
  uint16_t writable = 0;
  uint16_t name_id = 0;
  uint16_t unit_id = 0;
  float minimum = 0;
  float maximum_or_count = 0;
  float step = 0;
  float factory_default = 0;
  uint16_t first_option = kNone;
  uint16_t options = 0;
  Seen seen;
  // Kept for the session.
  uint16_t field = kNone;   // in the session's table; kNone: not bound since `revision`
  uint8_t values_open = 0;  // that came while name was known and unit not yet
  uint8_t bindings = 0;     // to fields, so far
  uint32_t revision = 0;    // grows with each new fact or label
  uint32_t bound_revision = UINT32_MAX;
};

struct Place {  // of an item in a group
  uint16_t next = kNone;
  uint16_t item = 0;
  uint8_t index = 0;
};

struct Group {
  uint16_t next = kNone;
  uint16_t number = 0;
  Menu menu = Menu::kNone;
  bool has_count = false;
  uint16_t count = 0;
  bool has_name = false;
  uint16_t name_id = 0;
  uint16_t first_place = kNone;
  uint16_t places = 0;
};

struct Property {
  uint16_t next = kNone;
  uint8_t op = 0;
  uint8_t selector = 0;
  bool has_value = false;  // false: a negative reply
  uint16_t value = 0;
};

// What others asked a device for, in requests. The asker is not named on the wire.
struct Asked {
  uint64_t values = 0;
  uint64_t properties = 0;  // and texts
  uint64_t items = 0;       // facts of items
  uint64_t groups = 0;
  int64_t last_us = 0;  // monotonic
};

struct BusDevice {
  uint32_t address = 0;
  bool used = false;
  bool established = false;
  uint64_t frames = 0;  // from the device
  uint64_t announces = 0;
  uint64_t polls = 0;
  uint64_t requests = 0;  // that others sent to it
  uint64_t refusals = 0;  // its negative replies
  uint64_t commands = 0;  // writes by others
  uint64_t malformed = 0;
  Asked asked;
  Rate rate;  // of frames from the device, its polls included
  bool has_counter = false;
  uint8_t counter = 0;         // of the last announce
  int64_t first_heard_us = 0;  // monotonic
  int64_t last_heard_us = 0;
  uint16_t first_item = kNone;
  uint16_t last_item = kNone;
  uint16_t items = 0;
  uint16_t first_text = kNone;
  uint16_t texts = 0;
  uint16_t first_group = kNone;
  uint16_t groups = 0;
  uint16_t first_property = kNone;
  uint16_t properties = 0;
  uint32_t identity_revision = 0;  // grows when a text or property of the device itself changes
  // Kept for the session.
  uint16_t slot = kNone;
  uint32_t told_revision = UINT32_MAX;
  bool told_counter = false;
  uint8_t counter_told = 0;
  int64_t counter_told_us = 0;

  uint8_t type() const { return static_cast<uint8_t>(address >> kTypeShift); }
  uint32_t unique_id() const { return address & kUniqueIdMask; }
};

struct ModelCounters {
  uint64_t devices_evicted = 0;  // tentative ones that gave way
  uint64_t devices_refused = 0;  // spoke, but there was no room
  uint64_t items_refused = 0;
  uint64_t texts_refused = 0;
  uint64_t texts_broken = 0;   // pieces out of order
  uint64_t facts_refused = 0;  // options, groups, places, properties
};

class Model {
 public:
  explicit Model(const Limits& limits);

  const Limits& limits() const { return limits_; }
  const ModelCounters& counters() const { return counters_; }

  // Devices in the order of their places; a place whose `used` is false is free.
  const std::vector<BusDevice>& devices() const { return devices_; }
  BusDevice& device(uint16_t at) { return devices_[at]; }
  const BusDevice& device(uint16_t at) const { return devices_[at]; }
  uint16_t FindDevice(uint32_t address) const;  // kNone: not known
  // A new one is tentative. kNone: no room, counted.
  uint16_t AddDevice(uint32_t address, int64_t now_us);
  // False: too many are; counted.
  bool Establish(uint16_t device);

  uint16_t established() const { return established_; }

  Item& item(uint16_t at) { return items_[at]; }
  const Item& item(uint16_t at) const { return items_[at]; }
  uint16_t item_count() const { return static_cast<uint16_t>(items_.size()); }
  uint16_t FindItem(uint16_t device, Menu menu, uint16_t number) const;
  uint16_t AddItem(uint16_t device, Menu menu, uint16_t number);  // or finds it; kNone: no room, counted

  // Takes what a reply of an established device says. True when something is new.
  bool TakeReply(uint16_t device, const Frame& frame);
  void TakeValue(uint16_t item, float real, int64_t now_us);

  // nullptr: not known (yet).
  const Text* FindText(uint16_t device, uint16_t id) const;
  const Text* DeviceText(uint16_t device, uint8_t selector) const;  // kStringName, ...
  const Property* FindProperty(uint16_t device, uint8_t op, uint8_t selector) const;
  const Group* FindGroup(uint16_t device, Menu menu, uint16_t number) const;
  const Option* FindOption(const Item& item, uint8_t index) const;
  const Place* FindPlace(const Group& group, uint8_t index) const;
  const Option& option(uint16_t at) const { return options_[at]; }
  const Text& text(uint16_t at) const { return texts_[at]; }
  const Group& group(uint16_t at) const { return groups_[at]; }
  const Place& place(uint16_t at) const { return places_[at]; }
  const Property& property(uint16_t at) const { return properties_[at]; }
  // A piece of a text that is under way is void: the link was opened anew.
  void DropPieces();

  // What stays true over a restart, without counts and values: established devices, their texts, items and groups.
  // Only devices of which a text is known or that spoke more than once: those that a node made up go with a restart.
  // Sizes are bounded by the limits.
  std::vector<uint8_t> Save() const;
  // Into an empty model. False: not such bytes, or damaged; then the model stays empty.
  bool Load(std::span<const uint8_t> bytes);

 private:
  struct Pieces {
    uint16_t device = kNone;
    uint16_t id = 0;
    uint8_t next_segment = 0;
    uint8_t size = 0;
    uint32_t used = 0;  // for finding the oldest
    std::array<char, kMaxText> latin1 = {};
  };
  // Strings that are being fetched at a time, by all askers.
  static constexpr size_t kMaxPieces = 16;

  void Rehash();
  uint16_t MakeRoom();
  bool TakeProperty(uint16_t device, const Frame& frame);
  bool TakeTextPiece(uint16_t device, const Frame& frame);
  bool TakeItemMeta(uint16_t device, const Frame& frame);
  bool TakeGroupMeta(uint16_t device, const Frame& frame);
  bool TakeOption(Item* item, uint8_t index, bool has_label, uint16_t text_id);
  bool SetProperty(uint16_t device, uint8_t op, uint8_t selector, bool has_value, uint16_t value);
  bool SetText(uint16_t device, uint16_t id, std::string_view latin1);
  Group* AddGroup(uint16_t device, Menu menu, uint16_t number);
  bool SetPlace(Group* group, uint8_t index, uint16_t item);
  void TextChanged(uint16_t device, uint16_t id);
  void Clear();
  bool LoadDevices(std::span<const uint8_t> body);

  Limits limits_;
  ModelCounters counters_;
  std::vector<BusDevice> devices_;
  std::vector<uint16_t> device_hash_;  // places, kNone = free; open addressing
  uint16_t established_ = 0;
  std::vector<Item> items_;
  std::vector<uint16_t> item_hash_;
  std::vector<Text> texts_;
  std::vector<Option> options_;
  std::vector<Group> groups_;
  std::vector<Place> places_;
  std::vector<Property> properties_;
  std::array<Pieces, kMaxPieces> pieces_{};
  uint32_t piece_clock_ = 0;
};

}  // namespace vesta::masterbus
