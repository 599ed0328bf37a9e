#include "hub/intake/heard_senders.h"

#include <algorithm>
#include <tuple>

#include "protocols/ble_advert.h"

namespace vesta::hub {

HeardSender& HeardSenders::Entry(uint64_t sender) {
  if (last_ < senders_.size() && senders_[last_].sender == sender) return senders_[last_];
  auto found =
      std::find_if(senders_.begin(), senders_.end(), [&](const HeardSender& one) { return one.sender == sender; });
  if (found == senders_.end() && senders_.size() < kMaxHeardSenders) {
    found = senders_.insert(senders_.end(), HeardSender());
    found->sender = sender;
  } else if (found == senders_.end()) {
    found = std::min_element(senders_.begin(), senders_.end(), [](const HeardSender& a, const HeardSender& b) {
      return std::tuple(a.frames > 1, a.last_us) < std::tuple(b.frames > 1, b.last_us);
    });
    ++forgotten_;
    *found = HeardSender();
    found->sender = sender;
  }
  last_ = static_cast<size_t>(found - senders_.begin());
  return *found;
}

// An advert's strength and scanner are not part of what it says.
bool HeardSenders::IsCopy(const FrameEvent& frame, const HeardSender& entry) {
  if (frame.link.is_repeat) return true;
  if (frame.verdict == FrameVerdict::kAccepted || entry.reason != frame.reason || entry.bytes.empty()) return false;
  const auto now = ble::ReadAdvert(frame.raw);
  const auto before = ble::ReadAdvert(entry.bytes);
  return now && before && std::equal(now->data.begin(), now->data.end(), before->data.begin(), before->data.end());
}

bool HeardSenders::Add(const FrameEvent& frame, const Now& now) {
  HeardSender& entry = Entry(frame.link.sender);
  if (entry.frames++ == 0) entry.first_us = now.utc_us;
  entry.last_us = now.utc_us;
  if (frame.link.rssi_dbm != 0) entry.rssi_dbm = frame.link.rssi_dbm;
  if (IsCopy(frame, entry)) {
    ++entry.repeats;
    return true;
  }
  entry.interval.Add(now.monotonic_us);
  entry.reason = frame.verdict == FrameVerdict::kAccepted ? "" : frame.reason;
  if (frame.verdict != FrameVerdict::kAccepted) ++entry.rejected;
  const Bytes kept = frame.raw.first(std::min(frame.raw.size(), kMaxHeardBytes));
  entry.bytes.assign(kept.begin(), kept.end());
  return false;
}

const HeardSender* HeardSenders::Find(uint64_t sender) const {
  const auto found =
      std::find_if(senders_.begin(), senders_.end(), [&](const HeardSender& one) { return one.sender == sender; });
  return found == senders_.end() ? nullptr : &*found;
}

}  // namespace vesta::hub
