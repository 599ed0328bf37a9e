// Finds frames in a MEDIBUS byte stream, whatever the chunks it comes in, for either side of the line.
//
// A device may send a command inside a response that it is still sending, so up to two frames are open: a response and,
// inside it, a command. A new SOH means that the tail of what was open is lost. Realtime bytes (bit 7), suspend and
// resume belong to no frame. What is dropped is reported; bytes outside of frames are counted. Facts: reference of
// MEDIBUS, parser.
#pragma once

#include <array>

#include "protocols/medibus/wire.h"

namespace vesta::medibus {

// An open frame without a byte for so long is dropped.
inline constexpr int64_t kOpenFramePause_us = 3 * kUsPerSecond;

struct Frame {
  bool is_command = false;
  uint8_t code = 0;
  Bytes payload;  // between code and checksum
  Bytes raw;      // from the start byte to CR, without what was embedded
  uint64_t offset = 0;
  Now started;  // when the start byte came
  bool checksum_ok = false;
  uint8_t checksum_computed = 0;
};

class ParserSink {
 public:
  virtual ~ParserSink() = default;
  virtual void OnParsed(const Frame& frame) = 0;  // also with a wrong checksum
  virtual void OnDropped(Bytes raw, uint64_t offset, const char* reason) = 0;
  virtual void OnRealtimeByte(uint8_t byte, const Now& now) = 0;
  virtual void OnFlow(bool suspend, const Now& now) = 0;
};

class Parser {
 public:
  explicit Parser(ParserSink* sink) : sink_(sink) {}

  void Receive(Bytes bytes, const Now& now);
  void Tick(const Now& now);
  // kNoDeadline when nothing is open.
  int64_t next_deadline_us() const {
    const int64_t response_us = response_.open ? response_.last_byte_us + kOpenFramePause_us : kNoDeadline;
    const int64_t command_us = command_.open ? command_.last_byte_us + kOpenFramePause_us : kNoDeadline;
    return response_us < command_us ? response_us : command_us;
  }
  // What is open is void: dropped as "truncated".
  void Reset();

  bool is_open() const { return response_.open || command_.open; }
  // When the last byte of an open frame came; INT64_MIN when none is open.
  int64_t last_byte_us() const {
    const int64_t response_us = response_.open ? response_.last_byte_us : INT64_MIN;
    const int64_t command_us = command_.open ? command_.last_byte_us : INT64_MIN;
    return response_us > command_us ? response_us : command_us;
  }
  uint64_t stray_bytes() const { return stray_bytes_; }
  uint64_t bytes_received() const { return bytes_received_; }

 private:
  template <size_t kSize>
  struct Open {
    bool open = false;
    size_t size = 0;
    uint64_t offset = 0;
    int64_t last_byte_us = 0;
    Now started;
    std::array<uint8_t, kSize> bytes;
  };

  template <size_t kSize>
  void Begin(Open<kSize>* frame, uint8_t start, const Now& now);
  template <size_t kSize>
  void Append(Open<kSize>* frame, uint8_t byte, const Now& now);
  template <size_t kSize>
  void Close(Open<kSize>* frame);
  template <size_t kSize>
  void Drop(Open<kSize>* frame, const char* reason);
  void DropAll(const char* reason);
  void DropPaused(const Now& now);

  ParserSink* sink_;
  Open<kMaxResponse> response_;
  Open<kMaxCommand> command_;
  uint64_t bytes_received_ = 0;
  uint64_t stray_bytes_ = 0;
};

}  // namespace vesta::medibus
