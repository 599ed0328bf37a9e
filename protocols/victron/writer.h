// Collects the readings of one frame of a Victron device, whatever link it came by.
//
// Fields of slow pace (errors, reasons, texts, history) are told when they change, others each time: devices repeat
// everything every second, and a chart or a card of history wants changes. // Holds its own room for readings and for
// texts made while decoding, so that nothing is allocated and views stay valid until the next Start(). A field that a
// device never had a value for is passed over while it is not available: a charger without a load output would else
// have a load current without a value for ever. Once it had one, losing it is told as an unavailable reading.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "model/reading.h"
#include "protocols/victron/fields.h"
#include "protocols/victron/reasons.h"

namespace vesta::victron {

// What was last said of a device's fields.
class FieldMemory {
 public:
  bool HasValue(uint16_t field) const { return (words_[field >> 6] >> (field & 63) & 1) != 0; }
  void SetHasValue(uint16_t field) { words_[field >> 6] |= uint64_t{1} << (field & 63); }
  // False when the digest is the one of the last time.
  bool Changes(uint16_t field, uint32_t digest) {
    if (last_[field] == digest) return false;
    last_[field] = digest;
    return true;
  }

 private:
  std::array<uint64_t, (kCountOfFields + 63) / 64> words_{};
  std::array<uint32_t, kCountOfFields> last_{};  // 0: never told
};

// By field: told only when it changes.
inline constexpr bool kIsSlow[] = {
#define VICTRON_FIELD(id, key, quantity, unit, decimals, kind, pace, diagnostic, states) Pace::pace == Pace::kSlow,
#include "protocols/victron/field_rows.inc"
#undef VICTRON_FIELD
};

// The longest text block has 22 labels, the longest radio message 21 values; 64 chargers may tell their shares beside.
inline constexpr size_t kMaxReadings = 128;
static_assert(std::endian::native == std::endian::little && std::is_trivially_copyable_v<Reading> &&
                  offsetof(Reading, device) == 0 && offsetof(Reading, field) == 2 && offsetof(Reading, index) == 4 &&
                  offsetof(Reading, quality) == 6 && offsetof(Reading, time_quality) == 7,
              "ReadingWriter writes the head of a reading at once");

inline constexpr size_t kMaxMadeTexts = 8;

class ReadingWriter {
 public:
  ReadingWriter() = default;
  ReadingWriter(const ReadingWriter&) = delete;
  ReadingWriter& operator=(const ReadingWriter&) = delete;

  // `memory` must live until the last call for this frame.
  void Start(uint16_t slot, StampedTime time, FieldMemory* memory) {
    head_ = slot | static_cast<uint64_t>(time.quality) << 56;
    time_us_ = time.time_us;
    memory_ = memory;
    next_ = readings_.data();
    pv_power_ = nullptr;
    yield_today_ = nullptr;
    text_count_ = 0;
  }
  // The readings that follow are of another device in the same frame.
  void Continue(uint16_t slot, FieldMemory* memory) {
    head_ = (head_ & ~uint64_t{0xFFFF}) | slot;
    memory_ = memory;
  }
  // Of the readings that follow.
  void SetFlags(uint8_t flags) { flags_ = flags; }

