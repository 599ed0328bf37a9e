// Which bed a device stood at, from when to when.
//
// A device is at one bed at a time; a bed may have several devices. Beginning at another bed ends the stay before. A
// stay is written once and ended once; nothing of it is changed or removed afterwards, so that a reading's bed at its
// time stays the same for ever. What time a stay has is said by people: it may lie in the past, never in the future.
// Used on the main thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <vector>

#include "hub/devices/directory.h"
#include "model/time.h"

namespace vesta::hub {

// Stays ever kept: two hundred incubators that move three times a day for a hundred years would be more, ten years not.
inline constexpr size_t kMaxStays = 1u << 20;
inline constexpr size_t kMaxBedBytes = 64;
// Clocks of people and the hub may differ by this much.
inline constexpr int64_t kMaxStayAhead_us = 60 * kUsPerSecond;

struct BedStay {
  uint32_t id = 0;  // from 1 on, without a gap
  DeviceId device = 0;
  std::string bed;
  UtcUs begin_us = 0;
  UtcUs end_us = kNoTime;  // kNoTime: still there
  std::string by;          // who said so last

  bool Holds(UtcUs time_us) const { return time_us >= begin_us && (end_us == kNoTime || time_us < end_us); }
};

class Places {
 public:
  // Loads what the store knew, by id.
  void Restore(std::vector<BedStay> stays);

  // The stays that this changed, for the store: the one that ended (if any), then the new one. The error, for people:
  // why it can't be; nothing was changed.
  using Changed = tl::expected<std::vector<BedStay>, std::string>;
  Changed Begin(DeviceId device, std::string bed, UtcUs begin_us, const std::string& by, UtcUs now_us);
  Changed End(DeviceId device, UtcUs end_us, const std::string& by, UtcUs now_us);

  const BedStay* At(DeviceId device, UtcUs time_us) const;  // nullptr: at none
  const BedStay* Now(DeviceId device) const;
  const std::deque<BedStay>& stays() const { return stays_; }  // [i].id == i + 1

 private:
  std::deque<BedStay> stays_;
  std::unordered_map<DeviceId, std::vector<uint32_t>> by_device_;  // ids in the order of their time
};

}  // namespace vesta::hub
