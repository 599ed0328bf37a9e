// What the functions with a serial line have in common: the line is read, whole frames are forwarded with the time of
// their first byte, at most one a period, and what is damaged or does not fit is counted. Items: frames, what was
// dropped (damaged on the line, or no room at the node).
#pragma once

#include "node/function.h"

namespace vesta::node {

class LineRelay : public Function {
 public:
  LineRelay(const FunctionConfig& config, std::string_view protocol, const SerialMode& mode)
      : Function(config), protocol_(protocol), mode_(mode) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  uint8_t item_count() const override { return 2; }
  void Describe(ItemSink& sink) const override;
  // A node that sleeps waits for one frame; the limit is how long it stays awake at all.
  bool is_busy() const override { return !has_forwarded_ && next_us_ != kNever; }

 protected:
  virtual void Take(Bytes bytes, Board& board) = 0;
  virtual void Advance(Board& /*board*/) {}
  Serial* serial(Board& board) const { return board.ports.serial[static_cast<size_t>(config_.port)]; }
  // Whether the next frame is to be forwarded; then Forward it.
  bool IsDue(int64_t now_us) const { return now_us >= due_us_; }
  void Forward(Bytes frame, int64_t at_us, uint8_t flags, Board& board);
  void NextPeriod(int64_t now_us) { due_us_ = After(due_us_, now_us); }
  void CountDropped() { ++dropped_; }

 private:
  std::string_view protocol_;
  SerialMode mode_;
  uint32_t dropped_ = 0;
  uint32_t told_dropped_ = 0;
  bool has_forwarded_ = false;
  bool has_dropped_ = false;  // since the last frame that went
  int64_t due_us_ = 0;
  int64_t tell_us_ = 0;
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
