// A VE.Direct port as a session: text blocks and HEX frames in, readings of one device out; HEX questions when asked
// to.
//
// One text block with a right sum, and one HEX answer or unasked frame with a right check, is one frame event. The
// device is what the serial number says (SER#); a device whose text has none (battery monitors) is known by its place
// and product. Until the first block says who speaks, and again after a pause or a lost link, frames wait (bounded,
// with the time at which they came), since devices with much to say spread it over two blocks in turn and only one
// names them. On a port without text the serial number is taken from the HEX answer. Nothing is ever set on a device.
// All memory is part of the object. Facts: reference of Victron, sections 10 and 11.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/session.h"
#include "protocols/vedirect/firmware.h"
#include "protocols/vedirect/framer.h"
#include "protocols/vedirect/hex.h"
#include "protocols/vedirect/labels.h"
#include "protocols/vedirect/picture.h"
#include "protocols/vedirect/poll.h"
#include "protocols/vedirect/poll_rows.h"

namespace vesta::vedirect {

struct Options {
  PollOptions poll;
  // What a device without a serial number in its text is called when even its product is not known; the port of a
  // multiplexer has one of its own.
  std::string_view place = "port";
};

struct Counters {
  uint64_t text_blocks = 0;  // accepted
  uint64_t bad_checksum = 0;
  uint64_t hex_answers = 0;
  uint64_t hex_unasked = 0;
  uint64_t hex_bad = 0;      // not believed
  uint64_t hex_flagged = 0;  // the device says: unknown, not supported, no data
  uint64_t hex_errors = 0;   // the device did not understand us
  uint64_t hex_secrets = 0;  // frames that held a key: not kept
  uint64_t discarded_cut = 0;
  uint64_t discarded_overlong = 0;
  uint64_t unknown_labels = 0;
  uint64_t unknown_registers = 0;
  uint64_t values_unreadable = 0;
  uint64_t frames_before_name = 0;  // waited until the device was known
  uint64_t devices_dropped = 0;     // more devices on one port than kMaxDevices
};

// Labels and registers that no table knows, remembered with an example.
inline constexpr size_t kMaxUnknown = 24;
struct Unknown {
  std::array<char, 12> code{};
  uint8_t code_size = 0;
  std::array<char, 24> example{};
  uint8_t example_size = 0;
  uint64_t count = 0;
};

// Devices that were on one port in the life of a process.
inline constexpr size_t kMaxDevices = 16;
inline constexpr size_t kMaxSerial = 32;
// A port with text is named by its text: no question before it had the time to come.
inline constexpr int64_t kFirstQuestion_us = 3 * kUsPerSecond;
// Frames that wait for a name: two blocks and the HEX frames between them.
inline constexpr size_t kMaxWaiting = 16;
inline constexpr size_t kMaxWaitingBytes = 4096;
// Blocks come every one or two seconds: by now both of a pair have been seen.
inline constexpr int64_t kNameTimeout_us = 4500 * kUsPerMs;
inline constexpr uint8_t kNameBlocks = 2;
// After such a pause the plug may be in another device.
inline constexpr int64_t kNameForgotten_us = 6 * kUsPerSecond;

class VedirectSession final : public vesta::Session, private FramerSink {
 public:
  explicit VedirectSession(const Options& options);

  std::span<const Field> fields() const override { return victron::Fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override;
  void Tick(const Now& now, SessionEvents& events) override;
  int64_t next_deadline_us() const override;
  Bytes Transmit() override { return {question_.data() + question_sent_, question_size_ - question_sent_}; }
  void Transmitted(size_t count) override;
  uint64_t unknown_objects() const override { return counters_.unknown_labels + counters_.unknown_registers; }
  void ReportCounters(CounterSink& sink) const override;
  void ReportUnknown(UnknownSink& sink) const override;
  void LinkReset(const Now& now, SessionEvents& events) override;

  // The line goes to another device for a while (a multiplexer): half frames are void, nothing more is asked.
  void Suspend(const Now& now, SessionEvents& events);
  // It is back on this device: the rest holds.
  void Resume(const Now& now, SessionEvents& events);

  const Counters& counters() const { return counters_; }
  const PollPlan& plan() const { return plan_; }
  uint64_t bytes_received() const { return framer_.bytes_received(); }
  size_t bytes_pending() const { return framer_.pending(); }

 private:
  struct Slot {
    std::array<char, kMaxIdentitySize> identity;
    uint8_t identity_size = 0;
  };
  struct Waiting {
    uint16_t size;
    bool is_hex;
    uint64_t offset;
    Now now;
  };
  // What frames say of who speaks.
  struct Name {
    std::array<char, kMaxSerial> serial{};
    uint8_t serial_size = 0;
    bool has_product = false;
    uint16_t product = 0;
    std::array<char, kFirmwareTextSize> firmware{};
    uint8_t firmware_size = 0;
    std::array<char, kMaxSerial> model{};
    uint8_t model_size = 0;
  };

  void OnText(Bytes raw, uint64_t offset, bool sum_is_right) override;
  void OnHex(Bytes raw, uint64_t offset, HexEnd end) override;
  void OnDiscarded(Bytes raw, uint64_t offset, const char* reason) override;

  void Problem(FrameVerdict verdict, const char* reason, Bytes raw, uint64_t offset);
  void ReadName(std::string_view block, Name* name) const;
  void ReadHexName(const HexFrame& frame);
  bool IsOtherDevice(const Name& name) const;
  void Wait(Bytes raw, uint64_t offset, bool is_hex);
  void DecideName(bool final);
  void ReleaseWaiting();
  void SetDevice();
  void Announce();
  void TakeText(Bytes raw, uint64_t offset, const Now& now);
  void TakeHex(const HexFrame& frame, Bytes raw, uint64_t offset, const Now& now);
  void TakeRegister(const HexFrame& frame, victron::ReadingWriter& writer);
  void TakeIdentity(const LabelRow& row, std::string_view text, const Value& value, victron::ReadingWriter& writer);
  uint16_t FieldHere(uint16_t field) const;
  void CountUnknown(std::string_view code, std::string_view example);
  void CountUnknownRegister(const HexFrame& frame);
  void Emit(Bytes raw, uint64_t offset, std::span<const Reading> readings);
  void Ask(const Now& now);

  const Options options_;
  Framer framer_;
  PollPlan plan_;
  Picture picture_;
  Counters counters_;
  std::array<Unknown, kMaxUnknown> unknown_;
  size_t unknown_count_ = 0;

  std::array<Slot, kMaxDevices> slots_;
  size_t slot_count_ = 0;
  uint16_t slot_ = kNoDevice;
  DeviceKind kind_ = DeviceKind::kOther;
  Name name_;  // of the device at slot_, or what is known of the one to be

  // Frames that wait for a name.
  std::array<Waiting, kMaxWaiting> waiting_;
  std::array<uint8_t, kMaxWaitingBytes> waiting_bytes_;
  size_t waiting_count_ = 0;
  size_t waiting_used_ = 0;
  uint8_t blocks_before_name_ = 0;
  bool announce_ = false;  // a text of the device changed
  bool named_ = false;     // slot_ is who speaks
  bool text_seen_ = false;
  int64_t unnamed_since_us_ = 0;
  int64_t last_frame_us_ = INT64_MIN;
  std::array<char, 6> product_text_{};

  std::array<uint8_t, 16> question_;
  size_t question_size_ = 0;
  size_t question_sent_ = 0;

  // Of the call that is under way.
  const Now* now_ = nullptr;
  SessionEvents* events_ = nullptr;
};

}  // namespace vesta::vedirect
