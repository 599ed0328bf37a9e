// Forwards Bluetooth LE adverts of one maker (or of all), each sender at most once a period, with the time at which
// they were heard. Items: frames (ble-advert), what was dropped.
//
// What is inside is the hub's to read: keys stay there.
#pragma once

#include "node/function.h"

namespace vesta::node {

class BleRelayFunction final : public Function {
 public:
  explicit BleRelayFunction(const FunctionConfig& config) : Function(config) {}

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  bool is_busy() const override { return listen_until_us_ > next_us_; }
  uint8_t item_count() const override { return 2; }
  void Describe(ItemSink& sink) const override;

 private:
  // A boat has a handful of these; one more than fits pushes out the one not heard for longest, and is then forwarded
  // more often than it need be.
  static constexpr size_t kSenders = 24;
  struct Sender {
    uint64_t address = 0;
    int64_t sent_us = INT64_MIN / 2;
  };

  bool IsDue(uint64_t address, int64_t now_us, Sender** place);

  std::array<Sender, kSenders> senders_;
  uint32_t dropped_ = 0;
  uint32_t told_dropped_ = 0;
  int64_t tell_us_ = 0;
  int64_t listen_until_us_ = 0;  // a node that sleeps listens for one period
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
