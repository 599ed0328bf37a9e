#include "node/functions/relay.h"

namespace vesta::node {

namespace {

// Tells its state now and then, so that a relay which nobody switches is not taken for dead.
constexpr int64_t kTellStateEvery_us = int64_t{300} * 1000000;

}  // namespace

bool RelayFunction::Start(Board& board, Problem* problem) {
  if (config_.pin >= 0 && !board.ports.gpio->Configure(config_.pin, Gpio::Mode::kOutput)) {
    problem->Add("relay '").Add(config_.name.view()).Add("': there is no pin ").Add(config_.pin);
    next_us_ = kNever;
    return false;
  }
  const bool on = config_.power_on == PowerOn::kOn || (was_restored_ && is_on_);
  if (!Switch(on, board)) problem->Add("relay '").Add(config_.name.view()).Add("' does not answer");
  next_us_ = board.now_us;
  return true;
}

bool RelayFunction::Switch(bool on, Board& board) {
  const bool level = on != config_.is_active_low;
  if (config_.pin >= 0) {
    board.ports.gpio->Write(config_.pin, level);
    is_confirmed_ = board.ports.gpio->Read(config_.pin) == level;
  } else {
    // The other bits are other relays: what the expander has is changed in one place.
    const auto address = static_cast<uint8_t>(config_.i2c);
    const auto mask = static_cast<uint8_t>(1u << config_.bit);
    uint8_t byte = 0;
    is_confirmed_ = board.ports.i2c->Read(address, {&byte, 1});
    const auto wanted = static_cast<uint8_t>(level ? byte | mask : byte & ~mask);
    is_confirmed_ = is_confirmed_ && board.ports.i2c->Write(address, {&wanted, 1}) &&
                    board.ports.i2c->Read(address, {&byte, 1}) && byte == wanted;
  }
  is_on_ = on;
  return is_confirmed_;
}

void RelayFunction::Run(Board& board) {
  board.EmitState(item(0), is_on_ ? 1 : 0, is_confirmed_ ? link::Status::kOk : link::Status::kFault);
  next_us_ = board.now_us + kTellStateEvery_us;
}

bool RelayFunction::Drive(bool on, Board& board) {
  if (on == is_on_ && is_confirmed_) return true;
  const bool was = is_on_;
  const bool is_good = Switch(on, board);
  if (was != on || !is_good) next_us_ = board.now_us;
  return is_good;
}

link::Outcome RelayFunction::OnCommand(uint8_t /*place*/, link::Item* item, Board& board) {
  const bool is_number = item->type >= link::ValueType::kInt8 && item->type <= link::ValueType::kInt64;
  const bool is_good = (is_number || item->type == link::ValueType::kState) && item->integer >= 0 && item->integer <= 1;
  link::Outcome outcome = link::Outcome::kRefused;
  if (is_good && !is_driven_ && next_us_ != kNever) {
    const bool was = is_on_;
    if (Switch(item->integer == 1, board)) outcome = link::Outcome::kApplied;
    if (was != is_on_ && KeepsCommands()) board.Changed();
    next_us_ = board.now_us;
  }
  item->type = link::ValueType::kState;
  item->integer = is_on_ ? 1 : 0;
  return outcome;
}

void RelayFunction::Describe(ItemSink& sink) const {
  ItemDescription d = Described(0, "state", "flag");
  d.is_writable = !is_driven_;
  d.period_s = static_cast<int32_t>(kTellStateEvery_us / 1000000);
  sink.Add(d);
}

size_t RelayFunction::Save(std::span<uint8_t, kMaxSaved> out) const {
  if (!KeepsCommands()) return 0;
  out[0] = is_on_ ? 1 : 0;
  return 1;
}

void RelayFunction::Restore(Bytes bytes) {
  if (!KeepsCommands() || bytes.size() != 1) return;
  is_on_ = bytes[0] == 1;
  was_restored_ = true;
}

}  // namespace vesta::node
