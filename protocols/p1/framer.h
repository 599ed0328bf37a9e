// Finds telegrams and encrypted frames in a byte stream, whatever the chunks it comes in.
//
// States: idle -> ('/') identification -> (CR or LF) body -> ('!') checksum -> done; or idle -> (DB) encrypted frame.
// The rules of resynchronisation: a '/' at a line start or behind ')' starts over; elsewhere it is kept, and when the
// checksum then fails the telegram is looked for from there. What is dropped is reported or counted, never silent. All
// memory is taken when the framer is made. Facts: reference of the P1 port, framing and checksum sections.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "model/session.h"
#include "protocols/p1/crc16.h"

namespace vesta::p1 {

inline constexpr size_t kDefaultMaxTelegram = 16 * 1024;
inline constexpr size_t kMinMaxTelegram = 1024;  // the shortest that fits a usual telegram
inline constexpr size_t kMaxMaxTelegram =
    64 * 1024;  // documents' longest is 3 kB; the length field of a frame ends here
// A pause this long inside a telegram means that it was cut.
inline constexpr int64_t kCutPause_us = kUsPerSecond;
// A pause this long ends a checksum of fewer than four digits.
inline constexpr int64_t kEndPause_us = 100 * kUsPerMs;
// Silence that closes a telegram of a meter that sends no end mark, where that is allowed.
inline constexpr int64_t kNoEndMarkSilence_us = 2 * kUsPerSecond;

struct FramerOptions {
  size_t max_telegram = kDefaultMaxTelegram;
  CrcVariant crc = CrcVariant::kArc;
  bool strip_bit7 = false;        // mask every byte with 7F
  bool repair_line_ends = false;  // on a failed checksum try LF, CR CR LF, NULs and a surplus blank line
  bool lenient_end_mark = false;  // close a telegram without '!' at the next '/' or after two seconds
};

enum class CrcState : uint8_t { kAbsent, kOk, kMismatch, kRepaired, kIgnored };

struct TelegramFrame {
  Bytes raw;            // from '/' to the last checksum digit; readable for kReadablePast bytes more
  uint64_t offset = 0;  // of '/' in the stream
  size_t end_mark = 0;  // place of '!' in raw; raw.size() when there is none
  uint16_t crc_given = 0;
  uint16_t crc_computed = 0;
  CrcState crc = CrcState::kAbsent;
  bool no_end_mark = false;
  bool bit7_stripped = false;
};

inline constexpr size_t kReadablePast = 64;  // so that decoders may load words without looking at every end

class FramerSink {
 public:
  virtual ~FramerSink() = default;
  virtual void OnTelegram(const TelegramFrame& frame) = 0;
  // False when the frame was no frame after all or failed its check: the stream is searched again from its second byte.
  virtual bool OnEncrypted(Bytes raw, uint64_t offset) = 0;
  virtual void OnDiscarded(Bytes raw, uint64_t offset, const char* reason) = 0;
};

// Which bytes end the quick path of Framer.
inline constexpr uint8_t kStopsIdentification = 1;
inline constexpr uint8_t kStopsBody = 2;
constexpr std::array<uint8_t, 256> MakeStops() {
  std::array<uint8_t, 256> stops{};
  stops['\r'] = stops['\n'] = kStopsIdentification;
  stops['/'] = kStopsIdentification | kStopsBody;
  stops['!'] = kStopsBody;
  return stops;
}
inline constexpr std::array<uint8_t, 256> kStops = MakeStops();

class Framer {
 public:
  Framer(const FramerOptions& options, FramerSink* sink);

  void Receive(Bytes bytes, int64_t monotonic_us);
  void Tick(int64_t monotonic_us);
  int64_t next_deadline_us() const;
  // What is half received is void: reported as discarded, "incomplete".
  void Reset();

  // One ordinary byte of an identification or body, without the general path: false when the byte needs it.
  bool TakeQuickly(uint8_t byte, int64_t monotonic_us) {
    const size_t at = end_;
    if (at >= quick_limit_ || (kStops[byte] & quick_stops_) != 0) return false;
    // A time that did not move is not written again: the next byte would wait for the store.
    if (const int64_t pause_us = monotonic_us - last_byte_us_; pause_us != 0) {
      if (pause_us > kCutPause_us) return false;
      last_byte_us_ = monotonic_us;
    }
    buffer_[at] = static_cast<Stored>(byte);
    end_ = at + 1;
    return true;
  }

  // Bytes that belonged to no telegram, line ends, NULs and blanks between telegrams apart.
  uint64_t bytes_outside() const { return bytes_outside_; }
  uint64_t bytes_received() const { return base_offset_ + end_; }
  // Of something begun and not yet ended.
  size_t pending() const { return state_ == State::kIdle ? 0 : end_ - start_; }

 private:
  // A type of its own, so that the compiler knows that storing a byte changes no member.
  enum class Stored : uint8_t {};

  enum class State : uint8_t { kIdle, kIdentification, kBody, kEnd, kEncrypted };

  size_t Append(Bytes bytes);
  void Scan();
  bool ScanIdle();
  bool ScanIdentification();
  bool ScanBody();
  bool ScanEnd();
  bool ScanEncrypted();
  void Complete(bool no_end_mark);
  void FinishTelegram(size_t start, size_t end, size_t end_mark, CrcState crc, uint16_t given, uint16_t computed,
                      bool no_end_mark);
  void Discard(size_t from, size_t to, const char* reason);
  void Abandon(const char* reason, bool more_frames);
  void GoIdle(size_t at);
  void Start(State state, size_t at);
  void UpdateQuickLimit();
  void CatchUp();
  bool HasVersionObject() const;
  bool RepairMatches(std::span<const uint8_t> telegram, uint16_t given) const;
  uint16_t Computed(std::span<const uint8_t> bytes) const;
  void ExpirePause(int64_t monotonic_us);
  uint8_t* data() const { return reinterpret_cast<uint8_t*>(buffer_.get()); }
  Bytes Slice(size_t from, size_t to) const { return {data() + from, to - from}; }

  const FramerOptions options_;
  FramerSink* const sink_;
  const size_t max_pending_;
  const size_t capacity_;
  std::unique_ptr<Stored[]> buffer_;
  uint64_t base_offset_ = 0;  // of buffer_[0] in the stream
  size_t start_ = 0;          // of what is pending
  size_t scan_ = 0;           // next byte to look at
  size_t end_ = 0;
  size_t quick_limit_ = 0;  // the quick path writes below this place; 0: not at all
  uint8_t quick_stops_ = 0;
  State state_ = State::kIdle;
  size_t next_bang_ = 0;  // place of a '!' already found, or of the end of what was searched
  size_t end_mark_ = 0;
  size_t inner_slashes_ = 0;
  size_t encrypted_size_ = 0;     // 0: header not yet complete
  size_t only_encrypted_to_ = 0;  // inside a failed encrypted frame: no plain telegram begins before this place
  uint64_t last_stripped_ = 0;    // stream offset behind the last byte that lost bit 7
  int64_t last_byte_us_ = 0;
  uint64_t bytes_outside_ = 0;
};

}  // namespace vesta::p1
