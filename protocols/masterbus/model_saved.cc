// The flat form of a model. Little-endian, no padding:
//
//   "MBM1" | checksum (4, FNV-1a of the rest) | devices (2) | devices...
//   device:   address (4) | properties (2) | texts (2) | items (2) | groups (2) | the four lists
//   property: op | selector | has value | value (2)
//   text:     id (2) | size | bytes
//   item:     number (2) | menu | presentation | known (2) | denied (2) | writable (2) | name id (2) | unit id (2) |
//             minimum, maximum, step, default (4 each, IEEE) | options (1) | options: index | has label | text id (2)
//   group:    number (2) | menu | has count | count (2) | has name | name id (2) | places (1) | places: index | item
//   (2)
#include <algorithm>
#include <cstring>

#include "protocols/masterbus/model.h"

namespace vesta::masterbus {
namespace {

constexpr std::array<uint8_t, 4> kMagic = {'M', 'B', 'M', '1'};
constexpr size_t kHeaderSize = 8;

uint32_t Checksum(std::span<const uint8_t> bytes) {
  uint32_t sum = 2166136261u;
  for (const uint8_t byte : bytes) sum = (sum ^ byte) * 16777619u;
  return sum;
}

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>* out) : out_(*out) {}
  void Byte(uint32_t value) { out_.push_back(static_cast<uint8_t>(value)); }
  void Word(uint32_t value) {
    Byte(value);
    Byte(value >> 8);
  }
  void Long(uint32_t value) {
    Word(value);
    Word(value >> 16);
  }
  void Real(float real) {
    uint32_t bits = 0;
    std::memcpy(&bits, &real, sizeof bits);
    Long(bits);
  }

 private:
  std::vector<uint8_t>& out_;
};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) {
      failed_ = true;
      return 0;
    }
    const uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }
  uint16_t Word() {
    const uint32_t low = Byte();
    return static_cast<uint16_t>(low | static_cast<uint32_t>(Byte()) << 8);
  }
  uint32_t Long() {
    const uint32_t low = Word();
    return low | static_cast<uint32_t>(Word()) << 16;
  }
  float Real() {
    const uint32_t bits = Long();
    float real = 0;
    std::memcpy(&real, &bits, sizeof real);
    return real;
  }
  std::string_view Text(size_t size) {
    if (rest_.size() < size) {
      failed_ = true;
      return {};
    }
    const std::string_view text(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return text;
  }

 private:
  std::span<const uint8_t> rest_;
  bool failed_ = false;
};

}  // namespace

