// Cuts what a VE.Direct port sends into text blocks and HEX frames.
//
// A text block is a series of "\r\nLABEL\tVALUE", the last of them "Checksum" with one byte of any value, so that the
// sum of all its bytes is 0 modulo 256. A HEX frame begins with a colon and ends with a line feed; it may stand between
// blocks or inside a value, where its bytes do not count. Byte by byte, so the chunks make no difference; memory is
// fixed. Bytes between a block and the next carriage return belong to nothing and are counted; at the beginning of a
// stream they are the rest of a block, which then fails its sum. Facts: reference of Victron, sections 10 and 11.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/session.h"

namespace vesta::vedirect {

// 22 fields of 2 + 8 + 1 + 32 bytes make 946; newer devices may have more of them.
inline constexpr size_t kMaxBlock = 2048;
// The longest frames known carry 39 bytes of data: 82 characters. Model names and descriptions may be longer.
inline constexpr size_t kMaxHexText = 160;
// A block of the largest size takes a second on the wire; a network in between may stall for as long.
inline constexpr int64_t kBlockTimeout_us = 2 * kUsPerSecond;

enum class HexEnd : uint8_t {
  kLineFeed = 0,   // as it should
  kOther = 1,      // by a byte that is no text at all: some chargers end all their frames so
  kCharacter = 2,  // broken by text that is no upper-case hex digit
  kRestart = 3,    // broken by the colon of another frame or by the carriage return of a text field
  kOverlong = 4,
  kCut = 5,  // silence or a lost link in the middle
};

class FramerSink {
 public:
  virtual ~FramerSink() = default;
  // raw: from the first carriage return to the byte of the checksum, without HEX frames. Views last for the call.
  virtual void OnText(Bytes raw, uint64_t offset, bool sum_is_right) = 0;
  // raw: from the colon to the line feed; without the byte that broke it off.
  virtual void OnHex(Bytes raw, uint64_t offset, HexEnd end) = 0;
  // reason: "cut" or "overlong".
  virtual void OnDiscarded(Bytes raw, uint64_t offset, const char* reason) = 0;
};

class Framer {
 public:
  explicit Framer(FramerSink& sink) : sink_(sink) {}

  void Receive(Bytes bytes, int64_t monotonic_us);
  // Gives up what has been incomplete for too long.
  void Tick(int64_t monotonic_us);
  int64_t next_deadline_us() const { return pending() == 0 ? kNoDeadline : last_byte_us_ + kBlockTimeout_us; }
  // The link was lost: gives up what is incomplete.
  void Reset();

  size_t pending() const { return block_size_ + hex_size_; }
  uint64_t bytes_received() const { return received_; }
  uint64_t bytes_outside() const { return outside_; }  // of neither blocks nor frames

 private:
  void Take(uint8_t byte);
  void TakeText(uint8_t byte);
  void TakeHex(uint8_t byte);
  void EndHex(HexEnd end);
  void Discard(const char* reason);

  FramerSink& sink_;
  std::array<uint8_t, kMaxBlock> block_;
  std::array<uint8_t, kMaxHexText> hex_;
  size_t block_size_ = 0;
  size_t hex_size_ = 0;
  uint64_t block_offset_ = 0;
  uint64_t hex_offset_ = 0;
  uint64_t received_ = 0;
  uint64_t outside_ = 0;
  int64_t last_byte_us_ = 0;
  uint8_t sum_ = 0;
  bool in_hex_ = false;
  bool sum_is_next_ = false;  // the byte at hand is the checksum, whatever it is
  bool at_start_ = true;      // of the stream: what comes before a carriage return is the rest of a block
};

}  // namespace vesta::vedirect