  void Number(uint16_t field, int64_t mantissa, int8_t exponent) {
    Add(field, Value::OfDecimal(mantissa, exponent), ValueQuality::kOk);
  }
  // Worked out from other values, not sent.
  void Derived(uint16_t field, int64_t mantissa, int8_t exponent) {
    Add(field, Value::OfDecimal(mantissa, exponent), ValueQuality::kDerived);
  }
  void State(uint16_t field, uint32_t code) { Add(field, Value::OfState(code), ValueQuality::kOk); }
  void Flag(uint16_t field, bool on) { Add(field, Value::OfState(on ? 1 : 0), ValueQuality::kOk); }
  // The text must live until the frame is handed on. An empty one is not available.
  void Text(uint16_t field, std::string_view text) {
    if (text.empty()) return Unavailable(field);
    Add(field, Value::OfText(text), ValueQuality::kOk);
  }
  // Bits as a text, see reasons.h.
  void Reasons(uint16_t field, uint32_t bits, std::span<const StateName> names) {
    if (bits == 0) return Text(field, "none");
    if (MadeText* room = TextRoom()) Text(field, ReasonText(bits, names, *room));
  }
  // Room for a text that is made while decoding; nullptr, counted as dropped, when there is none left.
  using MadeText = std::array<char, kReasonTextSize>;
  MadeText* TextRoom() {
    if (text_count_ < kMaxMadeTexts) return &texts_[text_count_++];
    CountDropped();
    return nullptr;
  }
  void Unavailable(uint16_t field) {
    if (!memory_->HasValue(field)) return;
    if (kIsSlow[field] && !memory_->Changes(field, kNoneDigest)) return;
    Put(field, Value::None(), ValueQuality::kUnavailable);
  }

  std::span<const Reading> readings() const {
    return {readings_.data(), static_cast<size_t>(next_ - readings_.data())};
  }
  // This frame's, or nullptr: who adds up solar chargers need not search for them. Perhaps without a value.
  const Reading* pv_power() const { return pv_power_; }
  const Reading* yield_today() const { return yield_today_; }
  // Readings beyond kMaxReadings and texts beyond kMaxMadeTexts, over all frames.
  uint64_t dropped() const { return dropped_; }

 private:
  static constexpr uint32_t kNoneDigest = 2;  // the others are odd

  static uint32_t DigestOf(uint64_t bits) { return static_cast<uint32_t>(bits * 0x9E3779B97F4A7C15u >> 32) | 1; }
  static uint32_t DigestOf(const Value& value) {
    switch (value.kind()) {
      case ValueKind::kDecimal:
        return DigestOf(static_cast<uint64_t>(value.decimal().mantissa) * 256 +
                        static_cast<uint8_t>(value.decimal().exponent));
      case ValueKind::kState:
        return DigestOf(uint64_t{value.state()} + 1);
      case ValueKind::kText: {
        uint64_t hash = 0xCBF29CE484222325u;
        for (const char c : value.text()) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
        return DigestOf(hash);
      }
      case ValueKind::kReal:
      case ValueKind::kNone:
        break;
    }
    return kNoneDigest;
  }

  void Add(uint16_t field, const Value& value, ValueQuality quality) {
    if (kIsSlow[field] && !memory_->Changes(field, DigestOf(value))) return;
    if (!memory_->HasValue(field)) memory_->SetHasValue(field);
    Put(field, value, quality);
  }
  void Put(uint16_t field, const Value& value, ValueQuality quality) {
    if (next_ == readings_.data() + kMaxReadings) return CountDropped();
    Reading& reading = *next_++;
    if (field == kPvPower) pv_power_ = &reading;
    if (field == kYieldToday) yield_today_ = &reading;
    // The first eight bytes in one store: readings are most of the work of an advert.
    const uint64_t head = head_ | uint64_t{field} << 16 | static_cast<uint64_t>(quality) << 48;
    std::memcpy(static_cast<void*>(&reading), &head, sizeof(head));
    reading.flags = flags_;
    reading.time_us = time_us_;
    reading.value = value;
  }
  void CountDropped() { ++dropped_; }

  std::array<Reading, kMaxReadings> readings_{};
  uint64_t head_ = 0;  // device and time quality where a reading has them
  UtcUs time_us_ = 0;
  uint8_t flags_ = 0;
  FieldMemory* memory_ = nullptr;
  // A pointer, since a count would have to be stored and loaded again for each reading (it may alias their times).
  Reading* next_ = readings_.data();
  const Reading* pv_power_ = nullptr;
  const Reading* yield_today_ = nullptr;
  size_t text_count_ = 0;
  uint64_t dropped_ = 0;
  std::array<MadeText, kMaxMadeTexts> texts_{};
};

}  // namespace vesta::victron
