#include "protocols/masterbus/traffic.h"

#include <algorithm>

namespace vesta::masterbus {
namespace {

// The second write of a pair follows at once.
constexpr int64_t kPair_us = kUsPerSecond;

// Four bytes that name a device: type, unique id.
bool ReadReference(const Frame& frame, uint32_t* address) {
  const uint32_t uid =
      frame.raw[1] | static_cast<uint32_t>(frame.raw[2]) << 8 | static_cast<uint32_t>(frame.raw[3]) << 16;
  if (frame.raw[0] == 0 || frame.raw[0] >= 32 || uid > kUniqueIdMask) return false;
  *address = static_cast<uint32_t>(frame.raw[0]) << kTypeShift | uid;
  return true;
}

}  // namespace

void Traffic::AddCommand(const Frame& frame, UtcUs now_us) {
  if (command_total_ > 0) {
    Command& last = commands_[(command_total_ - 1) % kMaxCommands];
    uint32_t commander = 0;
    if (!last.has_commander && last.address == frame.address && last.menu == frame.menu &&
        last.item + 1 == frame.number && now_us - last.time_us <= kPair_us && ReadReference(frame, &commander)) {
      last.has_commander = true;
      last.commander = commander;
      return;
    }
  }
  Command& one = commands_[command_total_++ % kMaxCommands];
  one = Command();
  one.time_us = now_us;
  one.address = frame.address;
  one.menu = frame.menu;
  one.item = frame.number;
  one.real = frame.real;
}

void Traffic::AddAbsent(uint32_t address, UtcUs now_us) {
  const auto end = absent_.begin() + static_cast<ptrdiff_t>(absent_count_);
  auto one = std::find_if(absent_.begin(), end, [&](const Absentee& a) { return a.address == address; });
  if (one == end) {
    if (absent_count_ < kMaxAbsent) {
      ++absent_count_;
    } else {
      one = std::min_element(absent_.begin(), end,
                             [](const Absentee& a, const Absentee& b) { return a.last_us < b.last_us; });
    }
    *one = Absentee();
    one->address = address;
  }
  ++one->requests;
  one->last_us = now_us;
}

void Traffic::Forget(uint32_t address) {
  const auto end = absent_.begin() + static_cast<ptrdiff_t>(absent_count_);
  const auto one = std::find_if(absent_.begin(), end, [&](const Absentee& a) { return a.address == address; });
  if (one == end) return;
  *one = absent_[--absent_count_];
}

void Traffic::AddUnknown(const can::Frame& frame, UtcUs now_us) {
  const auto end = unknown_.begin() + static_cast<ptrdiff_t>(unknown_count_);
  auto one = std::find_if(unknown_.begin(), end, [&](const UnknownFrame& u) {
    return u.frame.id == frame.id && u.frame.is_extended == frame.is_extended && u.frame.is_remote == frame.is_remote;
  });
  if (one == end) {
    if (unknown_count_ < kMaxUnknown) {
      ++unknown_count_;
    } else {
      one = std::min_element(unknown_.begin(), end,
                             [](const UnknownFrame& a, const UnknownFrame& b) { return a.last_us < b.last_us; });
      ++unknown_forgotten_;
    }
    *one = UnknownFrame();
    one->frame = frame;
    one->used = true;
    one->first_us = now_us;
  }
  for (size_t i = 0; i < can::kMaxFrameData; ++i) {
    if (one->frame.data[i] != frame.data[i]) one->changed = static_cast<uint8_t>(one->changed | 1u << i);
  }
  one->size_changed |= one->frame.size != frame.size;
  one->frame = frame;
  ++one->count;
  one->last_us = now_us;
}

uint64_t Traffic::frames() const {
  uint64_t sum = 0;
  for (const uint64_t count : roles_) sum += count;
  return sum;
}

}  // namespace vesta::masterbus
