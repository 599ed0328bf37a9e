#include "node/settings.h"

#include "model/hex_digit.h"
#include "protocols/link/cursor.h"

namespace vesta::node {

namespace {

constexpr uint8_t kSettingsVersion = 1;

}  // namespace

// 0 version 1; 1 has secret; 2 secret 16; 18 size of the name; 19 name.
Settings ReadSettings(Store& store) {
  std::array<uint8_t, 19 + link::kMaxName> bytes = {};
  const size_t size = store.Read(StoreRecord::kSettings, bytes);
  if (size > bytes.size()) return {};
  link::Taker taker(std::span<const uint8_t>(bytes).first(size));
  uint8_t version = 0;
  uint8_t has_secret = 0;
  uint8_t name_size = 0;
  Settings settings;
  taker.U8(&version).U8(&has_secret).Array(&settings.secret).U8(&name_size);
  const auto name = taker.Some(name_size);
  if (taker.is_short() || version != kSettingsVersion) return {};
  settings.has_secret = has_secret == 1;
  settings.name.Set({reinterpret_cast<const char*>(name.data()), name.size()});
  return settings;
}

bool WriteSettings(const Settings& settings, Store& store) {
  std::array<uint8_t, 19 + link::kMaxName> bytes;
  link::Putter putter(bytes);
  putter.U8(kSettingsVersion).U8(settings.has_secret ? 1 : 0).Array(settings.secret).U8(settings.name.size);
  const std::string_view name = settings.name.view();
  putter.Raw({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  const bool is_written = store.Write(StoreRecord::kSettings, std::span<const uint8_t>(bytes).first(putter.size()));
  crypto::Wipe(bytes);
  return is_written;
}

bool ParseSecret(std::string_view text, link::Secret* out) {
  size_t digits = 0;
  for (const char c : text) {
    if (c == '-' || c == ':' || c == ' ') continue;
    const int value = HexDigitValue(c);
    if (value < 0 || digits == 2 * out->size()) return false;
    uint8_t& byte = (*out)[digits / 2];
    byte = static_cast<uint8_t>(digits % 2 == 0 ? value << 4 : byte | value);
    ++digits;
  }
  return digits == 2 * out->size();
}

}  // namespace vesta::node
