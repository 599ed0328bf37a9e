// Who is heard on a shared medium (radio): how strong, how often, with what success, and the last frame of each.
//
// For the page, the doctor and the check of keys. Bounded: when a sender comes beyond kMaxHeardSenders, the one that
// was heard once only, or else longest ago, is forgotten and counted, so that passing strangers do not push out those
// that stay. What other makes of devices send does not come here. Main thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/live/interval.h"
#include "model/session.h"

namespace vesta::hub {

inline constexpr size_t kMaxHeardSenders = 256;
// Of the last frame; adverts are shorter.
inline constexpr size_t kMaxHeardBytes = 512;

struct HeardSender {
  uint64_t sender = 0;
  int16_t rssi_dbm = 0;  // of the last frame; 0 = not known
  uint64_t frames = 0;   // repeats included
  uint64_t repeats = 0;  // copies of what was taken already
  uint64_t rejected = 0;
  std::string reason;  // of the last frame: "" = understood
  UtcUs first_us = 0;
  UtcUs last_us = 0;
  IntervalLearner interval;    // between frames that were no repeats
  std::vector<uint8_t> bytes;  // the last frame that was no repeat
};

class HeardSenders {
 public:
  // A frame with a sender. True when it is a copy of what was heard of this sender before: told so by the session, or,
  // where that can't look inside (no key), the same advert as the last one.
  bool Add(const FrameEvent& frame, const Now& now);

  const std::vector<HeardSender>& all() const { return senders_; }
  const HeardSender* Find(uint64_t sender) const;
  uint64_t forgotten() const { return forgotten_; }

 private:
  HeardSender& Entry(uint64_t sender);
  static bool IsCopy(const FrameEvent& frame, const HeardSender& entry);

  std::vector<HeardSender> senders_;
  size_t last_ = 0;  // where the sender before was found: adverts come in bursts
  uint64_t forgotten_ = 0;
};

}  // namespace vesta::hub
