#include "node/kept_outbox.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kHasUtcAt = 1;
constexpr size_t kConfigurationAt = 4;
constexpr size_t kClockAt = 8;
constexpr size_t kUtcAt = 16;

}  // namespace

KeptOutbox::Copy KeptOutbox::Restore(uint32_t configuration, uint32_t* lost) {
  Copy copy;
  *lost = 0;
  std::fill(memory_.begin(), memory_.end(), uint8_t{0});
  const size_t size = store_.Read(StoreRecord::kOutbox, memory_);
  if (size <= kHeadSize || size > memory_.size() || memory_[0] != kVersion) {
    std::fill(memory_.begin(), memory_.end(), uint8_t{0});
    return copy;
  }
  // Over bytes that are no outbox it becomes an empty one: epoch 1 is never seen, the memory is cleared below.
  link::Outbox outbox(outbox_memory(), 1);
  is_written_ = true;
  const bool is_other = wire::Get32(&memory_[kConfigurationAt]) != configuration;
  copy.before = outbox.next_number();
  outbox.SkipNumbers(kSkip);
  // Unless the copy itself says so, the next loss of power would give the same numbers once more.
  const bool is_safe = store_.Write(StoreRecord::kOutbox, memory_.first(kHeadSize + outbox.used_memory()));
  if (outbox.size() == 0 || is_other || !is_safe) {
    *lost = static_cast<uint32_t>(outbox.waiting());
    std::fill(memory_.begin(), memory_.end(), uint8_t{0});
    return copy;
  }
  copy.is_there = true;
  copy.had_utc = memory_[kHasUtcAt] != 0;
  copy.clock_us = static_cast<int64_t>(wire::Get64(&memory_[kClockAt]));
  copy.utc_minus_clock_us = static_cast<int64_t>(wire::Get64(&memory_[kUtcAt]));
  written_next_ = outbox.next_number();
  return copy;
}

bool KeptOutbox::Write(const link::Outbox& outbox, uint32_t configuration, int64_t clock_us, bool has_utc,
                       int64_t utc_minus_clock_us) {
  std::fill_n(memory_.begin(), kHeadSize, uint8_t{0});
  memory_[0] = kVersion;
  memory_[kHasUtcAt] = has_utc ? 1 : 0;
  wire::Put32(&memory_[kConfigurationAt], configuration);
  wire::Put64(&memory_[kClockAt], static_cast<uint64_t>(clock_us));
  wire::Put64(&memory_[kUtcAt], static_cast<uint64_t>(utc_minus_clock_us));
  if (!store_.Write(StoreRecord::kOutbox, memory_.first(kHeadSize + outbox.used_memory()))) return false;
  is_written_ = true;
  written_next_ = outbox.next_number();
  return true;
}

void KeptOutbox::Look() {
  // The number stands in the outbox's head (protocols/link/outbox.cc).
  constexpr size_t kNextAt = kHeadSize + 8;
  std::array<uint8_t, kNextAt + 4> head = {};
  is_written_ = store_.Read(StoreRecord::kOutbox, head) > head.size();
  written_next_ = is_written_ ? wire::Get32(&head[kNextAt]) : 0;
}

bool KeptOutbox::Erase() {
  constexpr uint8_t kNothing[] = {kVersion};
  if (!store_.Write(StoreRecord::kOutbox, kNothing)) return false;
  is_written_ = false;
  return true;
}

}  // namespace vesta::node
