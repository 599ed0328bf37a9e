// The outbox over a loss of power: when reports wait long, a copy of it goes to the non-volatile memory, with what is
// needed to know later when they were measured.
//
// The copy lies in front of the outbox as a head of kHeadSize bytes, so that both are one record:
//   0 version 1, 1 whether UTC was known, 2 two zeros, 4 configuration, 8 clock when written, 16 UTC minus clock.
// Numbers that were given after the copy was made may be known to the hub: the restored outbox skips kSkip of them, and
// the copy is renewed long before so many were given. What the hub has already it says when the node resumes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "node/ports/store.h"
#include "protocols/link/outbox.h"

namespace vesta::node {

class KeptOutbox {
 public:
  static constexpr size_t kHeadSize = 24;
  static constexpr uint32_t kSkip = 1u << 20;
  static constexpr uint32_t kRenewAfter = kSkip / 2;

  struct Copy {
    bool is_there = false;
    bool had_utc = false;
    int64_t clock_us = 0;
    int64_t utc_minus_clock_us = 0;
    uint32_t before = 0;  // reports with smaller numbers bear times of the clock of then
  };

  // memory: head and outbox.
  KeptOutbox(std::span<uint8_t> memory, Store& store) : memory_(memory), store_(store) {}
  std::span<uint8_t> outbox_memory() const { return memory_.subspan(kHeadSize); }

  // After a loss of power, before the outbox is made: brings the copy back, or leaves memory that is no outbox.
  // configuration: that runs; reports of another one mean other things and are given up. lost: how many that were.
  Copy Restore(uint32_t configuration, uint32_t* lost);
  bool Write(const link::Outbox& outbox, uint32_t configuration, int64_t clock_us, bool has_utc,
             int64_t utc_minus_clock_us);
  bool Erase();
  // After a sleep or a restart, when the outbox itself is still there: which copy is written.
  void Look();

  // Whether there is a copy that holds reports.
  bool is_written() const { return is_written_; }
  uint32_t written_next() const { return written_next_; }

 private:
  std::span<uint8_t> memory_;
  Store& store_;
  bool is_written_ = false;
  uint32_t written_next_ = 0;
};

}  // namespace vesta::node
