// The realtime channel: bytes with bit 7 set, interleaved with the frames of the slow channel.
//
// A record begins with a sync byte that names its streams; sync commands may follow; then come two bytes a stream, low
// six bits first. Facts: reference of MEDIBUS, realtime channel.
#pragma once

#include <array>
#include <cstdint>

#include "protocols/medibus/wire.h"

namespace vesta::medibus {

enum class BreathMark : uint8_t { kNone, kInspiration, kExpiration };

struct RealtimeRecord {
  uint8_t mask = 0;  // bit 0: the first stream
  std::array<uint16_t, kMaxRealtimeStreams> bin{};
  BreathMark mark = BreathMark::kNone;
};

class RealtimeDecoder {
 public:
  // True when the byte completes a record.
  bool Take(uint8_t byte, RealtimeRecord* out);
  void Reset() { open_ = command_open_ = false; }

  uint64_t broken() const { return broken_; }  // cut, or told to be corrupt
  uint64_t stray() const { return stray_; }    // bytes outside of any record

 private:
  bool open_ = false;
  RealtimeRecord record_;
  uint8_t expected_ = 0;  // sample bytes
  uint8_t taken_ = 0;
  uint8_t low_ = 0;
  bool command_open_ = false;
  uint8_t command_ = 0;
  uint64_t broken_ = 0;
  uint64_t stray_ = 0;
};

}  // namespace vesta::medibus
