// One physical device that is heard over several roads, shown as one.
//
// A merged device is a selection, never a stored mix: each road keeps its own series and history for ever; the merged
// device shows, field by field, the newest value of the road that is preferred and alive. A road that fell silent is
// left after `fallback_after`, a better one is taken again once it has been alive for `return_after` without a break,
// so that a link which comes and goes does not make the shown value jump. A counter changes road only with an offset,
// so it never steps: what the new road counted while the old one was silent is kept. Roads and offsets survive a
// restart (State). The user declares who belongs together; fields with one key meet by themselves, others by `fields`,
// and only when kind and unit are the same. Main thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hub/config/config.h"
#include "hub/live/live_view.h"

namespace vesta::hub {

class MergedDevice {
 public:
  // What has to survive a restart: by field key.
  struct Road {
    size_t member = 0;                                 // who is shown
    std::vector<Decimal> offsets;                      // of a counter, by member: shown = counted + offset
    std::optional<Decimal> shown;                      // of a counter: the last value shown
    std::vector<std::optional<Decimal>> counted_then;  // of a counter, by member: what it had counted at that moment
  };
  using State = std::map<std::string, Road>;

  MergedDevice(const Clock& clock, MergedConfig config, Directory& directory, LiveView& live);

  void Restore(State state) { state_ = std::move(state); }
  const State& state() const { return state_; }
  // Grows when state() changed in a way that must be kept: a field changed road.
  uint64_t revision() const { return revision_; }

  DeviceId id() const { return id_; }
  const std::string& key() const { return config_.key; }
  // The series whose value this merged series shows now; 0 when it is not a series of this device.
  SeriesId ShownSeries(SeriesId merged) const;

  // Leaves roads that fell silent; call about once a second.
  void Tick();

 private:
  struct Candidate {
    SeriesId series = 0;  // 0: this member has not said anything of the field yet
    bool heard = false;
    int64_t heard_us = 0;        // monotonic
    int64_t alive_since_us = 0;  // start of the time in which it was heard without a break
  };
  struct MergedField {
    std::string key;
    SeriesId series = 0;
    FieldKind kind = FieldKind::kGauge;
    Unit unit = Unit::kNone;
    std::vector<Candidate> candidates;  // by member
  };

  void OnValue(const Series& series, const LiveValue& value);
  // The place in fields_ that a member's field belongs to; made when new. Empty when it can't be merged.
  std::optional<size_t> FieldOf(size_t member, const Series& series);
  void Choose(MergedField& field);
  void SwitchTo(MergedField& field, Road& road, size_t member);
  void Show(MergedField& field, size_t member, const LiveValue& value);
  Road& RoadOf(const MergedField& field);
  int64_t FallbackUs() const { return int64_t{config_.fallback_after_s} * kUsPerSecond; }

  const Clock& clock_;
  const MergedConfig config_;
  Directory& directory_;
  LiveView& live_;
  const int64_t started_us_;
  DeviceId id_ = 0;
  std::vector<MergedField> fields_;
  std::map<SeriesId, std::pair<size_t, size_t>> members_;  // series of a member -> field, member
  std::map<std::string, bool, std::less<>> refused_;       // field keys that can't be merged, told once
  State state_;
  uint64_t revision_ = 0;
  LiveView::Token token_;
};

// What a text field may hold in the state file, for reading and writing it.
std::string MergedStateToJson(const std::map<std::string, MergedDevice::State>& devices);
std::optional<std::map<std::string, MergedDevice::State>> MergedStateFromJson(const std::string& text);

}  // namespace vesta::hub
