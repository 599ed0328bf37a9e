#include "protocols/vesmart/advert.h"

#include <algorithm>

namespace vesta::vesmart {
namespace {

// Offsets without the company's two bytes.
constexpr size_t kGroupAt = 1;
constexpr size_t kSerialAt = 2;
constexpr size_t kSequenceAt = 6;
constexpr size_t kBodyAt = 10;
constexpr size_t kOverflowAdvertSize = 16;
constexpr size_t kMinMessageAdvertSize = kBodyAt + kTagSize;

}  // namespace

std::optional<Advert> ParseAdvert(Bytes data) {
  if (data.empty()) return std::nullopt;
  Advert advert;
  advert.op = data[0];
  if (advert.op == kOpOverflow) {
    if (data.size() != kOverflowAdvertSize) return std::nullopt;
    std::copy_n(data.begin() + kBodyAt, advert.overflow.size(), advert.overflow.begin());
  } else if (advert.op == kOpMessage) {
    if (data.size() < kMinMessageAdvertSize || data.size() > kMinMessageAdvertSize + kMaxBody) return std::nullopt;
    advert.body = data.subspan(kBodyAt, data.size() - kMinMessageAdvertSize);
  } else {
    return std::nullopt;
  }
  advert.group = data[kGroupAt];
  std::copy_n(data.begin() + kSerialAt, advert.serial.size(), advert.serial.begin());
  std::copy_n(data.begin() + kSequenceAt, advert.sequence.size(), advert.sequence.begin());
  advert.tag = data.last(kTagSize);
  return advert;
}

Nonce MakeNonce(uint8_t op, const std::array<uint8_t, 4>& sequence, const std::array<uint8_t, 2>& overflow,
                const std::array<uint8_t, 4>& serial, uint16_t network) {
  Nonce nonce{};
  nonce[0] = op;
  std::copy(sequence.begin(), sequence.end(), nonce.begin() + 1);
  std::copy(overflow.begin(), overflow.end(), nonce.begin() + 5);
  std::copy(serial.begin(), serial.end(), nonce.begin() + 7);
  nonce[11] = static_cast<uint8_t>(network >> 8);
  nonce[12] = static_cast<uint8_t>(network & 0xFF);
  return nonce;
}

bool Items::Next(uint16_t* id, Bytes* value) {
  constexpr size_t kHeaderSize = 3;
  if (rest_.empty()) return false;
  if (rest_.size() < kHeaderSize || rest_.size() - kHeaderSize < rest_[2]) {
    is_truncated_ = true;
    rest_ = {};
    return false;
  }
  *id = static_cast<uint16_t>(rest_[0] | rest_[1] << 8);
  *value = rest_.subspan(kHeaderSize, rest_[2]);
  rest_ = rest_.subspan(kHeaderSize + rest_[2]);
  return true;
}

void FormatSerial(const std::array<uint8_t, 4>& serial, std::span<char, kSerialTextSize> out) {
  constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr uint32_t kBase = 36;
  constexpr size_t kTailAt = 6;
  constexpr uint32_t kLetters = 26;
  uint32_t rest = serial[0] | uint32_t{serial[1]} << 8 | uint32_t{serial[2]} << 16 | uint32_t{serial[3]} << 24;
  for (size_t i = kSerialTextSize; i-- > kTailAt;) {
    out[i] = kDigits[rest % kBase];
    rest /= kBase;
  }
  out[0] = static_cast<char>('G' + rest / kLetters);
  out[1] = static_cast<char>('A' + rest % kLetters);
  out[2] = out[3] = 'y';
  out[4] = out[5] = 'w';
}

}  // namespace vesta::vesmart
