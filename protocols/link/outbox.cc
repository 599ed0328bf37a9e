#include "protocols/link/outbox.h"

#include <cstring>

#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

// Head: 0 mark, 4 epoch, 8 next number, 12 used bytes, 16 lost, 20 given up, 24 size of the memory, 28 checksum.
constexpr uint32_t kMark = 0x584F4C56;
constexpr size_t kEpochAt = 4;
constexpr size_t kNextAt = 8;
constexpr size_t kUsedAt = 12;
constexpr size_t kLostAt = 16;
constexpr size_t kGivenUpAt = 20;
constexpr size_t kMemoryAt = 24;
constexpr size_t kChecksumAt = 28;

// Entry: 0 size of the items, 2 number, 6 time, 14 whether acknowledged, 15 items.
constexpr size_t kSequenceAt = 2;
constexpr size_t kTimeAt = 6;
constexpr size_t kAcknowledgedAt = 14;

}  // namespace

Outbox::Outbox(std::span<uint8_t> memory, uint32_t new_epoch) : memory_(memory) {
  if (!IsIntact()) Reset(new_epoch);
}

template <typename Visit>
void Outbox::ForEach(const Visit& visit) const {
  for (size_t at = kHeadSize; at < kHeadSize + used();) {
    const size_t size = kEntryHeadSize + wire::Get16(&memory_[at]);
    if (!visit(at, size)) return;
    at += size;
  }
}

bool Outbox::IsIntact() const {
  if (wire::Get32(&memory_[0]) != kMark || wire::Get32(&memory_[kMemoryAt]) != memory_.size() ||
      wire::Get32(&memory_[kChecksumAt]) != Checksum() || used() > memory_.size() - kHeadSize) {
    return false;
  }
  size_t at = kHeadSize;
  const size_t end = kHeadSize + used();
  while (at < end) {
    if (end - at < kEntryHeadSize) return false;
    const size_t size = wire::Get16(&memory_[at]);
    if (size > kMaxReport || kEntryHeadSize + size > end - at) return false;
    at += kEntryHeadSize + size;
  }
  return true;
}

uint32_t Outbox::Checksum() const {
  // FNV-1a over the head: RTC memory after a power loss holds anything, seldom this.
  uint32_t hash = 2166136261u;
  for (const uint8_t b : memory_.first(kChecksumAt)) hash = (hash ^ b) * 16777619u;
  return hash;
}

void Outbox::Close() { wire::Put32(&memory_[kChecksumAt], Checksum()); }

void Outbox::Reset(uint32_t epoch) {
  std::memset(memory_.data(), 0, kHeadSize);
  wire::Put32(&memory_[0], kMark);
  wire::Put32(&memory_[kEpochAt], epoch);
  wire::Put32(&memory_[kNextAt], 1);
  wire::Put32(&memory_[kMemoryAt], static_cast<uint32_t>(memory_.size()));
  Close();
}

size_t Outbox::used() const { return wire::Get32(&memory_[kUsedAt]); }
void Outbox::set_used(size_t used) { wire::Put32(&memory_[kUsedAt], static_cast<uint32_t>(used)); }
uint32_t Outbox::epoch() const { return wire::Get32(&memory_[kEpochAt]); }
uint32_t Outbox::lost() const { return wire::Get32(&memory_[kLostAt]); }
uint32_t Outbox::given_up() const { return wire::Get32(&memory_[kGivenUpAt]); }

void Outbox::Remove(size_t at, size_t size) {
  const size_t end = kHeadSize + used();
  std::memmove(&memory_[at], memory_.data() + at + size, end - at - size);
  set_used(used() - size);
  Close();
}

