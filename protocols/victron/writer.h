// Collects the readings of one frame of a Victron device, whatever link it came by.
//
// Fields of slow pace (errors, reasons, texts, history) are told when they change, others each time: devices repeat
// everything every second, and a chart or a card of history wants changes. // Holds its own room for readings and for
// texts made while decoding, so that nothing is allocated and views stay valid until the next Start(). A field that a
// device never had a value for is passed over while it is not available: a charger without a load output would else
// have a load current without a value for ever. Once it had one, losing it is told as an unavailable reading.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

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

inline constexpr size_t kMaxReadings = 64;  // the longest text block has 22 labels, the longest radio message 21 values
inline constexpr size_t kMaxMadeTexts = 8;

class ReadingWriter {
 public:
  // `memory` must live until the last call for this frame.
  void Start(uint16_t slot, StampedTime time, FieldMemory* memory) {
    frame_.device = slot;
    frame_.time_us = time.time_us;
    frame_.time_quality = time.quality;
    memory_ = memory;
    count_ = 0;
    text_count_ = 0;
  }
  // The readings that follow are of another device in the same frame.
  void Continue(uint16_t slot, FieldMemory* memory) {
    frame_.device = slot;
    memory_ = memory;
  }
  // Of the readings that follow.
  void SetFlags(uint8_t flags) { frame_.flags = flags; }

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

  std::span<const Reading> readings() const { return {readings_.data(), count_}; }
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
    memory_->SetHasValue(field);
    Put(field, value, quality);
  }
  void Put(uint16_t field, const Value& value, ValueQuality quality) {
    if (count_ == kMaxReadings) return CountDropped();
    Reading& reading = readings_[count_++];
    reading = frame_;
    reading.field = field;
    reading.quality = quality;
    reading.value = value;
  }
  void CountDropped() { ++dropped_; }

  Reading frame_;
  FieldMemory* memory_ = nullptr;
  size_t count_ = 0;
  size_t text_count_ = 0;
  uint64_t dropped_ = 0;
  std::array<Reading, kMaxReadings> readings_{};
  std::array<MadeText, kMaxMadeTexts> texts_{};
};

}  // namespace vesta::victron
