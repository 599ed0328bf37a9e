// What the device on a port has said, and what of it is news: turns the values of one frame into readings.
//
// Values of fast fields are readings each time, those of slow fields when they changed. What text says is not said
// again by HEX: HEX values of a field that text brought within kTextStaysKnown_us are passed over and counted, so that
// one series never mixes two resolutions. Powers that the device does not send are worked out where it sends volts and
// amperes (quality derived). Fixed memory; texts of a frame live until the next one begins.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/reading.h"
#include "protocols/vedirect/registers.h"
#include "protocols/victron/fields.h"
#include "protocols/victron/reasons.h"

namespace vesta::vedirect {

inline constexpr int64_t kTextStaysKnown_us = 10 * kUsPerSecond;
inline constexpr size_t kMaxReadings = 96;  // a block has some 25 fields; the rest is for reasons and derived ones
inline constexpr size_t kTextPool = 2048;   // a few reasons of at most 250 bytes

enum class Origin : uint8_t { kText, kHex };

class Picture {
 public:
  Picture() { Forget(); }

  // Another device: all is news again.
  void Forget();
  void SetKind(DeviceKind kind) { kind_ = kind; }

  void Begin(uint16_t slot, StampedTime time, int64_t monotonic_us, Origin origin);
  // value: none says that the device has no such value now.
  void Put(uint16_t field, const Value& value, ValueQuality quality = ValueQuality::kOk);
  void PutBits(uint16_t field, BitsOf names, uint32_t bits);
  // Copies what is printable, up to the first zero or padding byte.
  void PutText(uint16_t field, std::string_view text);
  // Works out the powers; call when the frame's own values are in.
  void Derive();
  std::span<const Reading> readings() const { return {readings_.data(), count_}; }

  bool KnownByText(uint16_t field, int64_t monotonic_us) const {
    return text_us_[field] != INT64_MIN && monotonic_us - text_us_[field] < kTextStaysKnown_us;
  }
  // DC channel 1 and the panel's registers mean something else on a converter or a protect.
  uint16_t FieldForKind(uint16_t field) const;

  uint64_t passed_over() const { return passed_over_; }  // HEX values that text had brought
  uint64_t dropped() const { return dropped_; }          // for want of room

 private:
  struct Memory {
    uint64_t hash = 0;
    bool known = false;
  };
  std::string_view Keep(std::string_view text);
  bool IsNews(uint16_t field, const Value& value);
  void PutProduct(uint16_t field, uint16_t volts, uint16_t amperes);
  const Value* Find(uint16_t field) const;

  std::array<Reading, kMaxReadings> readings_;
  size_t count_ = 0;
  std::array<char, kTextPool> pool_;
  size_t pool_used_ = 0;
  std::array<Memory, victron::kCountOfFields> memory_;
  std::array<int64_t, victron::kCountOfFields> text_us_;
  std::array<bool, victron::kCountOfFields> sent_by_device_;
  DeviceKind kind_ = DeviceKind::kOther;
  uint16_t slot_ = 0;
  StampedTime time_{};
  int64_t monotonic_us_ = 0;
  Origin origin_ = Origin::kText;
  uint64_t passed_over_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace vesta::vedirect
