#include "protocols/link/relay.h"

#include <algorithm>

#include "protocols/link/cursor.h"

namespace vesta::link {

bool ReadRelayPiece(Bytes content, RelayPiece* out) {
  constexpr uint8_t kKnown = kRelayFirst | kRelayLast | kRelaySent | kRelayDropped;
  Taker taker(content);
  taker.U8(&out->flags).U16(&out->lag_ms);
  out->bytes = taker.Rest();
  return !taker.is_short() && (out->flags & ~kKnown) == 0;
}

size_t WriteRelayPiece(const RelayPiece& piece, std::span<uint8_t> out) {
  if (kRelayHeadSize + piece.bytes.size() > out.size()) return 0;
  return Putter(out).U8(piece.flags).U16(piece.lag_ms).Raw(piece.bytes).size();
}

void RelayJoiner::Reset() {
  if (is_open_) ++broken_;
  is_open_ = false;
  used_ = 0;
}

bool RelayJoiner::Take(const RelayPiece& piece, int64_t report_us, Frame* out) {
  if ((piece.flags & kRelayDropped) != 0) ++dropped_at_node_;
  if ((piece.flags & kRelayFirst) != 0) {
    Reset();
    is_open_ = true;
    frame_ = {{}, (piece.flags & kRelaySent) != 0, piece.lag_ms, report_us};
  } else if (!is_open_) {
    ++broken_;
    return false;
  }
  if (piece.bytes.size() > memory_.size() - used_) {
    Reset();
    return false;
  }
  std::copy(piece.bytes.begin(), piece.bytes.end(), memory_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ += piece.bytes.size();
  if ((piece.flags & kRelayLast) == 0) return false;
  frame_.bytes = Bytes(memory_).first(used_);
  is_open_ = false;
  used_ = 0;
  *out = frame_;
  return true;
}

}  // namespace vesta::link
