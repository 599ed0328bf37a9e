// Tells the repetitions that a radio sends by itself when it hears no acknowledgement: the same sender, sequence number
// and random value, with the retry bit set, within a second.
//
// Only for these. A sleeping node's sequence numbers start again at every wake-up, so this is no protection against
// replay: that is the node protocol's. Times are monotonic microseconds.
#pragma once

#include <array>
#include <cstdint>

#include "protocols/espnow/frame.h"

namespace vesta::espnow {

class RepeatFilter {
 public:
  // True when this valid frame was taken before. Remembers it otherwise.
  bool IsRepeat(const Packet& packet, int64_t now_us);

 private:
  struct Seen {
    Address sender = {};
    uint16_t sequence = 0;
    std::array<uint8_t, 4> random = {};
    int64_t at_us = INT64_MIN;
  };
  // A radio repeats within some 20 ms; at 1 Mb/s no more than about 40 frames fit into that.
  static constexpr size_t kRemembered = 64;
  std::array<Seen, kRemembered> seen_;
  size_t next_ = 0;
};

}  // namespace vesta::espnow
