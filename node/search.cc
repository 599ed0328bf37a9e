#include "node/search.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

constexpr std::array<uint8_t, kChannels> kOrder = {1, 6, 11, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13};
constexpr int64_t kFirstPause_us = 1000000;
constexpr uint8_t kFreeMisses = 3;

uint32_t RandomBelow(link::RandomSource& random, uint32_t below) {
  uint8_t bytes[4];
  random.Fill(bytes);
  return wire::Get32(bytes) % below;
}

}  // namespace

uint32_t Search::Random(uint32_t below) { return RandomBelow(random_, below); }

void Search::Begin(uint8_t known, int64_t now_us, bool after_power_up) {
  order_size_ = 0;
  if (known >= 1 && known <= kChannels) {
    order_[order_size_++] = known;
    order_[order_size_++] = known;
  } else {
    known = 0;
  }
  for (const uint8_t channel : kOrder) {
    if (channel != known) order_[order_size_++] = channel;
  }
  place_ = 0;
  pauses_ = 0;
  next_us_ = now_us + (after_power_up ? static_cast<int64_t>(Random(static_cast<uint32_t>(kMaxStart_us))) : 0);
}

uint8_t Search::Next(int64_t now_us) {
  if (now_us < next_us_) return 0;
  if (place_ == order_size_) {
    place_ = 0;
    ++sweeps_;
    const uint8_t pause = pauses_;
    pauses_ = static_cast<uint8_t>(std::min(pauses_ + 1, 7));
    if (pause > 0) {
      const int64_t pause_us = std::min(kFirstPause_us << (pause - 1), kMaxPause_us);
      const auto quarter = static_cast<uint32_t>(pause_us / 4);
      next_us_ = now_us + pause_us - quarter + static_cast<int64_t>(Random(2 * quarter));
      return 0;
    }
  }
  next_us_ = now_us + dwell_us_;
  ++tries_;
  return order_[place_++];
}

bool MaySearch(SearchMemory* memory) {
  if (memory->left_out == 0) return true;
  --memory->left_out;
  return false;
}

void NoteMiss(SearchMemory* memory, int64_t period_us, link::RandomSource& random) {
  memory->misses = static_cast<uint8_t>(std::min(memory->misses + 1, 20));
  if (memory->misses <= kFreeMisses) return;
  const int64_t most = std::max<int64_t>(kMaxLeftOut_us / std::max<int64_t>(period_us, 1), 0);
  const int64_t wanted = (int64_t{1} << std::min(memory->misses - kFreeMisses, 15)) - 1;
  const int64_t left_out = std::min(std::min(wanted, most), int64_t{UINT16_MAX});
  // The upper half at random, so that nodes of one house part.
  const auto half = static_cast<uint32_t>(left_out / 2);
  memory->left_out = static_cast<uint16_t>(left_out - half + RandomBelow(random, half + 1));
}

}  // namespace vesta::node
