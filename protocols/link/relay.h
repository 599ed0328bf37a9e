// Frames of other protocols inside the reports of a node: cut into pieces there, put together here. The form is
// docs/formats/node-items.md.
//
// A frame of up to kMaxRelayFrame bytes; a piece is the content of one item of type bytes. Times are milliseconds
// before the time of the report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocols/link/wire.h"

namespace vesta::link {

inline constexpr size_t kRelayHeadSize = 3;
inline constexpr size_t kMaxRelayFrame = 4096;
inline constexpr uint8_t kRelayFirst = 0x01;
inline constexpr uint8_t kRelayLast = 0x02;
inline constexpr uint8_t kRelaySent = 0x04;     // by the node
inline constexpr uint8_t kRelayDropped = 0x08;  // frames before this one, at the node
inline constexpr uint16_t kMaxRelayLag_ms = 0xFFFF;

struct RelayPiece {
  uint8_t flags = 0;
  uint16_t lag_ms = 0;
  Bytes bytes;
};

// False: too short, or flags that this version does not have.
bool ReadRelayPiece(Bytes content, RelayPiece* out);
// Returns the size; 0 when it does not fit.
size_t WriteRelayPiece(const RelayPiece& piece, std::span<uint8_t> out);

// Puts the pieces of one item together. `memory` bounds the frame; whoever has one for each item of each node gives as
// little as the protocol needs.
class RelayJoiner {
 public:
  struct Frame {
    Bytes bytes;  // valid until the next call
    bool is_sent = false;
    uint16_t lag_ms = 0;   // before the time of the report that held the first piece
    int64_t first_us = 0;  // of that report, as given to Take
  };

  explicit RelayJoiner(std::span<uint8_t> memory) : memory_(memory) {}

  // True when the piece completes a frame.
  bool Take(const RelayPiece& piece, int64_t report_us, Frame* out);
  // Reports are missing: what is half there is void.
  void Reset();

  uint32_t broken() const { return broken_; }                    // frames whose other pieces never came, or too long
  uint32_t dropped_at_node() const { return dropped_at_node_; }  // times that the node said so

 private:
  std::span<uint8_t> memory_;
  size_t used_ = 0;
  bool is_open_ = false;
  Frame frame_;
  uint32_t broken_ = 0;
  uint32_t dropped_at_node_ = 0;
};

}  // namespace vesta::link
