#include "node/functions/thermostat.h"

#include <algorithm>

#include "protocols/little_endian.h"

namespace vesta::node {

namespace {

constexpr int64_t kRegulate_us = 1000000;
constexpr int64_t kBlind_us = 90 * kRegulate_us;

}  // namespace

bool ThermostatFunction::Start(Board& board, Problem* /*problem*/) {
  relay_ = board.FindRelay(config_.relay.view());
  relay_->SetDriven();
  next_us_ = tell_us_ = board.now_us;
  return true;
}

void ThermostatFunction::Regulate(Board& board) {
  const Temperature* t = board.FindTemperature(config_.sensor);
  const int64_t patience_us = std::max(3 * period_us(), kBlind_us);
  const bool is_blind = t == nullptr || t->at_us == INT64_MIN || board.now_us - t->at_us > patience_us;
  bool on = false;
  if (!is_blind) {
    const int32_t missing = config_.is_cooling ? t->milli - set_point_ : set_point_ - t->milli;
    on = missing > config_.hysteresis || (is_on_ && missing > -config_.hysteresis);
  }
  if (on != is_on_ || is_blind != is_blind_) is_told_ = false;
  is_on_ = on;
  is_blind_ = is_blind;
  relay_->Drive(on, board);
}

void ThermostatFunction::Run(Board& board) {
  Regulate(board);
  next_us_ = board.now_us + kRegulate_us;
  if (is_told_ && board.now_us < tell_us_) return;
  is_told_ = true;
  tell_us_ = board.now_us + period_us();
  board.EmitInteger(item(0), set_point_);
  board.EmitState(item(1), is_on_ ? 1 : 0, is_blind_ ? link::Status::kFault : link::Status::kOk);
}

link::Outcome ThermostatFunction::OnCommand(uint8_t place, link::Item* item, Board& board) {
  const bool is_integer = item->type >= link::ValueType::kInt8 && item->type <= link::ValueType::kInt64;
  int64_t wanted = item->integer;
  bool is_good = place == 0 && is_integer;
  if (place == 0 && item->type == link::ValueType::kFloat && item->real > -1e6f && item->real < 1e6f) {
    wanted = static_cast<int64_t>(item->real * 1000.0f + (item->real < 0 ? -0.5f : 0.5f));
    is_good = true;
  }
  link::Outcome outcome = link::Outcome::kRefused;
  if (is_good) {
    const auto clamped = static_cast<int32_t>(std::clamp<int64_t>(wanted, config_.min, config_.max));
    outcome = clamped == wanted ? link::Outcome::kApplied : link::Outcome::kClamped;
    if (clamped != set_point_) board.Changed();
    set_point_ = clamped;
    is_told_ = false;
    next_us_ = board.now_us;
  }
  const uint8_t index = item->index;
  *item = link::IntegerItem(index, place == 0 ? set_point_ : is_on_ ? 1 : 0);
  return outcome;
}

void ThermostatFunction::Describe(ItemSink& sink) const {
  ItemDescription d = Described(0, "set_point", "gauge");
  d.quantity = Quantity::kTemperature;
  d.unit = Unit::kCelsius;
  d.exponent = -3;
  d.decimals = 1;
  d.is_writable = true;
  d.min = config_.min;
  d.max = config_.max;
  d.step = 500;
  sink.Add(d);
  sink.Add(Described(1, config_.is_cooling ? "cooling" : "heating", "flag"));
}

size_t ThermostatFunction::Save(std::span<uint8_t, kMaxSaved> out) const {
  wire::Put32(out.data(), static_cast<uint32_t>(set_point_));
  out[4] = is_on_ ? 1 : 0;
  return 5;
}

void ThermostatFunction::Restore(Bytes bytes) {
  if (bytes.size() != 5) return;
  const auto kept = static_cast<int32_t>(wire::Get32(bytes.data()));
  set_point_ = std::clamp(kept, config_.min, config_.max);
  is_on_ = bytes[4] == 1;
}

}  // namespace vesta::node
