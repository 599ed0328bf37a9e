#include "node/functions/counter.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

constexpr int64_t kEdges_us = 100000;  // often enough for 64 kept edges at 100 pulses a second

}  // namespace

bool CounterFunction::Start(Board& board, Problem* problem) {
  Gpio& gpio = *board.ports.gpio;
  const Gpio::Mode mode = config_.pull_up ? Gpio::Mode::kInputPullUp : Gpio::Mode::kInput;
  if (!gpio.Configure(config_.pin, mode) || !gpio.Watch(config_.pin)) {
    problem->Add("counter '").Add(config_.name.view()).Add("': pulses can't be counted at pin ").Add(config_.pin);
    look_us_ = tell_us_ = kNever;
    return false;
  }
  total_ += gpio.EdgesDuringSleep(config_.pin);
  is_closed_ = level_closed_ = !gpio.Read(config_.pin);
  look_us_ = tell_us_ = board.now_us;
  return true;
}

// What the contact has been since its last edge counts when it lasted.
void CounterFunction::Settle(int64_t until_us) {
  const bool lasted = until_us - changed_us_ >= int64_t{config_.debounce_ms} * 1000;
  if (!lasted || level_closed_ == is_closed_) return;
  is_closed_ = level_closed_;
  if (is_closed_) ++total_;
}

void CounterFunction::Take(const Edge& edge) {
  Settle(edge.at_us);
  level_closed_ = !edge.level;
  changed_us_ = edge.at_us;
}

void CounterFunction::Run(Board& board) {
  if (look_us_ == kNever) return;
  const int64_t before = total_;
  Edge edge;
  while (board.ports.gpio->NextEdge(config_.pin, &edge)) Take(edge);
  Settle(board.now_us);
  lost_ = board.ports.gpio->LostEdges(config_.pin);
  if (total_ != before) board.Changed();
  look_us_ = board.now_us + kEdges_us;
  if (board.now_us < tell_us_) return;
  tell_us_ = After(tell_us_, board.now_us);
  board.EmitInteger(item(0), total_);
  if (lost_ > 0) board.EmitInteger(item(1), lost_);
}

int64_t CounterFunction::next_us() const { return std::min(look_us_, tell_us_); }

void CounterFunction::Describe(ItemSink& sink) const {
  constexpr Quantity kQuantities[] = {Quantity::kCount, Quantity::kEnergy, Quantity::kGasVolume,
                                      Quantity::kWaterVolume};
  constexpr Unit kUnits[] = {Unit::kNone, Unit::kKilowattHour, Unit::kCubicMetre, Unit::kCubicMetre};
  ItemDescription d = Described(0, "total", "counter");
  d.quantity = kQuantities[static_cast<size_t>(config_.counts)];
  d.unit = kUnits[static_cast<size_t>(config_.counts)];
  d.exponent = static_cast<int8_t>(config_.exponent);
  d.decimals = static_cast<uint8_t>(std::max<int32_t>(0, -config_.exponent));
  sink.Add(d);
  sink.Add(Described(1, "edges_lost", "counter"));
}

size_t CounterFunction::Save(std::span<uint8_t, kMaxSaved> out) const {
  wire::Put64(out.data(), static_cast<uint64_t>(total_));
  return 8;
}

void CounterFunction::Restore(Bytes bytes) {
  if (bytes.size() == 8) total_ = static_cast<int64_t>(wire::Get64(bytes.data()));
}

}  // namespace vesta::node
