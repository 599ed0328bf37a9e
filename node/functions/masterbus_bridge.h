// Forwards the frames of a MasterBus (CAN) with their time, listening only. A frame that says the same as the last one
// of its identifier is forwarded once a period. Items: frames, what was dropped.
#pragma once

#include "node/function.h"

namespace vesta::node {

class MasterbusBridge final : public Function {
 public:
  explicit MasterbusBridge(const FunctionConfig& config) : Function(config) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  uint8_t item_count() const override { return 2; }
  void Describe(ItemSink& sink) const override;

 private:
  // Values of one identifier differ by what they are of, which stands in the first two bytes: both make the place.
  static constexpr size_t kKnown = 96;
  struct Known {
    uint32_t key = 0;
    uint32_t hash = 0;
    int64_t sent_us = INT64_MIN / 2;
  };

  bool IsNews(const can::Frame& frame, int64_t now_us, Known** place);

  std::array<Known, kKnown> known_;
  bool has_dropped_ = false;
  uint32_t dropped_ = 0;
  uint32_t told_dropped_ = 0;
  int64_t tell_us_ = 0;
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
