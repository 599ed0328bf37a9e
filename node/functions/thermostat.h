// Switches a relay so that a temperature stays near a set-point. Items: set-point (writable, in thousandths of a
// degree), heating (or cooling) flag.
//
// The relay goes on when the temperature is more than the hysteresis on the wrong side and off when it is as much on
// the right side. Without a good temperature for three of its own periods, at least 90 s, the relay goes off and the
// flag is told as a fault. A set-point beyond min and max is clamped. It is kept over a loss of power.
#pragma once

#include "node/function.h"
#include "node/functions/relay.h"

namespace vesta::node {

class ThermostatFunction final : public Function {
 public:
  explicit ThermostatFunction(const FunctionConfig& config) : Function(config), set_point_(config.set_point) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  uint8_t item_count() const override { return 2; }
  uint8_t writable_items() const override { return 1; }
  void Describe(ItemSink& sink) const override;
  link::Outcome OnCommand(uint8_t place, link::Item* item, Board& board) override;
  bool KeepsCommands() const override { return true; }
  size_t Save(std::span<uint8_t, kMaxSaved> out) const override;
  void Restore(Bytes bytes) override;
  int32_t set_point() const { return set_point_; }

 private:
  void Regulate(Board& board);

  RelayFunction* relay_ = nullptr;
  int32_t set_point_;
  bool is_on_ = false;
  bool is_blind_ = true;
  bool is_told_ = false;  // the state as it is was emitted
  int64_t tell_us_ = 0;
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
