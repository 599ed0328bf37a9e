// Counts pulses at a pin: a closing contact (falling edge) that lasts at least debounce_ms, after it was open as long.
// Item: the total, a counter that never steps back but for a loss of power: then it goes on from the last value that
// was saved, at most an hour old.
//
// While the node sleeps the chip's low-power counter counts, where it has one; those pulses are not debounced.
#pragma once

#include "node/function.h"

namespace vesta::node {

class CounterFunction final : public Function {
 public:
  explicit CounterFunction(const FunctionConfig& config) : Function(config) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override;
  uint8_t item_count() const override { return 2; }
  void Describe(ItemSink& sink) const override;
  size_t Save(std::span<uint8_t, kMaxSaved> out) const override;
  void Restore(Bytes bytes) override;
  int64_t total() const { return total_; }

 private:
  void Take(const Edge& edge);
  void Settle(int64_t now_us);

  int64_t total_ = 0;
  uint32_t lost_ = 0;
  bool is_closed_ = false;  // as it settled
  bool level_closed_ = false;
  int64_t changed_us_ = INT64_MIN / 2;  // last edge
  int64_t tell_us_ = 0;
  int64_t look_us_ = 0;
};

}  // namespace vesta::node
