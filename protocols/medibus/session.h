// The host's end of a line to one MEDIBUS device as a session: bytes in, readings out, and what the host must say.
//
// Read-only by type (wire.h). Slot 0 is the line itself: its link_state is there from the start. A device gets a slot
// of its own when it has identified itself; the wire carries no serial number, so its identity is its model, at this
// place (identity_on_wire false). Another model on the line is another device. Each device's link_state and unavailable
// values mark the gaps; code_table names what its readings were decoded with: it is told when a link begins and every
// hour, and holds for all readings of the device up to the next one. In passive mode nothing is ever sent. All memory
// is taken by the constructor. Information only: not for alarming or therapy; not a medical device. Facts: reference of
// MEDIBUS.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "model/session.h"
#include "protocols/medibus/decode.h"
#include "protocols/medibus/link.h"
#include "protocols/medibus/parser.h"
#include "protocols/medibus/realtime.h"

namespace vesta::medibus {

// A passive listener hears what the other host asks for; silence of this length is a gap.
inline constexpr int64_t kPassiveSilence_us = 10 * kUsPerSecond;

struct Options {
  bool passive = false;  // listen to a line that has another host
  int64_t passive_silence_us = kPassiveSilence_us;
  LinkOptions link;
  Family assumed_family = Family::kIncubator;  // of a device that did not identify itself
  const SiteCodes* site = nullptr;             // outlives the session
  std::shared_ptr<const void> site_owner;      // kept as long as the session, for a caller who has no other place
};

inline constexpr uint16_t kLineSlot = 0;
inline constexpr size_t kMaxDevices = 16;  // models on one line in the life of a process
inline constexpr int64_t kTellTableEvery_us = 3600 * kUsPerSecond;
// Realtime samples are handed on together: as many records, or as long.
inline constexpr size_t kRealtimeBatch = 64;
inline constexpr int64_t kRealtimeLatest_us = kUsPerSecond;

struct Counters {
  uint64_t responses = 0;  // with a right checksum
  uint64_t commands = 0;   // of the device, with a right checksum
  uint64_t checksum_errors = 0;
  uint64_t truncated = 0;
  uint64_t aborted = 0;
  uint64_t overlong = 0;
  uint64_t identifications_unreadable = 0;
  uint64_t devices_dropped = 0;
  uint64_t readings_without_device = 0;  // responses before any identification was tried
  uint64_t realtime_records = 0;
  uint64_t realtime_unclaimed = 0;  // bytes or records while no stream was asked for
};

class MedibusSession : public vesta::Session, private ParserSink {
 public:
  explicit MedibusSession(const Options& options);

  std::span<const Field> fields() const override { return decoder_.fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override;
  void Tick(const Now& now, SessionEvents& events) override;
  int64_t next_deadline_us() const override { return deadline_us_; }
  Bytes Transmit() override { return options_.passive ? Bytes() : link_.pending(); }
  void Transmitted(size_t count) override { link_.Sent(count); }
  uint64_t unknown_objects() const override { return decoder_.counters().unknown_objects; }
  void ReportCounters(CounterSink& sink) const override;
  void ReportUnknown(UnknownSink& sink) const override { decoder_.ReportUnknown(sink); }
  void LinkReset(const Now& now, SessionEvents& events) override;

  // STOP, so that the device does not raise a message on a host that disappeared. Takes 2 s at the most.
  void BeginFarewell(const Now& now, SessionEvents& events) override;
  bool farewell_said() const override { return options_.passive || link_.stopped(); }

  LinkState link_state() const { return options_.passive ? passive_state_ : link_.state(); }
  std::string_view tables() const override { return code_table(); }
  std::string_view code_table() const { return {table_name_, table_name_size_}; }
  const Counters& counters() const { return counters_; }
  const LinkCounters& link_counters() const { return link_.counters(); }
  const DecodeCounters& decode_counters() const { return decoder_.counters(); }
  uint64_t stray_bytes() const { return parser_.stray_bytes(); }
  uint64_t suspends_heard() const { return suspends_heard_; }
  uint64_t resumes_heard() const { return resumes_heard_; }

 private:
  static constexpr size_t kIdentitySize = 64;
  struct Slot {
    char identity[kIdentitySize];
    size_t identity_size = 0;
  };
  struct Stream {
    uint16_t field = kNoField;
    int64_t interval_us = 0;
    double offset = 0;
    double scale = 0;
  };

  void OnParsed(const Frame& frame) override;
  void OnDropped(Bytes raw, uint64_t offset, const char* reason) override;
  void OnRealtimeByte(uint8_t byte, const Now& now) override;
  void OnFlow(bool suspend, const Now& now) override;

  void OnResponse(const Frame& frame);
  void TakeIdentification(const Frame& frame);
  void TakeStreamConfig(const Frame& frame);
  void UseDevice(const DeviceId& id);
  void AnnounceLine();
  uint16_t SlotOf(std::string_view identity);
  void Emit(const Frame& frame, const char* reason);
  void EmitBatch();  // readings that belong to no frame
  void FlushRealtime();
  void FollowLink();
  void TellDevice(LinkState state);
  void TellTable();
  void Settle(const Now& now);

  const Options options_;
  Parser parser_;
  HostLink link_;
  Decoder decoder_;
  Batch batch_;
  Counters counters_;
  char table_name_[kTableNameSize];
  size_t table_name_size_;
  int64_t deadline_us_ = 0;

  LinkState passive_state_ = LinkState::kLineClosed;
  int64_t last_valid_us_ = INT64_MIN;
  uint64_t sessions_seen_ = 0;
  static constexpr auto kNothingTold = static_cast<LinkState>(0);
  LinkState line_told_ = kNothingTold;
  bool line_announced_ = false;

  std::array<Slot, kMaxDevices> slots_;
  size_t slot_count_ = 1;  // the line
  uint16_t device_ = kNoDevice;
  LinkState device_told_ = kNothingTold;
  int64_t tell_table_at_us_ = 0;
  uint64_t id_hash_ = 0;

  RealtimeDecoder realtime_;
  std::array<Stream, kMaxRealtimeStreams> streams_;
  size_t stream_count_ = 0;
  std::unique_ptr<RealtimeRecord[]> records_;
  size_t record_count_ = 0;
  Now records_since_;
  std::array<uint8_t, kRealtimeBatch*(2 * kMaxRealtimeStreams + 4)> realtime_raw_;
  size_t realtime_raw_size_ = 0;
  uint64_t suspends_heard_ = 0;
  uint64_t resumes_heard_ = 0;

  // Of the call that is under way.
  Now now_;
  SessionEvents* events_ = nullptr;
};

}  // namespace vesta::medibus
