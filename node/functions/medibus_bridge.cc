#include "node/functions/medibus_bridge.h"

#include <algorithm>

#include "protocols/link/relay.h"
#include "protocols/medibus/values.h"

namespace vesta::node {

namespace {

medibus::LinkOptions OptionsOf(const FunctionConfig& config) {
  medibus::LinkOptions options;
  options.cycle_us = int64_t{config.period_s} * 1000000;
  return options;
}

Now NowOf(const Board& board) { return {board.now_us, board.now_us, ClockQuality::kNotSynchronised}; }

}  // namespace

MedibusBridge::MedibusBridge(const FunctionConfig& config)
    : LineRelay(config, "medibus", {static_cast<uint32_t>(config.baud), true, false, false}),
      parser_(this),
      link_(OptionsOf(config)) {}

bool MedibusBridge::Start(Board& board, Problem* problem) {
  link_.LineReset(board.now_us);
  return LineRelay::Start(board, problem);
}

void MedibusBridge::Take(Bytes bytes, Board& board) {
  board_ = &board;
  parser_.Receive(bytes, NowOf(board));
}

void MedibusBridge::OnParsed(const medibus::Frame& frame) {
  const int64_t now_us = board_->now_us;
  Forward(frame.raw, frame.started.monotonic_us, 0, *board_);
  if (!frame.checksum_ok) {
    if (frame.is_command) link_.OnDamagedCommand(now_us);
    return;
  }
  if (frame.is_command) return link_.OnCommand(frame.code, now_us);
  medibus::DeviceId id;
  const bool is_identification = frame.code == static_cast<uint8_t>(medibus::Request::kIdentify);
  if (is_identification && medibus::ReadDeviceId(medibus::TextOf(frame.payload), &id)) link_.SetDevice(id.number);
  link_.OnResponse(frame.code, now_us);
}

void MedibusBridge::Advance(Board& board) {
  board_ = &board;
  if (parser_.next_deadline_us() <= board.now_us) parser_.Tick(NowOf(board));
  link_.Advance(board.now_us, parser_.last_byte_us());
  const Bytes pending = link_.pending();
  if (pending.empty()) return;
  const size_t sent = serial(board)->Write(pending);
  if (sent > 0) Forward(pending.first(sent), board.now_us, link::kRelaySent, board);
  link_.Sent(sent);
}

}  // namespace vesta::node
