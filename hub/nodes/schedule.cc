#include "hub/nodes/schedule.h"

#include <algorithm>

namespace vesta::hub {
namespace {

constexpr int64_t kDay_us = 24ll * 3600 * kUsPerSecond;
constexpr int64_t kMinute_us = 60 * kUsPerSecond;

// Days since 1970-01-01 of the local date; that day was a Thursday, and 0 is Monday.
int64_t LocalDay(const Zone& zone, UtcUs utc_us) {
  const int64_t local_us = utc_us + OffsetUs(zone, utc_us);
  return local_us >= 0 ? local_us / kDay_us : (local_us - kDay_us + 1) / kDay_us;
}

bool IsOnDay(const NodeSchedule& schedule, int64_t day) {
  const int64_t weekday = ((day + 3) % 7 + 7) % 7;
  return (schedule.days >> weekday & 1) != 0;
}

UtcUs DueOn(const NodeSchedule& schedule, const Zone& zone, int64_t day) {
  return LocalToUtc(zone, CivilFromUs(day * kDay_us + schedule.minute * kMinute_us)).utc_us;
}

}  // namespace

std::optional<UtcUs> LastDue(const NodeSchedule& schedule, const Zone& zone, UtcUs after_us, UtcUs until_us) {
  const int64_t today = LocalDay(zone, until_us);
  for (int64_t day = today; day >= today - 7; --day) {
    if (!IsOnDay(schedule, day)) continue;
    const UtcUs due_us = DueOn(schedule, zone, day);
    if (due_us > until_us) continue;
    if (due_us <= after_us) return std::nullopt;
    return due_us;
  }
  return std::nullopt;
}

std::optional<UtcUs> NextDue(const NodeSchedule& schedule, const Zone& zone, UtcUs after_us) {
  const int64_t today = LocalDay(zone, after_us);
  for (int64_t day = today; day <= today + 8; ++day) {
    if (!IsOnDay(schedule, day)) continue;
    const UtcUs due_us = DueOn(schedule, zone, day);
    if (due_us > after_us) return due_us;
  }
  return std::nullopt;
}

std::vector<const NodeSchedule*> DueSchedules(std::span<const NodeSchedule> schedules, const Zone& zone, UtcUs after_us,
                                              UtcUs until_us) {
  after_us = std::max(after_us, until_us - kMaxMadeUp_us);
  std::vector<std::pair<UtcUs, const NodeSchedule*>> due;
  for (const NodeSchedule& schedule : schedules) {
    const auto at_us = LastDue(schedule, zone, after_us, until_us);
    if (!at_us) continue;
    const auto same = std::find_if(due.begin(), due.end(), [&](const auto& other) {
      return other.second->node == schedule.node && other.second->item == schedule.item;
    });
    if (same == due.end()) {
      due.emplace_back(*at_us, &schedule);
    } else if (same->first <= *at_us) {
      *same = {*at_us, &schedule};
    }
  }
  std::stable_sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const NodeSchedule*> result;
  result.reserve(due.size());
  for (const auto& [at_us, schedule] : due) result.push_back(schedule);
  return result;
}

}  // namespace vesta::hub
