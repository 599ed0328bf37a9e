// When the weekday schedules of set-points are due, by the site's clock, summer time included.
//
// A time that a change to summer time skips is due when the hour is over (02:30 at 03:30); one that comes twice is due
// the first time only. After a stop the hub makes up for what was due meanwhile: for each item only the newest.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "hub/nodes/network.h"
#include "model/calendar.h"

namespace vesta::hub {

// What a hub that was away makes up for: a week has every schedule once.
inline constexpr int64_t kMaxMadeUp_us = 7ll * 24 * 3600 * kUsPerSecond;

// The last time at or before `until_us` and after `after_us` at which it was due.
std::optional<UtcUs> LastDue(const NodeSchedule& schedule, const Zone& zone, UtcUs after_us, UtcUs until_us);
// The first time after `after_us`; empty for one without days.
std::optional<UtcUs> NextDue(const NodeSchedule& schedule, const Zone& zone, UtcUs after_us);

// Which schedules are to be carried out now, oldest first, one for each item of each node.
std::vector<const NodeSchedule*> DueSchedules(std::span<const NodeSchedule> schedules, const Zone& zone, UtcUs after_us,
                                              UtcUs until_us);

}  // namespace vesta::hub
