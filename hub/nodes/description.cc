#include "hub/nodes/description.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocols/crypto_link.h"
#include "protocols/little_endian.h"

namespace vesta::hub {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxWord = 32;
constexpr int64_t kMaxPeriod_s = 7 * 24 * 3600;
constexpr int64_t kMaxExponent = 18;

// The JSON library follows nesting on the stack, as deep as it goes; a description has a map, a list, maps and lists.
constexpr int kMaxDepth = 6;

// Passes over one value of definite length; false when it is cut, nested too deep, or of a form that a description does
// not have.
bool Skip(std::span<const uint8_t>* rest, int depth) {
  if (rest->empty() || depth > kMaxDepth) return false;
  const uint8_t head = rest->front();
  *rest = rest->subspan(1);
  uint64_t number = head & 0x1F;
  if (number >= 24) {
    const size_t size = size_t{1} << (number - 24);
    if (number > 27 || rest->size() < size) return false;
    number = 0;
    for (const uint8_t byte : rest->first(size)) number = number << 8 | byte;
    *rest = rest->subspan(size);
  }
  switch (head >> 5) {
    case 0:
    case 1:
      return true;
    case 3:
      if (rest->size() < number) return false;
      *rest = rest->subspan(number);
      return true;
    case 4:
    case 5: {
      const uint64_t count = head >> 5 == 5 ? 2 * number : number;
      if (number > rest->size()) return false;
      for (uint64_t i = 0; i < count; ++i) {
        if (!Skip(rest, depth + 1)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

std::string TextOf(const Json& item, const char* key) {
  const auto found = item.find(key);
  if (found == item.end() || !found->is_string()) return "";
  std::string text;
  for (const char c : found->get_ref<const std::string&>()) {
    if (text.size() < kMaxItemTextBytes && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) text += c;
  }
  return text;
}

std::optional<int64_t> IntegerOf(const Json& item, const char* key) {
  const auto found = item.find(key);
  if (found == item.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX) return std::nullopt;
  return found->get<int64_t>();
}

int64_t Clamped(const Json& item, const char* key, int64_t low, int64_t high) {
  return std::clamp(IntegerOf(item, key).value_or(0), low, high);
}

Quantity QuantityOf(std::string_view word) {
  for (size_t i = 1; i < static_cast<size_t>(Quantity::kCountOfQuantities); ++i) {
    if (QuantityName(static_cast<Quantity>(i)) == word) return static_cast<Quantity>(i);
  }
  return Quantity::kNone;
}

Unit UnitOf(std::string_view word) {
  for (size_t i = 1; i < static_cast<size_t>(Unit::kCountOfUnits); ++i) {
    if (UnitText(static_cast<Unit>(i)) == word) return static_cast<Unit>(i);
  }
  return Unit::kNone;
}

bool ReadKind(std::string_view word, ItemSpec* spec) {
  spec->is_frames = word == "frames";
  for (const FieldKind kind :
       {FieldKind::kGauge, FieldKind::kCounter, FieldKind::kState, FieldKind::kFlag, FieldKind::kText}) {
    if (FieldKindName(kind) != word) continue;
    spec->kind = kind;
    return true;
  }
  return spec->is_frames;
}

std::optional<ItemSpec> ReadItem(const Json& item) {
  if (!item.is_object()) return std::nullopt;
  ItemSpec spec;
  const auto index = IntegerOf(item, "index");
  if (!index || *index < 1 || *index > static_cast<int64_t>(kMaxDescribedItems)) return std::nullopt;
  spec.index = static_cast<uint8_t>(*index);
  spec.card = static_cast<uint32_t>(Clamped(item, "card", 0, UINT32_MAX));
  spec.function = CleanWord(TextOf(item, "function"), kMaxWord);
  spec.key = CleanWord(TextOf(item, "key"), kMaxWord);
  if (spec.key.empty() || !ReadKind(TextOf(item, "kind"), &spec)) return std::nullopt;
  if (spec.function.empty()) spec.function = "node";
  spec.name = TextOf(item, "name");
  spec.id = CleanWord(TextOf(item, "id"), kMaxWord);
  spec.protocol = TextOf(item, "protocol");
  spec.quantity = QuantityOf(TextOf(item, "quantity"));
  spec.unit = UnitOf(TextOf(item, "unit"));
  spec.exponent = static_cast<int8_t>(Clamped(item, "exponent", -kMaxExponent, kMaxExponent));
  spec.decimals = static_cast<int8_t>(Clamped(item, "decimals", 0, 9));
  spec.is_writable = Clamped(item, "writable", 0, 1) == 1 && !spec.is_frames && spec.kind != FieldKind::kText;
  spec.min = IntegerOf(item, "min");
  spec.max = IntegerOf(item, "max");
  spec.step = IntegerOf(item, "step");
  spec.period_s = static_cast<uint32_t>(Clamped(item, "period", 0, kMaxPeriod_s));
  const auto states = item.find("states");
  if (states != item.end() && states->is_array()) {
    for (const Json& state : *states) {
      if (!state.is_string() || spec.states.size() >= kMaxItemStates) break;
      std::string word = CleanWord(state.get_ref<const std::string&>(), kMaxWord);
      spec.states.push_back(word.empty() ? "state_" + std::to_string(spec.states.size()) : std::move(word));
    }
  }
  return spec;
}

}  // namespace

const ItemSpec* NodeDescription::Find(uint8_t index) const {
  const auto found =
      std::lower_bound(items.begin(), items.end(), index, [](const ItemSpec& s, uint8_t i) { return s.index < i; });
  return found != items.end() && found->index == index ? &*found : nullptr;
}

std::string NodeDescription::PartOf(const ItemSpec& spec) const {
  if (spec.function == "node") return "";
  const auto plain = [](const ItemSpec& one) {
    const std::string what = one.id.empty() ? CleanWord(one.name, kMaxItemTextBytes) : one.id;
    return what.empty() ? one.function : one.function + "-" + what;
  };
  const std::string part = plain(spec);
  for (const ItemSpec& other : items) {
    if (other.card == spec.card) return part;
    if (plain(other) == part) break;  // an earlier card has the name
  }
  return part + "-" + std::to_string(spec.card);
}

std::string CleanWord(std::string_view text, size_t most) {
  std::string word;
  for (const char c : text) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const char clean = is_upper ? static_cast<char>(c - 'A' + 'a') : is_good ? c : '_';
    if (clean == '_' && (word.empty() || word.back() == '_')) continue;
    if (word.size() < most) word += clean;
  }
  while (!word.empty() && word.back() == '_') word.pop_back();
  return word;
}

std::optional<NodeDescription> ReadDescription(std::span<const uint8_t> cbor) {
  std::span<const uint8_t> rest = cbor;
  if (cbor.size() > kMaxDescriptionBytes || !Skip(&rest, 0) || !rest.empty()) return std::nullopt;
  const Json root = Json::from_cbor(cbor.begin(), cbor.end(), true, false);
  if (!root.is_object() || IntegerOf(root, "v").value_or(0) != 1) return std::nullopt;
  const auto items = root.find("items");
  if (items == root.end() || !items->is_array()) return std::nullopt;
  NodeDescription description;
  description.hash = wire::Get32(crypto::Sha256(cbor).data());
  description.name = TextOf(root, "name");
  for (const Json& item : *items) {
    auto spec = ReadItem(item);
    const bool is_twice = spec && std::any_of(description.items.begin(), description.items.end(),
                                              [&](const ItemSpec& other) { return other.index == spec->index; });
    if (!spec || is_twice) {
      ++description.left_out;
    } else {
      description.items.push_back(std::move(*spec));
    }
  }
  std::sort(description.items.begin(), description.items.end(),
            [](const ItemSpec& a, const ItemSpec& b) { return a.index < b.index; });
  return description;
}

}  // namespace vesta::hub
