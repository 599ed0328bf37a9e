// The host's end of a MEDIBUS line at a node: it answers and asks in time (read-only, as protocols/medibus does), and
// forwards every frame of both directions as it was, with its time. The hub listens to them as to a line that has
// another host. Information only: not for alarming or therapy.
#pragma once

#include "node/functions/line_relay.h"
#include "protocols/medibus/link.h"
#include "protocols/medibus/parser.h"

namespace vesta::node {

class MedibusBridge final : public LineRelay, private medibus::ParserSink {
 public:
  explicit MedibusBridge(const FunctionConfig& config);

  bool Start(Board& board, Problem* problem) override;

 private:
  void Take(Bytes bytes, Board& board) override;
  void Advance(Board& board) override;
  void OnParsed(const medibus::Frame& frame) override;
  void OnDropped(Bytes, uint64_t, const char*) override { CountDropped(); }
  void OnRealtimeByte(uint8_t, const Now&) override {}
  void OnFlow(bool suspend, const Now& now) override { link_.OnFlow(suspend, now.monotonic_us); }

  medibus::Parser parser_;
  medibus::HostLink link_;
  Board* board_ = nullptr;  // during a call
};

}  // namespace vesta::node
