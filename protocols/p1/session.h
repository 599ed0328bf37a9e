// The P1 port of one smart meter as a session: bytes in, devices and readings out.
//
// Plain and encrypted telegrams, any chunking. The meter is slot 0 and each sub-meter on its M-Bus channels a slot of
// its own; a new equipment identifier is a new device with a new slot. Measurements come with every telegram, texts and
// static values when they change, sub-meter values and log entries when they are new. Live values bear ChooseTime() of
// the telegram's own stamp; sub-meter values and log entries their own. Every repair is an option, off by default, and
// counted. All memory is taken by the constructor. Facts: reference of the P1 port.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "model/session.h"
#include "protocols/p1/decode.h"
#include "protocols/p1/encrypted.h"
#include "protocols/p1/framer.h"

namespace vesta::p1 {

enum class TariffRule : uint8_t { kNone = 0, kNl = 1, kBe = 2 };  // nl: 1 low, 2 normal; be: 1 normal, 2 low

enum class TagPolicy : uint8_t {
  kCheck = 0,   // a wrong tag rejects the frame
  kIgnore = 1,  // the telegram's own checksum decides
};

struct Options {
  Zone zone{60, true};  // where the meter stands; telegrams never say
  SummerTimeRule summer_time = SummerTimeRule::kLetter;
  TariffRule tariff_rule = TariffRule::kNone;
  CrcVariant crc = CrcVariant::kArc;
  size_t max_telegram = kDefaultMaxTelegram;  // clamped to kMinMaxTelegram..kMaxMaxTelegram
  uint8_t mbus_channels = kMaxChannels;       // channels above are not taken for sub-meters
  // Repairs.
  bool accept_missing_crc = false;  // of a telegram that should have one
  bool strip_bit7 = false;
  bool repair_line_ends = false;
  bool lenient_end_mark = false;
  // Encryption.
  bool has_key = false;
  Key key{};
  bool has_authentication_key = false;
  Key authentication_key{};
  TagPolicy tag_policy = TagPolicy::kCheck;
};

struct Counters {
  uint64_t telegrams_accepted = 0;     // duplicates included
  uint64_t telegrams_without_crc = 0;  // of those, the ones whose version has none
  uint64_t duplicates = 0;
  // Rejected, by reason.
  uint64_t rejected_crc = 0;
  uint64_t rejected_missing_crc = 0;
  uint64_t rejected_no_key = 0;
  uint64_t rejected_length = 0;  // header of an encrypted frame with a length beyond the limit
  uint64_t rejected_tag = 0;
  uint64_t rejected_replay = 0;
  uint64_t rejected_not_a_telegram = 0;
  uint64_t rejected_inner_crc = 0;
  // Discarded, by reason.
  uint64_t discarded_cut = 0;
  uint64_t discarded_overlong = 0;
  uint64_t discarded_incomplete = 0;
  // Repairs and policies that made a telegram acceptable.
  uint64_t repaired_missing_crc = 0;
  uint64_t repaired_bit7 = 0;
  uint64_t repaired_line_ends = 0;
  uint64_t repaired_end_mark = 0;
  uint64_t crc_ignored = 0;
  uint64_t tag_ignored = 0;
  uint64_t inner_crc_wrong_but_tag_right = 0;
  // Inside accepted telegrams.
  uint64_t readings = 0;
  uint64_t objects = 0;
  uint64_t unknown_objects = 0;
  uint64_t odd_telegrams = 0;  // with any anomaly
  uint32_t last_anomalies = 0;
  uint64_t units_inferred = 0;
  uint64_t units_mismatched = 0;   // a value whose unit does not belong to its object: not taken
  uint64_t values_unreadable = 0;  // no number where one is due
  uint64_t submeter_values_unusable = 0;
  uint64_t stamps_unusable = 0;     // telegram clock unset or impossible
  uint64_t submeter_restamped = 0;  // stamp more than a day ahead of the telegram
  // Bounds that were hit.
  uint64_t devices_dropped = 0;
  uint64_t log_entries_dropped = 0;
  uint64_t unknown_codes_dropped = 0;
};

inline constexpr size_t kMaxDevices = 32;         // meter swaps on one port in the life of a process
inline constexpr size_t kMaxUnknownCodes = 32;    // shown to the user, not decoded
inline constexpr size_t kMaxFailureEntries = 32;  // the documents stop at 10
inline constexpr size_t kMaxHistoryEntries = 40;  // the documents stop at 13 months

// An object whose code the table does not have.
struct UnknownCode {
  char code[kObisTextSize + 1] = {};
  char value[48] = {};  // the latest groups, cut
  uint64_t count = 0;
};

class P1Session final : public vesta::Session, private FramerSink, private UnknownObjects {
 public:
  explicit P1Session(const Options& options);
  ~P1Session() override;

