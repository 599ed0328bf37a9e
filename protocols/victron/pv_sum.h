// The solar chargers of a place taken together: power and yield of today as sums, and each charger's share of the
// power.
//
// Works on what any link reports. A member counts while its value is younger than kMemberFresh_us; shares are of the
// sum of those, in hundredths of a percent, and 0 in the dark. Chargers begin their day when each of them sees the sun,
// and a sum that falls twice would look like energy from nowhere: from the first charger that starts anew, the others
// count as nothing until they have done so too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/time.h"

namespace vesta::victron {

class PvSum {
 public:
  static constexpr size_t kMaxMembers = 64;
  static constexpr int64_t kMemberFresh_us = 60 * kUsPerSecond;          // link values expire after a minute
  static constexpr int64_t kNewDayWait_us = 6 * 3600 * kUsPerSecond;     // for the others to start their day
  static constexpr int64_t kForgetMember_us = 24 * 3600 * kUsPerSecond;  // taken down

  // member: a small number that stays the same. Power in hundredths of a watt, yield in tens of Wh (0.01 kWh).
  void SetPower(size_t member, int64_t power_cW, int64_t now_us);
  void SetYield(size_t member, int64_t yield_10Wh, int64_t now_us);

  // Drops what has become too old and adds up the rest. The values below are as of the last call.
  void Refresh(int64_t now_us);
  // Members that gave power within kForgetMember_us.
  size_t member_count() const { return member_count_; }
  int64_t power_cW() const { return power_cW_; }
  bool is_member(size_t member) const { return member < used_ && members_[member].has_power; }
  size_t used() const { return used_; }  // no member has this number or a higher one
  // In hundredths of a percent, rounded.
  int64_t share(size_t member) const;
  // False while a charger that takes part is silent: a sum without it would fall.
  bool yield(int64_t* yield_10Wh) const {
    *yield_10Wh = yield_10Wh_;
    return has_yield_;
  }

 private:
  struct Member {
    bool has_power = false;
    bool is_fresh = false;  // counts in the sum
    bool has_yield = false;
    bool waits_for_day = false;
    int64_t power_cW = 0;
    int64_t power_us = 0;
    int64_t yield_10Wh = 0;
    int64_t yield_us = 0;
    int64_t waits_since_us = 0;
  };
  std::array<Member, kMaxMembers> members_{};
  size_t used_ = 0;  // members beyond were never heard
  size_t member_count_ = 0;
  int64_t power_cW_ = 0;
  int64_t yield_10Wh_ = 0;
  bool has_yield_ = false;
};

}  // namespace vesta::victron
