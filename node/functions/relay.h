// A relay at a pin, or at a bit of an 8-bit I2C expander (PCF8574 and alike). Item: its state, writable.
//
// The state that is told is the one that was read back after switching; what can't be read back as it should is told as
// a fault. A relay that a thermostat drives refuses commands.
#pragma once

#include "node/function.h"

namespace vesta::node {

class RelayFunction final : public Function {
 public:
  explicit RelayFunction(const FunctionConfig& config) : Function(config) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  uint8_t item_count() const override { return 1; }
  uint8_t writable_items() const override { return 1; }
  void Describe(ItemSink& sink) const override;
  link::Outcome OnCommand(uint8_t place, link::Item* item, Board& board) override;
  bool KeepsCommands() const override { return config_.power_on == PowerOn::kLast; }
  size_t Save(std::span<uint8_t, kMaxSaved> out) const override;
  void Restore(Bytes bytes) override;

  // By a thermostat. False: it can't be confirmed.
  bool Drive(bool on, Board& board);
  void SetDriven() { is_driven_ = true; }

 private:
  bool Switch(bool on, Board& board);

  bool is_on_ = false;
  bool is_confirmed_ = false;
  bool is_driven_ = false;
  bool was_restored_ = false;
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
