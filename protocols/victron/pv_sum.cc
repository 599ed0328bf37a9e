#include "protocols/victron/pv_sum.h"

namespace vesta::victron {

void PvSum::SetPower(size_t member, int64_t power_cW, int64_t now_us) {
  if (member >= kMaxMembers) return;
  Member& m = members_[member];
  m.has_power = true;
  m.power_cW = power_cW;
  m.power_us = now_us;
}

void PvSum::SetYield(size_t member, int64_t yield_10Wh, int64_t now_us) {
  if (member >= kMaxMembers) return;
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

size_t PvSum::member_count(int64_t now_us) const {
  size_t count = 0;
  for (const Member& m : members_) count += m.has_power && now_us - m.power_us <= kForgetMember_us ? 1 : 0;
  return count;
}

int64_t PvSum::power_cW(int64_t now_us) const {
  int64_t sum = 0;
  for (const Member& m : members_) {
    if (m.has_power && now_us - m.power_us <= kMemberFresh_us) sum += m.power_cW;
  }
  return sum;
}

int64_t PvSum::share(size_t member, int64_t now_us) const {
  constexpr int64_t kWhole = 10000;
  const int64_t sum = power_cW(now_us);
  if (member >= kMaxMembers || sum <= 0) return 0;
  const Member& m = members_[member];
  if (!m.has_power || now_us - m.power_us > kMemberFresh_us) return 0;
  return (m.power_cW * kWhole + sum / 2) / sum;
}

bool PvSum::Yield(int64_t now_us, int64_t* yield_10Wh) const {
  bool any = false;
  *yield_10Wh = 0;
  for (const Member& m : members_) {
    if (!m.has_yield || now_us - m.yield_us > kForgetMember_us) continue;
    if (now_us - m.yield_us > kMemberFresh_us) return false;
    any = true;
    if (!m.waits_for_day) *yield_10Wh += m.yield_10Wh;
  }
  return any;
}

}  // namespace vesta::victron
