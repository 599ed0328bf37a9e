// What the parts of the P1 session share and nobody else needs: identities of devices, and what is remembered of each
// M-Bus channel so that an unchanged value is not a reading.
#pragma once

#include <cstring>

#include "protocols/p1/session.h"
#include "protocols/p1/text.h"

namespace vesta::p1 {

inline constexpr int64_t kUsPerDay = 86400 * kUsPerSecond;

// Tells whether a text is the one seen before. Not for anything that an attacker may gain by.
inline uint64_t Hash(std::string_view text, uint64_t seed = 0x243F6A8885A308D3) {
  uint64_t h = seed ^ (text.size() * 0x9E3779B97F4A7C15);
  const char* p = text.data();
  size_t n = text.size();
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t w;
    std::memcpy(&w, p, 8);
    h = (h ^ w) * 0x9FB21C651E98DF25;
    h ^= h >> 32;
  }
  uint64_t w = 0;
  if (n > 0) std::memcpy(&w, p, n);
  h = (h ^ w) * 0x9FB21C651E98DF25;
  return h ^ (h >> 29);
}

// "", "0000", "----": an identifier that nobody set.
inline bool IsUnset(std::string_view id) {
  return id.find_first_not_of('0') == std::string_view::npos || id.find_first_not_of('-') == std::string_view::npos;
}

struct Identity {
  char text[kMaxIdentitySize];
  size_t size = 0;
  std::string_view view() const { return {text, size}; }
  void Append(std::string_view more) {
    for (const char c : more) {
      if (size == kMaxIdentitySize) return;
      text[size++] = IsPrintable(c) ? c : '_';
    }
  }
};

// The printable form of an equipment identifier.
inline Identity FromId(std::string_view raw, bool may_be_hex) {
  Identity id;
  id.size = DecodeText({kNoField, may_be_hex, raw}, id.text, sizeof(id.text));
  return id;
}

struct P1Session::Slot {
  Identity identity;
};

struct P1Session::ChannelMemory {
  struct Value {
    bool known = false;
    bool usable = false;
    uint16_t field = kNoField;
    UtcUs stamp_us = kNoTime;
    Decimal value;
  };
  uint16_t slot = kNoDevice;
  uint64_t id_hash = 0;
  uint64_t contract_hash = 0;
  int device_type = -1;
  int valve = -1;
  int switch_state = -1;
  std::array<Value, kMaxChannelReadings> values;
};

}  // namespace vesta::p1
