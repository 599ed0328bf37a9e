#include "node/screens/screens.h"

namespace vesta::node {

namespace {

// The display is cut into eight rows of text; a head line with a rule under it takes the first.
constexpr int kRow = 9;
constexpr int kFirstRow = 11;
constexpr int RowAt(int row) { return kFirstRow + row * kRow; }
constexpr int64_t kSecond_us = 1000000;

class Values {
 public:
  Values(const ShownValues& shown, int64_t now_us) : shown_(shown), now_us_(now_us) {}
  bool IsFresh(Shown what) const {
    const int64_t at_us = shown_[static_cast<size_t>(what)].at_us;
    return at_us != INT64_MIN && now_us_ - at_us <= kStale_us;
  }
  ShortText Text(Shown what, int decimals, std::string_view unit, size_t width) const {
    if (!IsFresh(what)) return ShortText().Add("-");
    return Amount(shown_[static_cast<size_t>(what)].milli, decimals, unit, width);
  }

 private:
  const ShownValues& shown_;
  int64_t now_us_;
};

void Head(std::string_view title, Canvas& canvas) {
  canvas.Text(0, 0, title);
  canvas.Line(8);
}

// A name of the user's, cut to what fits, never in the middle of a character.
std::string_view Fitting(std::string_view text, int width) {
  while (Canvas::WidthOf(text) > width) {
    size_t size = text.size() - 1;
    while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
    text = text.substr(0, size);
  }
  return text;
}

ShortText Age(int64_t age_us) {
  const int64_t seconds = age_us / kSecond_us;
  if (seconds < 100) return ShortText().Add(seconds).Add("s");
  if (seconds < 6000) return ShortText().Add(seconds / 60).Add("min");
  if (seconds < 360000) return ShortText().Add(seconds / 3600).Add("h");
  const int64_t days = seconds / 86400;
  return days < 1000 ? ShortText().Add(days).Add("d") : ShortText().Add(">999d");
}

void TwoDigits(int64_t number, ShortText* out) {
  if (number < 10) out->Add("0");
  out->Add(number);
}

}  // namespace

void DrawVictron(const ShownValues& shown, int64_t now_us, Canvas& canvas) {
  const Values values(shown, now_us);
  Head("Victron Monitor", canvas);
  // Name at the left, two values that end at the middle and at the right.
  constexpr int kMiddle = 80;
  constexpr size_t kWide = 8;
  const auto row = [&](int number, std::string_view name, const ShortText& left, const ShortText& right) {
    canvas.Text(0, RowAt(number), name);
    canvas.TextRight(kMiddle, RowAt(number), left.view());
    canvas.TextRight(kDisplayWidth, RowAt(number), right.view());
  };
  const auto offline = [&](int number, std::string_view name) {
    canvas.Text(0, RowAt(number), name);
    canvas.TextRight(kDisplayWidth, RowAt(number), "offline");
  };
  const bool has_battery = values.IsFresh(Shown::kBatteryVoltage) || values.IsFresh(Shown::kBatteryCharge);
  if (has_battery) {
    row(0, "BMV", values.Text(Shown::kBatteryVoltage, 1, "V", kWide), values.Text(Shown::kBatteryCurrent, 1, "A", 7));
    row(1, "", values.Text(Shown::kBatteryCharge, 0, "%", kWide), values.Text(Shown::kBatteryPower, 0, "W", 7));
  } else {
    offline(0, "BMV");
  }
  const bool has_solar = values.IsFresh(Shown::kSolarPower) || values.IsFresh(Shown::kSolarVoltage);
  if (has_solar) {
    row(2, "MPPT", values.Text(Shown::kSolarVoltage, 1, "V", kWide), values.Text(Shown::kSolarCurrent, 1, "A", 7));
    row(3, "Solar", values.Text(Shown::kSolarPower, 0, "W", kWide), ShortText());
  } else {
    offline(2, "MPPT");
  }
  if (values.IsFresh(Shown::kChargerVoltage)) {
    row(4, "IP22", values.Text(Shown::kChargerVoltage, 1, "V", kWide), values.Text(Shown::kChargerCurrent, 1, "A", 7));
  } else {
    offline(4, "IP22");
  }
}

void DrawMeter(const ShownValues& shown, int64_t now_us, Canvas& canvas) {
  const Values values(shown, now_us);
  Head("Meter", canvas);
  // The power in big letters, then the phases, then the totals.
  canvas.TextRight(kDisplayWidth - 1, RowAt(0), values.Text(Shown::kGridPower, 0, "W", 10).view(), 2);
  const bool has_phases = values.IsFresh(Shown::kPowerL1);
  if (has_phases) {
    constexpr size_t kPhaseWide = 6;
    canvas.TextRight(40, RowAt(2), values.Text(Shown::kPowerL1, 0, "W", kPhaseWide).view());
    canvas.TextRight(84, RowAt(2), values.Text(Shown::kPowerL2, 0, "W", kPhaseWide).view());
    canvas.TextRight(kDisplayWidth, RowAt(2), values.Text(Shown::kPowerL3, 0, "W", kPhaseWide).view());
  }
  const auto total = [&](int row, std::string_view name, Shown what, std::string_view unit) {
    canvas.Text(0, RowAt(row), name);
    canvas.TextRight(kDisplayWidth, RowAt(row), values.Text(what, 3, unit, 16).view());
  };
  total(3, "in", Shown::kEnergyIn, "kWh");
  total(4, "out", Shown::kEnergyOut, "kWh");
  if (values.IsFresh(Shown::kGas)) {
    total(5, "gas", Shown::kGas, "m3");
  }
}

void DrawStatus(const NodeStatus& status, int64_t now_us, Canvas& canvas) {
  constexpr std::string_view kRefusals[] = {"",           "window closed", "unknown node", "hub full", "number in use",
                                            "not wanted", "other channel", "hub is busy"};
  Head(Fitting(status.name.empty() ? std::string_view("Vesta node") : status.name.view(), kDisplayWidth), canvas);
  if (status.is_waiting) {
    canvas.Text(0, RowAt(0), "Is this the code");
    canvas.Text(0, RowAt(1), "that the hub shows?");
    std::array<char, 6> digits;
    uint32_t code = status.code;
    for (size_t i = digits.size(); i-- > 0; code /= 10) digits[i] = static_cast<char>('0' + code % 10);
    canvas.Text(22, RowAt(3), {digits.data(), digits.size()}, 2);
    return;
  }
  const std::string_view link = status.is_linked ? "linked" : status.is_joined ? "hub not heard" : "looking for a hub";
  canvas.Text(0, RowAt(0), link);
  if (status.is_linked) {
    ShortText where;
    if (status.channel != 0) where.Add("ch ").Add(status.channel);
    if (status.rssi_dbm != 0) where.Add(" ").Add(status.rssi_dbm).Add("dBm");
    canvas.TextRight(kDisplayWidth, RowAt(0), where.view());
  }
  canvas.Text(0, RowAt(1), "heard");
  canvas.TextRight(kDisplayWidth, RowAt(1), status.heard_us == 0 ? "never" : Age(now_us - status.heard_us).view());
  canvas.Text(0, RowAt(2), "waiting");
  canvas.TextRight(kDisplayWidth, RowAt(2), Amount(int64_t{status.backlog} * 1000, 0, "", 6).view());
  canvas.Text(0, RowAt(3), "lost");
  canvas.TextRight(kDisplayWidth, RowAt(3), Amount(int64_t{status.lost} * 1000, 0, "", 6).view());
  ShortText last;
  if (!status.problem.empty()) {
    canvas.Text(0, RowAt(4), "!");
    canvas.Text(2 * kCell, RowAt(4), Fitting(status.problem, kDisplayWidth - 2 * kCell));
    if (status.problem.size() > static_cast<size_t>(kColumns - 2)) {
      const std::string_view first = Fitting(status.problem, kDisplayWidth - 2 * kCell);
      canvas.Text(0, RowAt(5), Fitting(status.problem.substr(first.size()), kDisplayWidth));
    }
    return;
  }
  if (!status.is_linked && status.refusal > 0 && status.refusal < std::size(kRefusals)) {
    last.Add(kRefusals[status.refusal]);
  } else if (status.has_utc) {
    const int64_t seconds = (now_us + status.utc_minus_clock_us) / kSecond_us;
    TwoDigits(seconds / 3600 % 24, &last);
    last.Add(":");
    TwoDigits(seconds / 60 % 60, &last);
    last.Add(" UTC");
  }
  canvas.Text(0, RowAt(5), last.view());
}

void Draw(Screen screen, const ShownValues& shown, const NodeStatus& status, int64_t now_us, Canvas& canvas) {
  switch (screen) {
    case Screen::kVictron:
      return DrawVictron(shown, now_us, canvas);
    case Screen::kMeter:
      return DrawMeter(shown, now_us, canvas);
    case Screen::kStatus:
      return DrawStatus(status, now_us, canvas);
  }
}

}  // namespace vesta::node
