// Which channel a node that has no hub tries, and when. It decides only; the application tunes and sends.
//
// Order of a sweep: the last known channel twice, then 1, 6, 11, then 2 3 4 5 7 8 9 10 12 13. A node that never had a
// hub begins with 1, 6, 11. Each try lasts as long as the radio needs, tuning included: kDwell_us on a chip, time for
// the question, the hub's answer and two repetitions by the radio. Between sweeps an always-on node pauses 0, 1, 2, 4,
// 8, 16 and then always 30 s, each pause a random quarter shorter or longer; the first sweep after power-up waits up to
// half a second, so that a house full of nodes does not call out at once. A node that sleeps makes three sweeps in the
// first wake-up that finds no hub, then one, and leaves out wake-ups: none after the first three misses, then 1, 3, 7,
// ... but no more than half an hour.
#pragma once

#include <array>
#include <cstdint>

#include "node/ports/radio.h"
#include "protocols/link/random_source.h"

namespace vesta::node {

inline constexpr int64_t kMaxPause_us = 30000000;
inline constexpr int64_t kMaxStart_us = 500000;
inline constexpr int64_t kMaxLeftOut_us = int64_t{1800} * 1000000;
inline constexpr uint8_t kChannels = 13;

// What of the search outlives a sleep.
struct SearchMemory {
  uint8_t misses = 0;     // wake-ups in a row that found no hub
  uint16_t left_out = 0;  // wake-ups still to leave out
};

class Search {
 public:
  explicit Search(link::RandomSource& random, int64_t dwell_us = kDwell_us) : random_(random), dwell_us_(dwell_us) {}

  // known: the channel of the last hub, 0 = none. after_power_up: waits a random moment first.
  void Begin(uint8_t known, int64_t now_us, bool after_power_up);
  // The channel to probe now; 0: not yet, see next_us().
  uint8_t Next(int64_t now_us);
  int64_t next_us() const { return next_us_; }
  // Every channel was tried and had its time to answer.
  bool IsSweepOver(int64_t now_us) const { return place_ == order_size_ && now_us >= next_us_; }
  uint32_t sweeps() const { return sweeps_; }
  uint32_t tries() const { return tries_; }

 private:
  static constexpr size_t kOrderSize = kChannels + 2;

  uint32_t Random(uint32_t below);

  link::RandomSource& random_;
  const int64_t dwell_us_;
  std::array<uint8_t, kOrderSize> order_ = {};
  uint8_t order_size_ = 0;
  uint8_t place_ = 0;
  uint8_t pauses_ = 0;
  uint32_t sweeps_ = 0;  // that ended without a hub
  uint32_t tries_ = 0;
  int64_t next_us_ = 0;
};

// A sleeping node's wake-up: whether it searches this time. period_us: between wake-ups.
bool MaySearch(SearchMemory* memory);
void NoteMiss(SearchMemory* memory, int64_t period_us, link::RandomSource& random);

}  // namespace vesta::node
