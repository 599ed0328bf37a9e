#include "protocols/medibus/realtime.h"

namespace vesta::medibus {
namespace {

constexpr uint8_t kSync = 0xD0;     // D0..DF
constexpr uint8_t kCommand = 0xC0;  // C0..CF, one argument byte
constexpr uint8_t kKindMask = 0xF0;
constexpr uint8_t kSample = 0x80;  // 80..BF
constexpr uint8_t kSampleMask = 0xC0;
constexpr uint8_t kBreath = 0xC6;
constexpr uint8_t kCorrupt = 0xCF;
constexpr uint8_t kInspirationStarts = 0xC0;
constexpr uint8_t kExpirationStarts = 0xC1;

}  // namespace

bool RealtimeDecoder::Take(uint8_t byte, RealtimeRecord* out) {
  if (command_open_) {
    command_open_ = false;
    if (!open_) return false;
    if (command_ == kBreath && byte == kInspirationStarts) record_.mark = BreathMark::kInspiration;
    if (command_ == kBreath && byte == kExpirationStarts) record_.mark = BreathMark::kExpiration;
    if (command_ == kCorrupt) {
      open_ = false;
      ++broken_;
    }
    return false;
  }
  if ((byte & kKindMask) == kSync) {
    if (open_) ++broken_;
    record_ = RealtimeRecord();
    record_.mask = byte & 0x0F;
    expected_ = 0;
    for (unsigned i = 0; i < kMaxRealtimeStreams; ++i) {
      if ((record_.mask & (1u << i)) != 0) expected_ = static_cast<uint8_t>(expected_ + 2);
    }
    taken_ = 0;
    open_ = expected_ > 0;
    return false;
  }
  if ((byte & kKindMask) == kCommand) {
    command_open_ = true;
    command_ = byte;
    return false;
  }
  if ((byte & kSampleMask) != kSample || !open_) {
    ++stray_;
    return false;
  }
  if (taken_ % 2 == 0) {
    low_ = byte & 0x3F;
  } else {
    // The n-th sample belongs to the n-th stream of the mask.
    unsigned nth = taken_ / 2u;
    for (unsigned i = 0; i < kMaxRealtimeStreams; ++i) {
      if ((record_.mask & (1u << i)) == 0) continue;
      if (nth-- == 0) record_.bin[i] = static_cast<uint16_t>(low_ | (byte & 0x3F) << 6);
    }
  }
  if (++taken_ < expected_) return false;
  open_ = false;
  *out = record_;
  return true;
}

}  // namespace vesta::medibus
