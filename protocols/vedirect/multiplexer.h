// Several VE.Direct devices on one serial port: which channel is chosen when, and whose the bytes are.
//
// Visits the channels in turn. After a switch the line needs a moment to settle; what arrives then belongs to nobody.
// Then one channel's own session listens (and asks) until it has heard what it waits for, or until its time is up.
// The half block at either end of a visit is no damage: it is counted apart and not told. A channel on which two visits
// in a row brought nothing is absent: it is looked into now and then only, so that an empty plug does not slow down the
// others, and the visit after something was heard makes it present again. No I/O: the lines are a Selector, time is
// passed in. Facts: inventory of the fourth seed, part A, whose reader hung when one charger was unplugged.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/session.h"
#include "protocols/vedirect/session.h"

namespace vesta::vedirect {

// The select lines. Called from Receive, Tick and LinkReset; must not wait.
class Selector {
 public:
  virtual ~Selector() = default;
  // False: the lines could not be set; tried again with the next visit.
  virtual bool Select(uint32_t channel) = 0;
};

inline constexpr size_t kMaxChannels = 16;
inline constexpr size_t kMaxMultiplexedDevices = kMaxChannels * 4;
// The gates take microseconds, a byte under way half a millisecond, a USB adapter keeps bytes back for 16 ms.
inline constexpr int64_t kSettle_us = 30 * kUsPerMs;
// New firmware sends its text every two seconds; a device with two blocks needs both.
inline constexpr int64_t kVisit_us = 4500 * kUsPerMs;
// Enough to hear whether there is anybody.
inline constexpr int64_t kLook_us = 2500 * kUsPerMs;
inline constexpr uint32_t kMissesToBeAbsent = 2;
inline constexpr uint32_t kLookEveryRounds = 8;
// Blocks that end a visit early: a live block and a history block.
inline constexpr uint32_t kBlocksOfAVisit = 2;

struct ChannelState {
  uint32_t channel = 0;
  bool present = false;
  uint64_t visits = 0;
  uint64_t visits_without_a_frame = 0;
  int64_t heard_us = INT64_MIN;  // monotonic, of the last accepted frame
};

class Multiplexer final : public vesta::Session, private SessionEvents {
 public:
  // channels: at most kMaxChannels count. The selector lives as long as this.
  Multiplexer(const Options& options, std::span<const uint32_t> channels, std::unique_ptr<Selector> selector);
  ~Multiplexer() override;

  std::span<const Field> fields() const override { return victron::Fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override;
  void Tick(const Now& now, SessionEvents& events) override;
  int64_t next_deadline_us() const override;
  Bytes Transmit() override;
  void Transmitted(size_t count) override;
  uint64_t unknown_objects() const override;
  void ReportCounters(CounterSink& sink) const override;
  void ReportUnknown(UnknownSink& sink) const override;
  void LinkReset(const Now& now, SessionEvents& events) override;

  size_t channel_count() const { return channels_.size(); }
  const ChannelState& channel(size_t place) const;

 private:
  struct Channel;

  void OnDevice(uint16_t slot, const DeviceInfo& device) override;
  void OnFrame(const FrameEvent& frame) override;

  void Visit(size_t place, const Now& now);
  void EndVisit(const Now& now);
  size_t NextPlace();
  Channel& Current() { return *channels_[at_]; }
  bool Listening(int64_t monotonic_us);

  std::unique_ptr<Selector> selector_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::array<Reading, victron::kMaxReadings> readings_;
  uint16_t device_count_ = 0;
  size_t at_ = 0;
  uint64_t round_ = 0;
  bool open_ = false;
  bool settling_ = true;    // what arrives belongs to nobody, and nothing may be asked
  bool first_text_ = true;  // none has come in this visit
  uint32_t blocks_ = 0;     // accepted in this visit
  uint32_t frames_ = 0;
  int64_t settled_us_ = 0;
  int64_t visit_ends_us_ = 0;
  uint64_t stream_offset_ = 0;   // of all channels together
  uint64_t channel_offset_ = 0;  // what to add to the current channel's own
  uint64_t half_frames_ = 0;     // at the ends of visits
  uint64_t settling_bytes_ = 0;
  uint64_t select_failures_ = 0;
  uint64_t devices_dropped_ = 0;
  // Of the call that is under way.
  const Now* now_ = nullptr;
  SessionEvents* events_ = nullptr;
};

}  // namespace vesta::vedirect
