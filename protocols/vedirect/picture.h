// What the device on a port has said, and what of a frame is news.
//
// Values of fast fields are readings each time, those of slow fields when they changed. What text says is not said
// again by HEX: HEX values of a field that text brought within kTextStaysKnown_us are passed over and counted, so that
// one series never mixes two resolutions. Powers that the device does not send are worked out where it sends volts and
// amperes (quality derived). Fixed memory; texts live until the next frame begins.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "model/reading.h"
#include "protocols/victron/fields.h"
#include "protocols/victron/writer.h"

namespace vesta::vedirect {

inline constexpr int64_t kTextStaysKnown_us = 10 * kUsPerSecond;

enum class Origin : uint8_t { kText, kHex };

class Picture {
 public:
  Picture() { Forget(); }

  // Another device: all is news again.
  void Forget();

  // What is written until Finish() belongs to one frame.
  victron::ReadingWriter& Begin(uint16_t slot, StampedTime time);
  // Derives powers and leaves the news.
  std::span<const Reading> Finish(Origin origin, int64_t monotonic_us, DeviceKind kind);

  bool KnownByText(uint16_t field, int64_t monotonic_us) const {
    return text_us_[field] != INT64_MIN && monotonic_us - text_us_[field] < kTextStaysKnown_us;
  }

  uint64_t passed_over() const { return passed_over_; }  // HEX values that text had brought
  uint64_t dropped() const { return writer_.dropped(); }

 private:
  bool IsNews(const Reading& reading);
  void PutProduct(uint16_t field, uint16_t volts, uint16_t amperes);
  void Derive(DeviceKind kind);
  const Value* Find(uint16_t field) const;

  victron::ReadingWriter writer_;
  victron::FieldMemory seen_;
  std::array<Reading, victron::kMaxReadings> news_;
  std::array<uint64_t, victron::kCountOfFields> hash_;    // of slow values as last told, 0 = not told yet
  std::array<int64_t, victron::kCountOfFields> text_us_;  // when text brought it
  std::array<bool, victron::kCountOfFields> sent_by_device_;
  uint64_t passed_over_ = 0;
};

}  // namespace vesta::vedirect
