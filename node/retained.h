// What outlives a deep sleep in the memory that the board keeps: the link's session, the search, what the functions
// save.
//
// Taken once at a wake-up and wiped at once: a copy that is used twice would seal two messages with one nonce. Behind
// it lies the outbox, which lives there all the time (node/kept_outbox.h).
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>

#include "node/function.h"
#include "node/search.h"
#include "node/wear.h"
#include "protocols/link/node.h"

namespace vesta::node {

// State of all functions: for each a 4-byte name, a size, bytes.
inline constexpr size_t kMaxSavedBytes = 384;
struct SavedState {
  uint16_t size = 0;
  std::array<uint8_t, kMaxSavedBytes> bytes = {};
};

// What the node last said of itself, so that it is not said at each wake-up.
struct ToldOfItself {
  uint32_t hash = 0;
  uint32_t problem_hash = 1;  // of no problem
  int64_t next_us = 0;
};

struct Retained {
  static constexpr uint32_t kMark = 0x314E5456;

  uint32_t mark = kMark;
  uint32_t firmware = 0;
  uint32_t configuration = 0;
  uint32_t restarts = 0;
  WearBudget wear;
  SearchMemory search;
  ToldOfItself told;
  bool has_utc = false;
  uint32_t description_hash = 0;  // of this configuration, with what was found since
  bool activates = false;         // a verified configuration waits until the reports of the old one are sent
  int64_t utc_minus_clock_us = 0;
  int64_t wake_us = 0;
  int64_t last_awake_us = 0;
  link::NodeRecord record;
  SavedState saved;
  uint32_t checksum = 0;
};
static_assert(std::is_trivially_copyable_v<Retained>);

// By words: it is made at each wake-up.
inline uint32_t ChecksumOf(const Retained& r) {
  uint32_t hash = 2166136261u;
  const auto* p = reinterpret_cast<const uint8_t*>(&r);
  static_assert(offsetof(Retained, checksum) % sizeof(uint32_t) == 0);
  for (size_t at = 0; at < offsetof(Retained, checksum); at += sizeof(uint32_t)) {
    uint32_t word;
    std::memcpy(&word, p + at, sizeof(word));
    hash = (hash ^ word) * 16777619u;
    hash ^= hash >> 15;
  }
  return hash;
}

// Of another firmware it is not understood.
inline bool TakeRetained(std::span<uint8_t> memory, uint32_t firmware, Retained* out) {
  std::memcpy(static_cast<void*>(out), memory.data(), sizeof(Retained));
  std::memset(memory.data(), 0, sizeof(Retained));
  return out->mark == Retained::kMark && out->firmware == firmware && out->checksum == ChecksumOf(*out);
}

inline void KeepRetained(Retained& r, std::span<uint8_t> memory) {
  r.checksum = ChecksumOf(r);
  std::memcpy(memory.data(), &r, sizeof(Retained));
}

}  // namespace vesta::node
