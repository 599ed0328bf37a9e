#include "node/functions/line_relay.h"

#include "protocols/link/relay.h"

namespace vesta::node {

namespace {

constexpr int64_t kLine_us = 20000;  // 230 bytes at 115,200 baud

}  // namespace

bool LineRelay::Start(Board& board, Problem* problem) {
  due_us_ = tell_us_ = next_us_ = board.now_us;
  if (serial(board)->Open(mode_)) return true;
  problem->Add(NameOf(config_.type)).Add(" '").Add(config_.name.view()).Add("': the serial port does not open");
  next_us_ = kNever;
  return false;
}

void LineRelay::Run(Board& board) {
  if (next_us_ == kNever) return;
  std::array<uint8_t, 64> bytes;
  // No more than the driver keeps, so that a babbling line leaves time for the rest.
  for (int turn = 0; turn < 32; ++turn) {
    const size_t size = serial(board)->Read(bytes);
    if (size == 0) break;
    Take(Bytes(bytes).first(size), board);
  }
  Advance(board);
  const uint32_t dropped = dropped_ + serial(board)->dropped();
  if (dropped != told_dropped_ && board.now_us >= tell_us_) {
    board.EmitInteger(item(1), told_dropped_ = dropped);
    tell_us_ = board.now_us + kTellDroppedEvery_us;
  }
  next_us_ = board.now_us + kLine_us;
}

void LineRelay::Forward(Bytes frame, int64_t at_us, uint8_t flags, Board& board) {
  const auto all = static_cast<uint8_t>(flags | (has_dropped_ ? link::kRelayDropped : 0));
  has_dropped_ = !board.EmitFrame(item(0), frame, at_us, all);
  if (has_dropped_) return CountDropped();
  has_forwarded_ = true;
}

void LineRelay::Describe(ItemSink& sink) const {
  ItemDescription d = Described(0, "frames", "frames");
  d.protocol = protocol_;
  sink.Add(d);
  sink.Add(Described(1, "frames_dropped", "counter"));
}

}  // namespace vesta::node
