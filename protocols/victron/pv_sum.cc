#include "protocols/victron/pv_sum.h"

namespace vesta::victron {

void PvSum::SetPower(size_t member, int64_t power_cW, int64_t now_us) {
  if (member >= kMaxMembers) return;
  if (member >= used_) used_ = member + 1;
  Member& m = members_[member];
  m.has_power = true;
  m.power_cW = power_cW;
  m.power_us = now_us;
}

void PvSum::SetYield(size_t member, int64_t yield_10Wh, int64_t now_us) {
  if (member >= kMaxMembers) return;
  if (member >= used_) used_ = member + 1;
  Member& m = members_[member];
  const bool new_day = m.has_yield && yield_10Wh < m.yield_10Wh;
  if (new_day && !m.waits_for_day) {
    for (Member& other : members_) {
      if (&other == &m || !other.has_yield || other.yield_10Wh == 0) continue;
      other.waits_for_day = true;
      other.waits_since_us = now_us;
    }
  }
  if (new_day || now_us - m.waits_since_us > kNewDayWait_us) m.waits_for_day = false;
  m.has_yield = true;
  m.yield_10Wh = yield_10Wh;
  m.yield_us = now_us;
}

void PvSum::Refresh(int64_t now_us) {
  member_count_ = 0;
  power_cW_ = 0;
  yield_10Wh_ = 0;
  has_yield_ = false;
  bool all_yields_fresh = true;
  for (size_t i = 0; i < used_; ++i) {
    Member& m = members_[i];
    m.has_power = m.has_power && now_us - m.power_us <= kForgetMember_us;
    m.has_yield = m.has_yield && now_us - m.yield_us <= kForgetMember_us;
    if (m.has_power) ++member_count_;
    m.is_fresh = m.has_power && now_us - m.power_us <= kMemberFresh_us;
    if (m.is_fresh) power_cW_ += m.power_cW;
    if (!m.has_yield) continue;
    has_yield_ = true;
    if (now_us - m.yield_us > kMemberFresh_us) all_yields_fresh = false;
    if (!m.waits_for_day) yield_10Wh_ += m.yield_10Wh;
  }
  has_yield_ = has_yield_ && all_yields_fresh;
}

int64_t PvSum::share(size_t member) const {
  constexpr int64_t kWhole = 10000;
  if (member >= used_ || power_cW_ <= 0 || !members_[member].is_fresh) return 0;
  // Powers are far below 2^40, so the product fits.
  return (members_[member].power_cW * kWhole + power_cW_ / 2) / power_cW_;
}

}  // namespace vesta::victron
