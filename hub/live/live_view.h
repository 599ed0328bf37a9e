// The newest value of every series, how old it may get, and whether each device is alive.
//
// Live is not late: it sees a reading as soon as it has a number, before it is durable. It learns the interval of every
// series and device, says when a value has gone stale and a device silent, and keeps one guard over counters so that a
// single bad frame never reaches an output. Everything that shows "now" (page, state topics, metrics) reads here.
// Main thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/journal/record.h"
#include "hub/live/counter_guard.h"
#include "hub/live/interval.h"

namespace vesta::hub {

enum class Availability : uint8_t { kUnknown = 0, kOnline = 1, kOffline = 2 };

struct LiveValue {
  Record record;         // the newest that may be shown; its text lives as long as the entry is not replaced
  int64_t heard_us = 0;  // monotonic time of the last reading of this series, shown or not
  bool fresh = false;    // false: restored from the store, or older than its limit
};

class LiveView {
 public:
  LiveView(const Clock& clock, Directory& directory) : clock_(clock), directory_(directory) {}

  // Values as they stood when the hub stopped: shown with their age, never as fresh.
  void Restore(const RecordBatch& latest);

  // A numbered reading of a known series. Marks a counter that stepped back as suspect before anyone sees it: returns
  // the quality that the reading must be stored with. Call before Journal::Append.
  ValueQuality Judge(const Record& record);
  void Accept(const Record& record);

  // A valid frame of this device arrived, with or without new values. Intervals are learned from the times of arrival
  // as the frames bear them, so that a capture that is replayed faster teaches the true ones; kNoTime: now.
  void Heard(DeviceId device, UtcUs received_us = kNoTime);

  // Moves stale values and silent devices; call about once a second.
  void Tick();

  const LiveValue* Find(SeriesId series) const;  // nullptr: never heard
  Availability DeviceAvailability(DeviceId device) const;
  int64_t DeviceHeardUs(DeviceId device) const;                    // monotonic; INT64_MIN: never in this run
  std::optional<int64_t> SeriesIntervalUs(SeriesId series) const;  // learned; empty until known
  std::optional<int64_t> DeviceIntervalUs(DeviceId device) const;
  // Age at which a value of this series is stale: 3 learned intervals, at least 60 s, at most kMaxStaleAfter_us. Values
  // of slow pace are sent only when they change: they are as fresh as their device.
  int64_t StaleAfterUs(SeriesId series) const;
  int64_t DeviceSilentAfterUs(DeviceId device) const;

  struct GuardCounts {
    uint64_t held = 0;      // counter readings marked suspect
    uint64_t accepted = 0;  // steps back that proved to be true (reset, swap)
  };
  const GuardCounts& guard() const { return guard_; }

  struct Listener {
    std::function<void(const Series&, const LiveValue&)> value;  // new value, or the same value gone stale
    std::function<void(const Device&, Availability)> availability;
    std::function<void(const Device&)> device_changed;  // new, renamed, new series
  };
  using Token = std::shared_ptr<void>;
  Token Listen(Listener listener);
  // Tells listeners about new and changed devices; called by who resolved them.
  void AnnounceDevice(DeviceId device);

 private:
  struct SeriesState {
    LiveValue value;
    std::string text;
    IntervalLearner interval;
    CounterGuard guard;
    bool known = false;
  };
  struct DeviceState {
    int64_t heard_us = INT64_MIN;
    IntervalLearner interval;
    Availability availability = Availability::kUnknown;
  };
  static bool IsSubMeterQuantity(Quantity quantity);
  SeriesState& StateOf(SeriesId series);
  DeviceState& StateOfDevice(DeviceId device);
  void RefreshSlowValues(DeviceId device);
  void SetAvailability(DeviceId device, Availability availability);
  template <typename Call>
  void NotifyAll(const Call& call);

  const Clock& clock_;
  Directory& directory_;
  std::deque<SeriesState> series_;  // a deque: values point at the texts of their entries, and growing it moves none
  std::vector<DeviceState> devices_;
  std::list<std::weak_ptr<Listener>> listeners_;
  GuardCounts guard_;
};

// A silent device is offline, a value stale, after this long at the latest, whatever interval was learned; daily heat
// meters stay below it.
inline constexpr int64_t kMaxStaleAfter_us = 50ll * 3600 * kUsPerSecond;
inline constexpr int64_t kMinStaleAfter_us = 60 * kUsPerSecond;
// Before an interval is known. Sub-meters report hourly, often some hours late after a lost radio message.
inline constexpr int64_t kDefaultStaleAfter_us = 120 * kUsPerSecond;
inline constexpr int64_t kSubMeterStaleAfter_us = 4ll * 3600 * kUsPerSecond;

}  // namespace vesta::hub
