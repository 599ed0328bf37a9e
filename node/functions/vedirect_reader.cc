#include "node/functions/vedirect_reader.h"

namespace vesta::node {

namespace {

constexpr uint8_t kBlocksOfAPicture = 2;
constexpr int64_t kBytesPerSecond = 1920;

}  // namespace

void VedirectReader::Take(Bytes bytes, Board& board) {
  board_ = &board;
  framer_.Receive(bytes, board.now_us);
}

void VedirectReader::Advance(Board& board) {
  board_ = &board;
  if (framer_.next_deadline_us() <= board.now_us) framer_.Tick(board.now_us);
}

void VedirectReader::OnText(Bytes raw, uint64_t /*offset*/, bool sum_is_right) {
  if (!sum_is_right) {
    if (had_block_) CountDropped();
    had_block_ = true;
    return;
  }
  had_block_ = true;
  std::string_view rest(reinterpret_cast<const char*>(raw.data()), raw.size());
  bool is_solar = false;
  bool is_battery = false;
  Decimal voltage;
  Decimal current;
  Decimal panel;
  Board& board = *board_;
  while (!rest.empty()) {
    const size_t end = rest.find("\r\n", 1);
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    const size_t tab = line.find('\t');
    Decimal d;
    if (tab == std::string_view::npos || tab < 2 || !ParseDecimal(line.substr(tab + 1), &d)) continue;
    const std::string_view label = line.substr(2, tab - 2);
    if (label == "V") voltage = d;
    if (label == "I") current = d;
    if (label == "VPV") panel = d;
    if (label == "PPV") {
      is_solar = true;
      board.Show(Shown::kSolarPower, MilliOf(d));
    }
    if (label == "SOC") {
      is_battery = true;
      board.Show(Shown::kBatteryCharge, MilliOf(d, -1));
    }
    if (label == "P") board.Show(Shown::kBatteryPower, MilliOf(d));
  }
  if (is_solar) {
    board.Show(Shown::kSolarVoltage, MilliOf(panel.mantissa != 0 ? panel : voltage, -3));
    board.Show(Shown::kSolarCurrent, MilliOf(current, -3));
  } else if (is_battery) {
    board.Show(Shown::kBatteryVoltage, MilliOf(voltage, -3));
    board.Show(Shown::kBatteryCurrent, MilliOf(current, -3));
  }
  if (IsDue(board.now_us) && blocks_to_go_ == 0) {
    blocks_to_go_ = kBlocksOfAPicture;
    NextPeriod(board.now_us);
  }
  if (blocks_to_go_ == 0) return;
  --blocks_to_go_;
  const int64_t length_us = static_cast<int64_t>(raw.size()) * 1000000 / kBytesPerSecond;
  Forward(raw, board.now_us - length_us, 0, board);
}

}  // namespace vesta::node
