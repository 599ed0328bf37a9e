#include "node/functions/display_function.h"

#include "node/screens/screens.h"

namespace vesta::node {

namespace {

constexpr int64_t kDraw_us = 1000000;
constexpr int64_t kRetry_us = 10 * kDraw_us;  // a display that does not answer

struct Row {
  std::string_view key;
  Quantity quantity;
  Unit unit;
  uint8_t decimals;
};
constexpr Row kRows[] = {
    {"battery_voltage", Quantity::kVoltage, Unit::kVolt, 1},
    {"battery_current", Quantity::kCurrent, Unit::kAmpere, 1},
    {"battery_charge", Quantity::kStateOfCharge, Unit::kPercent, 0},
    {"battery_power", Quantity::kPower, Unit::kWatt, 0},
    {"solar_voltage", Quantity::kVoltage, Unit::kVolt, 1},
    {"solar_current", Quantity::kCurrent, Unit::kAmpere, 1},
    {"solar_power", Quantity::kPower, Unit::kWatt, 0},
    {"charger_voltage", Quantity::kVoltage, Unit::kVolt, 1},
    {"charger_current", Quantity::kCurrent, Unit::kAmpere, 1},
    {"grid_power", Quantity::kPower, Unit::kWatt, 0},
    {"energy_in", Quantity::kEnergy, Unit::kKilowattHour, 3},
    {"energy_out", Quantity::kEnergy, Unit::kKilowattHour, 3},
};
static_assert(std::size(kRows) == kShownFromHub);

}  // namespace

bool DisplayFunction::Start(Board& board, Problem* /*problem*/) {
  next_us_ = board.now_us;
  return true;
}

Screen DisplayFunction::ScreenAt(int64_t now_us, const NodeStatus& status) const {
  if (status.is_waiting) return Screen::kStatus;
  const int count = __builtin_popcount(config_.screens);
  int64_t turn = now_us / kDraw_us / config_.turn_s % count;
  for (unsigned screen = 0;; ++screen) {
    if ((config_.screens >> screen & 1) != 0 && turn-- == 0) return static_cast<Screen>(screen);
  }
}

void DisplayFunction::Run(Board& board) {
  Canvas canvas(&dots_);
  Draw(ScreenAt(board.now_us, board.status), board.shown, board.status, board.now_us, canvas);
  const bool flashes = board.now_us < board.status.identify_until_us;
  if (flashes && board.now_us / kDraw_us % 2 == 0) dots_.fill(0xFF);
  next_us_ = board.now_us + (board.ports.display->Show(dots_) ? kDraw_us : kRetry_us);
}

link::Outcome DisplayFunction::OnCommand(uint8_t place, link::Item* item, Board& board) {
  const bool is_integer = item->type >= link::ValueType::kInt8 && item->type <= link::ValueType::kInt64;
  if (place >= item_count() || !is_integer) return link::Outcome::kRefused;
  board.Show(static_cast<Shown>(place), MilliOf({item->integer, -3}));
  return link::Outcome::kApplied;
}

void DisplayFunction::Describe(ItemSink& sink) const {
  for (uint8_t place = 0; place < item_count(); ++place) {
    const Row& row = kRows[place];
    ItemDescription d = Described(place, row.key, "gauge");
    d.quantity = row.quantity;
    d.unit = row.unit;
    d.decimals = row.decimals;
    d.exponent = -3;
    d.is_writable = true;
    sink.Add(d);
  }
}

}  // namespace vesta::node