  std::span<const Field> fields() const override { return Fields(); }
  void Receive(Bytes bytes, const Now& now, SessionEvents& events) override {
    if (bytes.size() == 1 && framer_.TakeQuickly(bytes[0], now.monotonic_us)) return;
    ReceiveAny(bytes, now, events);
  }
  void Tick(const Now& now, SessionEvents& events) override;
  int64_t next_deadline_us() const override { return framer_.next_deadline_us(); }
  void LinkReset(const Now& now, SessionEvents& events) override;

  uint64_t unknown_objects() const override { return counters_.unknown_objects; }
  void ReportCounters(CounterSink& sink) const override;
  void ReportUnknown(UnknownSink& sink) const override;

  const Counters& counters() const { return counters_; }
  std::span<const UnknownCode> unknown_codes() const { return {unknown_.data(), unknown_count_}; }
  uint64_t bytes_outside_telegrams() const { return framer_.bytes_outside(); }
  uint64_t bytes_received() const { return framer_.bytes_received(); }
  size_t bytes_pending() const { return framer_.pending(); }

 private:
  struct Slot;
  struct ChannelMemory;
  struct FailureKey {
    UtcUs end_us;
    int64_t duration_s;
  };
  struct HistoryKey {
    UtcUs month_us;
    int64_t value;
    bool is_export;
  };

  void ReceiveAny(Bytes bytes, const Now& now, SessionEvents& events);

  void OnTelegram(const TelegramFrame& frame) override;
  bool OnEncrypted(Bytes raw, uint64_t offset) override;
  void OnDiscarded(Bytes raw, uint64_t offset, const char* reason) override;
  void OnUnknownObject(std::string_view code, std::string_view groups) override;

  void Accept(const TelegramFrame& frame, Bytes raw, uint64_t offset, bool encrypted, uint8_t flags);
  void Reject(Bytes raw, uint64_t offset, bool encrypted, const char* reason, uint64_t* counter);
  void RejectUnchecked(const EncryptedFrame& frame, Bytes raw, uint64_t offset, const char* reason, uint64_t* counter);
  bool IsReplay(const EncryptedFrame& frame) const;

  UtcUs TelegramTime();
  void CareForNumbers();
  void FindMeter();
  void EmitTexts(StampedTime time);
  void EmitTariff(StampedTime time);
  void EmitDemand(StampedTime time);
  void EmitFailures();
  void EmitHistory(StampedTime time);
  void EmitChannel(uint8_t number, StampedTime time);
  void EmitChannelValues(const Channel& channel, ChannelMemory* memory, StampedTime time);
  uint16_t ChannelSlot(uint8_t number, const Channel& channel, ChannelMemory* memory);
  uint16_t SlotOf(std::string_view identity);
  Reading* Add(uint16_t slot, uint16_t field, Value value, StampedTime time);
  std::string_view PoolText(const TextValue& text);

  const Options options_;
  Framer framer_;
  Decoder decoder_;
  FrameCipher cipher_;
  std::unique_ptr<uint8_t[]> plain_;
  size_t plain_capacity_ = 0;
  size_t pool_capacity_ = 0;
  std::unique_ptr<char[]> pool_;
  size_t pool_used_ = 0;
  std::unique_ptr<Content> content_;
  std::unique_ptr<Slot[]> slots_;
  size_t slot_count_ = 0;
  std::unique_ptr<ChannelMemory[]> channels_;
  std::unique_ptr<uint64_t[]> text_hashes_;  // by field, of the meter's texts last emitted
  Counters counters_;
  std::array<UnknownCode, kMaxUnknownCodes> unknown_;
  size_t unknown_count_ = 0;

  // Of the call that is under way.
  const Now* now_ = nullptr;
  SessionEvents* events_ = nullptr;
  size_t reading_count_ = 0;

  // Of the meter.
  uint16_t meter_slot_ = kNoDevice;
  uint64_t meter_hash_ = 0;
  uint64_t header_hash_ = 0;
  // Of the last accepted telegram.
  UtcUs last_clock_us_ = kNoTime;
  size_t last_size_ = 0;
  uint16_t last_crc_ = 0;
  // Of the last accepted encrypted frame.
  bool title_known_ = false;
  std::array<uint8_t, 8> last_title_{};
  uint32_t last_frame_counter_ = 0;
  // Lists as last seen.
  uint64_t failure_hash_ = 0;
  size_t failure_count_ = 0;
  std::array<FailureKey, kMaxFailureEntries> failures_{};
  uint64_t history_hash_ = 0;
  size_t history_count_ = 0;
  std::array<HistoryKey, kMaxHistoryEntries> history_{};
  std::array<HistoryKey, 2> demand_max_{};
  std::array<bool, 2> demand_max_known_{};
};

}  // namespace vesta::p1
