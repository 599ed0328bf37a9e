// A node's reports that are not yet safe on the hub's disk, oldest first, with the times at which they were measured.
//
// Lives in memory that the caller gives: RTC memory that survives deep sleep, or a piece of the node's arena. All state
// is in there, so an Outbox made over the same bytes after a sleep goes on where the last one stopped; bytes that are
// no outbox (first power-up, power loss) become an empty one with a new epoch. Report numbers rise by one within an
// epoch and are never used twice. A full outbox gives up what the hub already has, then the oldest; both are counted.
// Times are microseconds of one clock of the node that runs through sleep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/link/wire.h"

namespace vesta::link {

class Outbox {
 public:
  static constexpr size_t kHeadSize = 32;
  static constexpr size_t kEntryHeadSize = 15;
  static constexpr size_t kMinMemory = kHeadSize + kEntryHeadSize + kMaxReport;

  struct Entry {
    uint32_t sequence = 0;
    int64_t measured_us = 0;
    Bytes items;
  };

  // `memory`: at least kMinMemory bytes, aligned to anything. new_epoch: random, not 0; used when the memory holds no
  // outbox.
  Outbox(std::span<uint8_t> memory, uint32_t new_epoch);

  // The time of a report from before a loss of power: the clock of then is gone.
  static constexpr int64_t kUnknownTime = INT64_MIN;

  // False only when the report is too long or empty.
  bool Add(Bytes items, int64_t measured_us);

  // The oldest report that the hub has not acknowledged.
  bool Next(Entry* out) const;
  // The hub received this report.
  void Acknowledge(uint32_t sequence);
  // The hub lost what it had not kept: everything that is still here is to be sent again, but for those up to
  // `received`.
  void SendAgain(uint32_t received);
  // Acknowledged reports up to this one are safe: they go.
  void Release(uint32_t kept);
  // The hub refuses this report for ever.
  void Drop(uint32_t sequence);

  // For an outbox that comes back from an older copy: numbers up to `count` further may be used already. To be greater
  // than what was added since the copy was made.
  void SkipNumbers(uint32_t count);
  // The clock is another one now: moves every known time of the reports before this number by delta_us, or makes them
  // unknown.
  void MoveTimes(uint32_t before, int64_t delta_us);
  void ForgetTimes(uint32_t before);

  uint32_t epoch() const;
  uint32_t next_number() const;
  // How many of the memory's first bytes hold it all.
  size_t used_memory() const { return kHeadSize + used(); }
  // What is not taken by reports that the hub never had.
  size_t room() const;
  size_t waiting() const;     // not acknowledged
  size_t size() const;        // all that is here
  uint32_t lost() const;      // given up although the hub never had them
  uint32_t given_up() const;  // given up before the hub said that they are safe

 private:
  bool IsIntact() const;
  void Reset(uint32_t epoch);
  void Remove(size_t at, size_t size);
  size_t used() const;
  void set_used(size_t used);
  uint32_t Checksum() const;
  void Close();  // after a change of the head
  template <typename Visit>
  void ForEach(const Visit& visit) const;

  std::span<uint8_t> memory_;
};

}  // namespace vesta::link
