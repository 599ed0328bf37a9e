#include "protocols/espnow/repeats.h"

namespace vesta::espnow {

namespace {
constexpr int64_t kRepeatWithin_us = 1000000;
}

bool RepeatFilter::IsRepeat(const Packet& packet, int64_t now_us) {
  if (packet.retry) {
    for (const Seen& s : seen_) {
      if (s.at_us != INT64_MIN && s.sequence == packet.sequence && s.random == packet.random &&
          s.sender == packet.sender && now_us - s.at_us <= kRepeatWithin_us) {
        return true;
      }
    }
  }
  seen_[next_] = {packet.sender, packet.sequence, packet.random, now_us};
  next_ = (next_ + 1) % kRemembered;
  return false;
}

}  // namespace vesta::espnow