bool Outbox::Add(Bytes items, int64_t measured_us) {
  if (items.empty() || items.size() > kMaxReport) return false;
  const size_t size = kEntryHeadSize + items.size();
  while (used() + size > memory_.size() - kHeadSize) {
    // The oldest that the hub has, else the oldest.
    size_t victim = kHeadSize;
    ForEach([&](size_t at, size_t) {
      if (memory_[at + kAcknowledgedAt] == 0) return true;
      victim = at;
      return false;
    });
    const size_t count_at = memory_[victim + kAcknowledgedAt] != 0 ? kGivenUpAt : kLostAt;
    wire::Put32(&memory_[count_at], wire::Get32(&memory_[count_at]) + 1);
    Remove(victim, kEntryHeadSize + wire::Get16(&memory_[victim]));
  }
  uint8_t* p = &memory_[kHeadSize + used()];
  const uint32_t sequence = wire::Get32(&memory_[kNextAt]);
  wire::Put16(p, static_cast<uint32_t>(items.size()));
  wire::Put32(p + kSequenceAt, sequence);
  wire::Put64(p + kTimeAt, static_cast<uint64_t>(measured_us));
  p[kAcknowledgedAt] = 0;
  std::memcpy(p + kEntryHeadSize, items.data(), items.size());
  set_used(used() + size);
  wire::Put32(&memory_[kNextAt], sequence + 1);
  Close();
  return true;
}

bool Outbox::Next(Entry* out) const {
  bool found = false;
  ForEach([&](size_t at, size_t size) {
    const uint8_t* p = &memory_[at];
    if (p[kAcknowledgedAt] != 0) return true;
    *out = {wire::Get32(p + kSequenceAt), static_cast<int64_t>(wire::Get64(p + kTimeAt)),
            Bytes(memory_).subspan(at + kEntryHeadSize, size - kEntryHeadSize)};
    found = true;
    return false;
  });
  return found;
}

void Outbox::Acknowledge(uint32_t sequence) {
  ForEach([&](size_t at, size_t) {
    if (wire::Get32(&memory_[at + kSequenceAt]) != sequence) return true;
    memory_[at + kAcknowledgedAt] = 1;
    return false;
  });
}

void Outbox::SendAgain(uint32_t received) {
  ForEach([&](size_t at, size_t) {
    memory_[at + kAcknowledgedAt] = wire::Get32(&memory_[at + kSequenceAt]) <= received ? 1 : 0;
    return true;
  });
}

void Outbox::Release(uint32_t kept) {
  for (bool again = true; again;) {
    again = false;
    ForEach([&](size_t at, size_t size) {
      if (memory_[at + kAcknowledgedAt] == 0 || wire::Get32(&memory_[at + kSequenceAt]) > kept) return true;
      Remove(at, size);
      again = true;
      return false;
    });
  }
}

void Outbox::Drop(uint32_t sequence) {
  ForEach([&](size_t at, size_t size) {
    if (wire::Get32(&memory_[at + kSequenceAt]) != sequence) return true;
    Remove(at, size);
    return false;
  });
}

void Outbox::SkipNumbers(uint32_t count) {
  wire::Put32(&memory_[kNextAt], next_number() + count);
  Close();
}

void Outbox::MoveTimes(uint32_t before, int64_t delta_us) {
  ForEach([&](size_t at, size_t) {
    if (wire::Get32(&memory_[at + kSequenceAt]) >= before) return false;
    uint8_t* p = &memory_[at + kTimeAt];
    const auto time_us = static_cast<int64_t>(wire::Get64(p));
    if (time_us != kUnknownTime) wire::Put64(p, static_cast<uint64_t>(time_us + delta_us));
    return true;
  });
}

void Outbox::ForgetTimes(uint32_t before) {
  ForEach([&](size_t at, size_t) {
    if (wire::Get32(&memory_[at + kSequenceAt]) >= before) return false;
    wire::Put64(&memory_[at + kTimeAt], static_cast<uint64_t>(kUnknownTime));
    return true;
  });
}

uint32_t Outbox::next_number() const { return wire::Get32(&memory_[kNextAt]); }

size_t Outbox::waiting() const {
  size_t count = 0;
  ForEach([&](size_t at, size_t) {
    if (memory_[at + kAcknowledgedAt] == 0) ++count;
    return true;
  });
  return count;
}

size_t Outbox::room() const {
  size_t taken = kHeadSize;
  ForEach([&](size_t at, size_t size) {
    if (memory_[at + kAcknowledgedAt] == 0) taken += size;
    return true;
  });
  return memory_.size() - taken;
}

size_t Outbox::size() const {
  size_t count = 0;
  ForEach([&](size_t, size_t) {
    ++count;
    return true;
  });
  return count;
}

}  // namespace vesta::link
