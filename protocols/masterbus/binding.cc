#include "protocols/masterbus/binding.h"

#include <algorithm>
#include <cmath>

namespace vesta::masterbus {
namespace {

constexpr uint32_t kSecondsPerDay = 86400;
// Prefix, slug, '_' and a word, "_x" and four digits.
constexpr size_t kMaxKey = 96;
constexpr size_t kMaxFieldStates = 64;

class Key {
 public:
  Key& Add(std::string_view text) {
    const size_t fits = std::min(text.size(), kMaxKey - size_);
    std::copy_n(text.begin(), fits, text_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += fits;
    return *this;
  }
  Key& AddHex(uint16_t number) {
    constexpr char kDigits[] = "0123456789abcdef";
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = number >> shift & 15u;
      started |= digit != 0 || shift == 4;
      if (started) Add({&kDigits[digit], 1});
    }
    return *this;
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxKey> text_{};
  size_t size_ = 0;
};

std::string_view MenuPrefix(Menu menu) {
  switch (menu) {
    case Menu::kConfiguration:
      return "config_";
    case Menu::kAlarm:
      return "alarm_";
    case Menu::kHistory:
      return "history_";
    default:
      return "";
  }
}

const Text* NameOf(const Model& model, const Item& item) {
  return (item.known & kHasName) != 0 ? model.FindText(item.device, item.name_id) : nullptr;
}

const Text* UnitOf(const Model& model, const Item& item) {
  return (item.known & kHasUnit) != 0 && item.unit_id != 0 ? model.FindText(item.device, item.unit_id) : nullptr;
}

// Whether a unit may still become known.
bool UnitIsOpen(const Model& model, const Item& item) {
  if ((item.denied & kHasUnit) != 0 || item.values_open >= kValuesToWaitForUnit) return false;
  if ((item.known & kHasUnit) == 0) return true;
  return item.unit_id != 0 && UnitOf(model, item) == nullptr;
}

bool HasNumberUnit(Form form) { return form == Form::kNumber; }

// The options whose labels are known, in order of their codes.
size_t CollectStates(const Model& model, const Item& item, std::span<FieldTable::State> out) {
  size_t count = 0;
  for (uint16_t at = item.first_option; at != kNone && count < out.size(); at = model.option(at).next) {
    const Option& option = model.option(at);
    const Text* label = option.has_label ? model.FindText(item.device, option.text_id) : nullptr;
    if (label == nullptr) continue;
    FieldTable::State state;
    state.code = option.index;
    state.size = Slug(label->view(), state.name.data());
    if (state.size == 0) continue;  // shown as unknown(N)
    out[count++] = state;
  }
  const auto states = out.first(count);
  std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) { return a.code < b.code; });
  return count;
}

FieldKind KindOf(Form form) {
  switch (form) {
    case Form::kState:
      return FieldKind::kState;
    case Form::kFlag:
      return FieldKind::kFlag;
    case Form::kText:
    case Form::kClock:
    case Form::kDate:
      return FieldKind::kText;
    default:
      return FieldKind::kGauge;
  }
}

int8_t DecimalsOf(const Item& item, const UnitRow* unit) {
  if ((item.known & kHasStep) != 0 && item.step > 0 && item.step < 1) {
    const double digits = std::ceil(-std::log10(static_cast<double>(item.step)) - 0.01);
    return static_cast<int8_t>(std::clamp(digits, 0.0, 6.0));
  }
  if (unit != nullptr) return unit->decimals;
  return (item.known & kHasStep) != 0 ? 0 : 2;
}

// Whether another item of the same device is that key already.
bool IsTaken(const Model& model, const Item& item, const FieldTable& table, std::string_view key) {
  for (uint16_t at = model.device(item.device).first_item; at != kNone; at = model.item(at).next) {
    const Item& other = model.item(at);
    if (&other != &item && other.field != kNone && table.fields()[other.field].key == key) return true;
  }
  return false;
}

bool IsStaticKey(std::string_view key) {
  return std::any_of(Fields().begin(), Fields().end(), [&](const Field& field) { return field.key == key; });
}

void AddItemKey(const Item& item, Key* key) { key->Add(MenuPrefix(item.menu)).Add("item_").AddHex(item.number); }

Key MakeOwnKey(const Item& item, std::string_view slug, const UnitRow* unit, std::string_view unit_slug) {
  Key key;
  key.Add(MenuPrefix(item.menu)).Add(slug);
  const std::string_view word = unit != nullptr ? std::string_view(unit->word) : unit_slug;
  const bool said = slug.size() >= word.size() && slug.substr(slug.size() - word.size()) == word;
  if (!word.empty() && !said) key.Add("_").Add(word);
  return key;
}

}  // namespace

