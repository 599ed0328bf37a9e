// Shows the screens in turn, drawn once a second. Items: with from_hub, the twelve values that the hub writes (readings
// of other devices); they are of the moment and are not kept over a loss of power.
//
// The status screen comes at once, whatever is configured, while an operator has to compare the code.
#pragma once

#include "node/function.h"
#include "node/screens/canvas.h"

namespace vesta::node {

class DisplayFunction final : public Function {
 public:
  explicit DisplayFunction(const FunctionConfig& config) : Function(config) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  uint8_t item_count() const override { return config_.from_hub ? kShownFromHub : 0; }
  uint8_t writable_items() const override { return item_count(); }
  void Describe(ItemSink& sink) const override;
  link::Outcome OnCommand(uint8_t place, link::Item* item, Board& board) override;

 private:
  Screen ScreenAt(int64_t now_us, const NodeStatus& status) const;

  DisplayDots dots_ = {};
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
