#include "hub/places/places.h"

#include <algorithm>

namespace vesta::hub {

void Places::Restore(std::vector<BedStay> stays) {
  stays_.assign(std::make_move_iterator(stays.begin()), std::make_move_iterator(stays.end()));
  by_device_.clear();
  for (const BedStay& stay : stays_) by_device_[stay.device].push_back(stay.id);
}

Places::Changed Places::Begin(DeviceId device, std::string bed, UtcUs begin_us, const std::string& by, UtcUs now_us) {
  const bool control =
      std::any_of(bed.begin(), bed.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (bed.empty() || bed.size() > kMaxBedBytes || control) {
    return tl::unexpected(std::string("a bed's name has 1 to 64 bytes and no control characters"));
  }
  if (begin_us > now_us + kMaxStayAhead_us) return tl::unexpected(std::string("that time is yet to come"));
  if (stays_.size() >= kMaxStays) return tl::unexpected(std::string("there are more stays than the hub keeps"));
  std::vector<uint32_t>& ids = by_device_[device];
  std::vector<BedStay> changed;
  if (!ids.empty()) {
    BedStay& last = stays_[ids.back() - 1];
    const bool running = last.end_us == kNoTime;
    if (running && last.bed == bed) return tl::unexpected("the device is at " + bed + " already");
    if (begin_us < (running ? last.begin_us : last.end_us)) {
      return tl::unexpected(std::string("what was said of an earlier time can't be changed: begin later"));
    }
    if (running) {
      last.end_us = begin_us;
      last.by = by;
      changed.push_back(last);
    }
  }
  const BedStay& stay = stays_.emplace_back(
      BedStay{static_cast<uint32_t>(stays_.size() + 1), device, std::move(bed), begin_us, kNoTime, by});
  ids.push_back(stay.id);
  changed.push_back(stay);
  return changed;
}

Places::Changed Places::End(DeviceId device, UtcUs end_us, const std::string& by, UtcUs now_us) {
  const auto found = by_device_.find(device);
  if (found == by_device_.end() || found->second.empty() || stays_[found->second.back() - 1].end_us != kNoTime) {
    return tl::unexpected(std::string("the device is at no bed"));
  }
  BedStay& stay = stays_[found->second.back() - 1];
  if (end_us < stay.begin_us) return tl::unexpected(std::string("a stay can't end before it began"));
  if (end_us > now_us + kMaxStayAhead_us) return tl::unexpected(std::string("that time is yet to come"));
  stay.end_us = end_us;
  stay.by = by;
  return std::vector<BedStay>{stay};
}

const BedStay* Places::At(DeviceId device, UtcUs time_us) const {
  const auto found = by_device_.find(device);
  if (found == by_device_.end()) return nullptr;
  // The last one that began by then: stays of one device do not overlap.
  const auto after = std::upper_bound(found->second.begin(), found->second.end(), time_us,
                                      [this](UtcUs time, uint32_t id) { return time < stays_[id - 1].begin_us; });
  if (after == found->second.begin()) return nullptr;
  const BedStay& stay = stays_[*(after - 1) - 1];
  return stay.Holds(time_us) ? &stay : nullptr;
}

const BedStay* Places::Now(DeviceId device) const {
  const auto found = by_device_.find(device);
  if (found == by_device_.end() || found->second.empty()) return nullptr;
  const BedStay& stay = stays_[found->second.back() - 1];
  return stay.end_us == kNoTime ? &stay : nullptr;
}

}  // namespace vesta::hub