Form FormOf(const Model& model, const Item& item) {
  switch (item.presentation) {
    case Presentation::kDropDown:
    case Presentation::kEventable:
    case Presentation::kDeviceList:
    case Presentation::kEventCommand:
      return Form::kState;
    case Presentation::kCheckBox:
      return Form::kFlag;
    case Presentation::kText:
      return Form::kText;
    case Presentation::kDate:
      return Form::kDate;
    case Presentation::kDuration: {
      // A clock and a duration look the same on the wire: only the label tells.
      const Text* name = NameOf(model, item);
      return name != nullptr && (name->view() == "Time" || name->view() == "Clock") ? Form::kClock : Form::kDuration;
    }
    default:
      return Form::kNumber;
  }
}

uint16_t Bind(Model* model, uint16_t at, FieldTable* table) {
  Item& item = model->item(at);
  if (item.bound_revision == item.revision) return item.field == kNone ? FieldTable::kFull : item.field;
  if (item.bindings >= kMaxBindings) return item.field == kNone ? FieldTable::kFull : item.field;
  item.bound_revision = item.revision;

  const Form form = FormOf(*model, item);
  const Text* name = NameOf(*model, item);
  const Text* unit_text = UnitOf(*model, item);
  const UnitRow* unit = unit_text != nullptr ? FindUnit(unit_text->view()) : nullptr;
  std::array<char, kMaxSlug> slug_buffer;
  std::string_view slug;
  if (name != nullptr) slug = {slug_buffer.data(), Slug(name->view(), slug_buffer.data())};
  std::array<char, kMaxSlug> unit_buffer;
  std::string_view unit_slug;
  if (unit_text != nullptr) unit_slug = {unit_buffer.data(), Slug(unit_text->view(), unit_buffer.data())};

  const bool open = HasNumberUnit(form) && UnitIsOpen(*model, item);
  const bool named = !slug.empty() && !open;
  const uint16_t known = named && item.menu == Menu::kMonitoring
                             ? KnownField(slug, unit == nullptr ? Unit::kNone : unit->unit, form)
                             : static_cast<uint16_t>(kStaticFields);

  Field field;
  Key key;
  if (known != kStaticFields) {
    field = Fields()[known];
    if (form == Form::kFlag) field.kind = FieldKind::kFlag;
    key.Add(field.key);
  } else {
    field.kind = KindOf(form);
    field.decimals = DecimalsOf(item, unit);
    if (unit != nullptr && form == Form::kNumber) {
      field.unit = unit->unit;
      field.quantity = unit->quantity;
    }
    if (form == Form::kDuration) {
      field.unit = Unit::kSecond;
      field.quantity = Quantity::kDuration;
      field.decimals = 0;
    }
    if (form == Form::kState || form == Form::kFlag) {
      field.quantity = Quantity::kMode;
      field.decimals = 0;
    }
    if (!named || item.menu == Menu::kConfiguration) field.diagnostic = true;
    if (named) {
      key = MakeOwnKey(item, slug, form == Form::kNumber ? unit : nullptr,
                       form == Form::kNumber ? unit_slug : std::string_view());
      if (IsStaticKey(key.view())) key.Add("_item");
    } else {
      AddItemKey(item, &key);
    }
  }
  if (IsTaken(*model, item, *table, key.view())) item.known |= kKeyedByNumber;
  if (named && (item.known & kKeyedByNumber) != 0) key.Add("_x").AddHex(item.number);

  std::array<FieldTable::State, kMaxFieldStates> states;
  const size_t state_count = form == Form::kState ? CollectStates(*model, item, states) : 0;
  const uint16_t before = item.field;
  const uint16_t row = table->Register(field, key.view(), {states.data(), state_count});
  if (row != FieldTable::kFull) item.field = row;
  if (item.field != before) ++item.bindings;
  return item.field == kNone ? FieldTable::kFull : item.field;
}

}  // namespace vesta::masterbus
