#include "hub/devices/decoders.h"

#include <fmt/format.h>

#include <algorithm>

namespace vesta::hub {

const DecoderEpoch* Decoders::Begin(std::string source, std::string decoder, std::string tables, uint64_t from_number,
                                    UtcUs now_us) {
  const DecoderEpoch* const now = Find(source, UINT64_MAX);
  if (now != nullptr && now->decoder == decoder && now->tables == tables) return nullptr;
  epochs_.push_back({static_cast<uint32_t>(epochs_.size() + 1), std::move(source), from_number, now_us,
                     std::move(decoder), std::move(tables)});
  return &epochs_.back();
}

// A few dozen in the life of a hub: looked at newest first.
const DecoderEpoch* Decoders::Find(std::string_view source, uint64_t number) const {
  const auto found = std::find_if(epochs_.rbegin(), epochs_.rend(), [&](const DecoderEpoch& epoch) {
    return epoch.source == source && epoch.from_number <= number;
  });
  return found == epochs_.rend() ? nullptr : &*found;
}

const Redecode* Decoders::Unfinished(std::string_view source) const {
  const auto found = std::find_if(redecodes_.begin(), redecodes_.end(),
                                  [&](const Redecode& one) { return one.source == source && !one.done; });
  return found == redecodes_.end() ? nullptr : &*found;
}

std::string FieldTableName(std::span<const Field> fields) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  const auto mix = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
    hash = (hash ^ 0xFF) * 0x100000001B3u;
  };
  for (const Field& field : fields) {
    mix(field.key);
    mix(QuantityName(field.quantity));
    mix(UnitText(field.unit));
    mix(FieldKindName(field.kind));
    for (const StateName& state : field.states) mix(fmt::format("{} {}", state.code, state.name));
  }
  return fmt::format("fields/{:016x}", hash);
}

}  // namespace vesta::hub
