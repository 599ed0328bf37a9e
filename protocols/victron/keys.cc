#include "protocols/victron/keys.h"

#include <algorithm>
#include <cstdio>

#include "model/hex_digit.h"

namespace vesta::victron {
namespace {

constexpr size_t kKeyDigits = 2 * kKeySize;
constexpr size_t kNetworkDigits = 4;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsSeparator(char c) { return c == ':' || c == '-'; }

}  // namespace

KeyText ParseKeyText(std::string_view text) {
  KeyText parsed;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsBlank(text[i]) || IsSeparator(text[i])) continue;
    const int digit = HexDigitValue(text[i]);
    if (digit < 0) {
      parsed.result = KeyTextResult::kBadCharacter;
      parsed.bad_position = i;
      parsed.key = {};
      return parsed;
    }
    if (parsed.digits < kKeyDigits) {
      uint8_t& byte = parsed.key[parsed.digits / 2];
      byte = static_cast<uint8_t>(byte << 4 | digit);
    }
    ++parsed.digits;
  }
  if (parsed.digits == 0) {
    parsed.result = KeyTextResult::kEmpty;
  } else if (parsed.digits < kKeyDigits) {
    parsed.result = KeyTextResult::kTooShort;
  } else if (parsed.digits > kKeyDigits) {
    parsed.result = KeyTextResult::kTooLong;
  } else {
    parsed.result = KeyTextResult::kOk;
  }
  if (parsed.result != KeyTextResult::kOk) parsed.key = {};
  return parsed;
}

std::string_view DescribeKeyText(const KeyText& parsed, std::span<char, 160> out) {
  int size = 0;
  switch (parsed.result) {
    case KeyTextResult::kOk:
      size = std::snprintf(out.data(), out.size(), "The key is well formed.");
      break;
    case KeyTextResult::kEmpty:
      size = std::snprintf(out.data(), out.size(), "There is no key: it should have 32 hexadecimal digits.");
      break;
    case KeyTextResult::kTooShort:
      size = std::snprintf(out.data(), out.size(),
                           "The key has %zu hexadecimal digits instead of 32: some were lost while copying it.",
                           parsed.digits);
      break;
    case KeyTextResult::kTooLong:
      size = std::snprintf(out.data(), out.size(),
                           "The key has %zu hexadecimal digits instead of 32: something else was copied with it.",
                           parsed.digits);
      break;
    case KeyTextResult::kBadCharacter:
      size = std::snprintf(out.data(), out.size(), "Character %zu of the key is no hexadecimal digit (0-9, a-f).",
                           parsed.bad_position + 1);
      break;
  }
  return {out.data(), static_cast<size_t>(std::max(size, 0))};
}

bool ParseAddress(std::string_view text, uint64_t* address) {
  uint64_t value = 0;
  size_t digits = 0;
  for (const char c : text) {
    if (IsSeparator(c)) continue;
    const int digit = HexDigitValue(c);
    if (digit < 0 || digits == kAddressTextSize) return false;
    value = value << 4 | static_cast<uint64_t>(digit);
    ++digits;
  }
  if (digits != kAddressTextSize) return false;
  *address = value;
  return true;
}

void FormatAddress(uint64_t address, std::span<char, kAddressTextSize> out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < kAddressTextSize; ++i) out[i] = kDigits[address >> (4 * (kAddressTextSize - 1 - i)) & 0xF];
}

bool ParseNetworkId(std::string_view text, uint16_t* id) {
  if (text.size() != kNetworkDigits) return false;
  uint16_t value = 0;
  for (const char c : text) {
    const int digit = HexDigitValue(c);
    if (digit < 0) return false;
    value = static_cast<uint16_t>(value << 4 | digit);
  }
  *id = value;
  return true;
}

size_t KeyRing::LowerBound(uint64_t address) const {
  const auto* end = keys_.data() + key_count_;
  return static_cast<size_t>(
      std::lower_bound(keys_.data(), end, address, [](const Entry& entry, uint64_t a) { return entry.address < a; }) -
      keys_.data());
}

bool KeyRing::SetKey(uint64_t address, const Key& key) {
  const size_t at = LowerBound(address);
  if (at < key_count_ && keys_[at].address == address) {
    keys_[at].key = key;
  } else {
    if (key_count_ == kMaxKeys) return false;
    std::copy_backward(keys_.begin() + at, keys_.begin() + key_count_, keys_.begin() + key_count_ + 1);
    keys_[at] = {address, key};
    ++key_count_;
  }
  ++revision_;
  return true;
}

bool KeyRing::RemoveKey(uint64_t address) {
  const size_t at = LowerBound(address);
  if (at == key_count_ || keys_[at].address != address) return false;
  std::copy(keys_.begin() + at + 1, keys_.begin() + key_count_, keys_.begin() + at);
  keys_[--key_count_] = {};
  ++revision_;
  return true;
}

const Key* KeyRing::FindKey(uint64_t address) const {
  const size_t at = LowerBound(address);
  return at < key_count_ && keys_[at].address == address ? &keys_[at].key : nullptr;
}

bool KeyRing::SetNetwork(uint16_t id, const Key& key) {
  size_t at = 0;
  while (at < network_count_ && networks_[at].id != id) ++at;
  if (at == kMaxNetworks) return false;
  if (at == network_count_) ++network_count_;
  networks_[at] = {id, key};
  ++revision_;
  return true;
}

bool KeyRing::RemoveNetwork(uint16_t id) {
  size_t at = 0;
  while (at < network_count_ && networks_[at].id != id) ++at;
  if (at == network_count_) return false;
  std::copy(networks_.begin() + at + 1, networks_.begin() + network_count_, networks_.begin() + at);
  networks_[--network_count_] = {};
  ++revision_;
  return true;
}

}  // namespace vesta::victron
