#include "node/functions/p1_reader.h"

#include "protocols/p1/crc16.h"

namespace vesta::node {

namespace {

constexpr int64_t kPause_us = 1000000;  // inside a telegram: it was cut
constexpr uint8_t kEncryptedStart = 0xDB;
// DB 08, title of 8, 82, length of 2.
constexpr size_t kLengthAt = 11;
constexpr size_t kEncryptedHead = 13;
constexpr size_t kCrcDigits = 4;

int HexDigit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The number behind "code(" in thousandths; false when it is not there.
bool FindValue(std::string_view telegram, std::string_view code, int64_t* milli) {
  const size_t at = telegram.find(code);
  if (at == std::string_view::npos) return false;
  std::string_view rest = telegram.substr(at + code.size());
  const size_t end = rest.find_first_not_of("0123456789.");
  Decimal d;
  if (end == std::string_view::npos || !ParseDecimal(rest.substr(0, end), &d)) return false;
  *milli = MilliOf(d);
  return true;
}

}  // namespace

P1Reader::P1Reader(const FunctionConfig& config, std::span<uint8_t> memory)
    : LineRelay(config, "p1",
                {static_cast<uint32_t>(config.baud), config.baud == 9600, config.baud == 9600, config.is_inverted}),
      memory_(memory) {}

void P1Reader::Take(Bytes bytes, Board& board) {
  if (size_ > 0 && board.now_us - first_us_ > 5 * kPause_us) {
    size_ = 0;
    CountDropped();
  }
  for (const uint8_t b : bytes) TakeByte(b, board);
}

void P1Reader::TakeByte(uint8_t byte, Board& board) {
  const bool is_encrypted = size_ > 0 && memory_[0] == kEncryptedStart;
  const bool starts = byte == '/' && !is_encrypted && (size_ == 0 || memory_[size_ - 1] == '\n');
  if (starts && size_ > 0) CountDropped();
  if (starts || (size_ == 0 && byte == kEncryptedStart)) {
    size_ = 0;
    end_mark_ = 0;
    first_us_ = board.now_us;
  } else if (size_ == 0) {
    return;
  }
  if (size_ == memory_.size()) {
    size_ = 0;
    return CountDropped();
  }
  memory_[size_++] = byte;
  if (is_encrypted) {
    if (size_ < kEncryptedHead) return;
    const size_t length = size_t{memory_[kLengthAt]} << 8 | memory_[kLengthAt + 1];
    if (size_ == kEncryptedHead + length) Finish(true, board);
  } else if (byte == '!') {
    end_mark_ = size_;
  } else if (byte == '\n' && end_mark_ > 0) {
    Finish(false, board);
  }
}

void P1Reader::Finish(bool is_encrypted, Board& board) {
  const Bytes telegram = Bytes(memory_).first(size_);
  size_ = 0;
  if (!is_encrypted) {
    const Bytes tail = telegram.subspan(end_mark_);
    if (tail.size() > kCrcDigits) {
      int given = 0;
      for (size_t i = 0; i < kCrcDigits; ++i) {
        const int digit = HexDigit(tail[i]);
        given = digit < 0 || given < 0 ? -1 : given << 4 | digit;
      }
      if (given != p1::Crc16Arc(telegram.first(end_mark_))) return CountDropped();
    }
    ShowValues({reinterpret_cast<const char*>(telegram.data()), telegram.size()}, board);
  }
  if (!IsDue(board.now_us)) return;
  NextPeriod(board.now_us);
  Forward(telegram, first_us_, 0, board);
}

void P1Reader::ShowValues(std::string_view telegram, Board& board) const {
  constexpr int64_t kPerKilo = 1000;
  int64_t in = 0;
  int64_t out = 0;
  if (FindValue(telegram, "1-0:1.7.0(", &in)) {
    FindValue(telegram, "1-0:2.7.0(", &out);
    board.Show(Shown::kGridPower, (in - out) * kPerKilo);
  }
  const auto phase = [&](std::string_view taken, std::string_view given, Shown what) {
    int64_t plus = 0;
    int64_t minus = 0;
    if (!FindValue(telegram, taken, &plus)) return;
    FindValue(telegram, given, &minus);
    board.Show(what, (plus - minus) * kPerKilo);
  };
  phase("1-0:21.7.0(", "1-0:22.7.0(", Shown::kPowerL1);
  phase("1-0:41.7.0(", "1-0:42.7.0(", Shown::kPowerL2);
  phase("1-0:61.7.0(", "1-0:62.7.0(", Shown::kPowerL3);
  const auto sum = [&](std::string_view tariff1, std::string_view tariff2, Shown what) {
    int64_t one = 0;
    int64_t two = 0;
    const bool has_one = FindValue(telegram, tariff1, &one);
    const bool has_two = FindValue(telegram, tariff2, &two);
    if (has_one || has_two) board.Show(what, one + two);
  };
  sum("1-0:1.8.1(", "1-0:1.8.2(", Shown::kEnergyIn);
  sum("1-0:2.8.1(", "1-0:2.8.2(", Shown::kEnergyOut);
  // The value stands in the second pair of brackets, behind its time.
  const size_t gas = telegram.find("24.2.1(");
  int64_t volume = 0;
  if (gas != std::string_view::npos && FindValue(telegram.substr(gas), ")(", &volume)) board.Show(Shown::kGas, volume);
}

}  // namespace vesta::node
