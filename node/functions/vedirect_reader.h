// Reads a Victron device's VE.Direct port: text blocks with a right sum are forwarded, the newest of each period, and
// the values of the Victron screen are taken from them. Listens only.
#pragma once

#include "node/functions/line_relay.h"
#include "protocols/vedirect/framer.h"

namespace vesta::node {

class VedirectReader final : public LineRelay, private vedirect::FramerSink {
 public:
  explicit VedirectReader(const FunctionConfig& config) : LineRelay(config, "vedirect", {19200}), framer_(*this) {}

 private:
  void Take(Bytes bytes, Board& board) override;
  void Advance(Board& board) override;
  void OnText(Bytes raw, uint64_t offset, bool sum_is_right) override;
  void OnHex(Bytes, uint64_t, vedirect::HexEnd) override {}
  void OnDiscarded(Bytes, uint64_t, const char*) override { CountDropped(); }

  vedirect::Framer framer_;
  Board* board_ = nullptr;  // during a call
  bool had_block_ = false;  // the first one is always cut
  // Devices with much to say spread it over two blocks in turn: both go.
  uint8_t blocks_to_go_ = 0;
};

}  // namespace vesta::node