std::vector<uint8_t> Model::Save() const {
  std::vector<uint8_t> bytes(kHeaderSize);
  Writer out(&bytes);
  const auto is_kept = [](const BusDevice& device) {
    return device.established && (device.texts > 0 || device.frames + device.polls > 1);
  };
  out.Word(static_cast<uint32_t>(std::count_if(devices_.begin(), devices_.end(), is_kept)));
  for (const BusDevice& device : devices_) {
    if (!is_kept(device)) continue;
    out.Long(device.address);
    out.Word(device.properties);
    out.Word(device.texts);
    out.Word(device.items);
    out.Word(device.groups);
    for (uint16_t at = device.first_property; at != kNone; at = properties_[at].next) {
      const Property& one = properties_[at];
      out.Byte(one.op);
      out.Byte(one.selector);
      out.Byte(one.has_value);
      out.Word(one.value);
    }
    for (uint16_t at = device.first_text; at != kNone; at = texts_[at].next) {
      out.Word(texts_[at].id);
      out.Byte(texts_[at].size);
      for (const char c : texts_[at].view()) out.Byte(static_cast<uint8_t>(c));
    }
    for (uint16_t at = device.first_item; at != kNone; at = items_[at].next) {
      const Item& one = items_[at];
      out.Word(one.number);
      out.Byte(static_cast<uint8_t>(one.menu));
      out.Byte(static_cast<uint8_t>(one.presentation));
      for (const uint16_t word : {one.known, one.denied, one.writable, one.name_id, one.unit_id}) out.Word(word);
      for (const float real : {one.minimum, one.maximum_or_count, one.step, one.factory_default}) out.Real(real);
      out.Byte(one.options);
      for (uint16_t o = one.first_option; o != kNone; o = options_[o].next) {
        out.Byte(options_[o].index);
        out.Byte(options_[o].has_label);
        out.Word(options_[o].text_id);
      }
    }
    for (uint16_t at = device.first_group; at != kNone; at = groups_[at].next) {
      const Group& one = groups_[at];
      out.Word(one.number);
      out.Byte(static_cast<uint8_t>(one.menu));
      out.Byte(one.has_count);
      out.Word(one.count);
      out.Byte(one.has_name);
      out.Word(one.name_id);
      out.Byte(one.places);
      for (uint16_t p = one.first_place; p != kNone; p = places_[p].next) {
        out.Byte(places_[p].index);
        out.Word(places_[p].item);
      }
    }
  }
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  const uint32_t sum = Checksum(std::span<const uint8_t>(bytes).subspan(kHeaderSize));
  for (size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<uint8_t>(sum >> (8 * i));
  return bytes;
}

bool Model::Load(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeaderSize || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return false;
  const std::span<const uint8_t> body = bytes.subspan(kHeaderSize);
  if (Reader(bytes.subspan(4)).Long() != Checksum(body)) return false;
  if (LoadDevices(body)) return true;
  Clear();
  return false;
}

bool Model::LoadDevices(std::span<const uint8_t> body) {
  Reader in(body);
  const uint16_t devices = in.Word();
  for (uint16_t d = 0; d < devices && !in.failed(); ++d) {
    const uint32_t address = in.Long();
    if (address > kAddressMask || FindDevice(address) != kNone) return false;
    const uint16_t place = AddDevice(address, 0);
    if (place == kNone || !Establish(place)) return false;
    const uint16_t properties = in.Word();
    const uint16_t texts = in.Word();
    const uint16_t items = in.Word();
    const uint16_t groups = in.Word();
    for (uint16_t i = 0; i < properties && !in.failed(); ++i) {
      const uint8_t op = in.Byte();
      const uint8_t selector = in.Byte();
      const bool has_value = in.Byte() != 0;
      SetProperty(place, op, selector, has_value, in.Word());
    }
    for (uint16_t i = 0; i < texts && !in.failed(); ++i) {
      const uint16_t id = in.Word();
      const std::string_view text = in.Text(in.Byte());
      if (!in.failed()) SetText(place, id, text);
    }
    for (uint16_t i = 0; i < items && !in.failed(); ++i) {
      const uint16_t number = in.Word();
      const uint8_t menu = in.Byte();
      if (menu == 0 || menu > static_cast<uint8_t>(Menu::kConfiguration)) return false;
      const uint16_t at = AddItem(place, static_cast<Menu>(menu), number);
      if (at == kNone) return false;
      Item& one = items_[at];
      one.presentation = static_cast<Presentation>(in.Byte());
      for (uint16_t* word : {&one.known, &one.denied, &one.writable, &one.name_id, &one.unit_id}) *word = in.Word();
      for (float* real : {&one.minimum, &one.maximum_or_count, &one.step, &one.factory_default}) *real = in.Real();
      const uint8_t options = in.Byte();
      for (uint8_t o = 0; o < options && !in.failed(); ++o) {
        const uint8_t index = in.Byte();
        const bool has_label = in.Byte() != 0;
        TakeOption(&one, index, has_label, in.Word());
      }
    }
    for (uint16_t i = 0; i < groups && !in.failed(); ++i) {
      const uint16_t number = in.Word();
      const uint8_t menu = in.Byte();
      if (menu == 0 || menu > static_cast<uint8_t>(Menu::kConfiguration)) return false;
      Group* one = AddGroup(place, static_cast<Menu>(menu), number);
      if (one == nullptr) return false;
      one->has_count = in.Byte() != 0;
      one->count = in.Word();
      one->has_name = in.Byte() != 0;
      one->name_id = in.Word();
      const uint8_t places = in.Byte();
      for (uint8_t p = 0; p < places && !in.failed(); ++p) {
        const uint8_t index = in.Byte();
        SetPlace(one, index, in.Word());
      }
    }
  }
  return !in.failed() && in.at_end();
}

}  // namespace vesta::masterbus
