// When a device was not heard for longer than it should be, and why, as far as the data tell.
//
// A gap lies between two readings of a device (of whatever series, by the times that they bear) that are further apart
// than a limit, or before the first or after the last one of the span. Its reasons come from what was written down: the
// device's link_state series, the audit log (start and stop of the hub, ports, clock steps) and rejected frames in the
// archive. No reason found means that the device said nothing, or that what it said did not reach the hub.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/devices/directory.h"
#include "hub/store/store.h"

namespace vesta::hub {

// Longest span of one report.
inline constexpr int64_t kMaxGapSpan_us = 31ll * 24 * 3600 * kUsPerSecond;
// Gaps in one report; more are only said to be there.
inline constexpr size_t kMaxGaps = 1000;
// The field that a protocol reports the state of its link in; its readings are written while nothing is heard.
inline constexpr std::string_view kLinkStateField = "link_state";
// Rejected frames looked at, newest first.
inline constexpr size_t kMaxGapFrames = 2000;

struct GapReason {
  std::string reason;  // [a-z_]+: "hub_stopped", "port_closed", "link_state", "clock_step", "frames_rejected"
  UtcUs time_us = kNoTime;
  std::string text;
};

struct Gap {
  UtcUs from_us = 0;           // last heard, or the beginning of the span
  UtcUs to_us = 0;             // heard again, or the end of the span
  bool begins_before = false;  // not heard since the beginning of the span
  bool goes_on = false;        // not heard until the end of the span
  std::vector<GapReason> reasons;
};

struct GapReport {
  std::string device;  // key
  UtcUs from_us = 0;
  UtcUs to_us = 0;
  int64_t limit_us = 0;
  bool limit_learned = false;  // from the readings of the span, no interval was given
  std::vector<Gap> gaps;
  bool more = false;
  int64_t missing_us = 0;  // of the gaps, in all
};

// Goes through the span in steps, so that the reading thread is free for others in between. Step, until it returns
// true (done) or an error.
class GapSearch {
 public:
  // limit_us 0: three times the usual distance of the readings, at least a minute. audit_directory "": none.
  GapSearch(const Directory& directory, const Device& device, UtcUs from_us, UtcUs to_us, int64_t limit_us,
            std::string audit_directory);

  tl::expected<bool, StoreError> Step(StoreReader& reader);
  const GapReport& report() const { return report_; }

 private:
  using Done = tl::expected<void, StoreError>;
  Done Prepare(StoreReader& reader);
  Done Heard(StoreReader& reader, UtcUs time_us);
  Done Split(StoreReader& reader, UtcUs from_us, UtcUs to_us, bool begins_before, bool goes_on);
  Done Explain(StoreReader& reader);
  void ExplainByAudit();

  std::vector<SeriesId> others_;
  std::vector<std::pair<SeriesId, SeriesField>> candidates_;
  SeriesId main_ = 0;
  std::optional<std::pair<SeriesId, SeriesField>> link_state_;
  std::string source_;
  std::string audit_directory_;
  GapReport report_;
  UtcUs next_us_ = 0;
  UtcUs last_us_ = 0;
  bool heard_ = false;
  bool prepared_ = false;
};

std::string GapsJson(const GapReport& report);

}  // namespace vesta::hub
