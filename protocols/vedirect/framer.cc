#include "protocols/vedirect/framer.h"

namespace vesta::vedirect {
namespace {

constexpr char kChecksumLabel[] = {'c', 'h', 'e', 'c', 'k', 's', 'u', 'm'};

// The label of the last field, in any case, ends the text so far.
bool EndsInChecksumLabel(const uint8_t* text, size_t size) {
  if (size < sizeof kChecksumLabel) return false;
  const uint8_t* label = text + size - sizeof kChecksumLabel;
  for (size_t i = 0; i < sizeof kChecksumLabel; ++i) {
    if ((label[i] | 0x20) != kChecksumLabel[i]) return false;
  }
  return true;
}

bool IsHexDigit(uint8_t byte) { return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F'); }

}  // namespace

void Framer::Receive(Bytes bytes, int64_t monotonic_us) {
  if (bytes.empty()) return;
  Tick(monotonic_us);
  last_byte_us_ = monotonic_us;
  for (const uint8_t byte : bytes) {
    Take(byte);
    ++received_;
  }
}

void Framer::Take(uint8_t byte) {
  if (in_hex_) return TakeHex(byte);
  if (byte == ':' && !sum_is_next_) {
    in_hex_ = true;
    hex_[0] = byte;
    hex_size_ = 1;
    hex_offset_ = received_;
    return;
  }
  TakeText(byte);
}

void Framer::TakeText(uint8_t byte) {
  if (block_size_ == 0) {
    if (byte != '\r' && !at_start_) {
      ++outside_;
      return;
    }
    at_start_ = false;
    block_offset_ = received_;
    sum_ = 0;
  }
  if (block_size_ == kMaxBlock) {
    Discard("overlong");
    return TakeText(byte);
  }
  block_[block_size_++] = byte;
  sum_ = static_cast<uint8_t>(sum_ + byte);
  if (sum_is_next_) {
    sum_is_next_ = false;
    const size_t size = block_size_;
    block_size_ = 0;
    sink_.OnText({block_.data(), size}, block_offset_, sum_ == 0);
  } else if (byte == '\t') {
    sum_is_next_ = EndsInChecksumLabel(block_.data(), block_size_ - 1);
  }
}

void Framer::TakeHex(uint8_t byte) {
  if (byte == '\n') {
    hex_[hex_size_++] = byte;  // there is always room for it
    return EndHex(HexEnd::kLineFeed);
  }
  if (byte == ':' || byte == '\r') {
    EndHex(HexEnd::kRestart);
    return Take(byte);
  }
  if (!IsHexDigit(byte)) {
    // The byte is no part of the text either way: it stands where the frame's end should.
    ++outside_;
    return EndHex(byte < 0x20 || byte > 0x7E ? HexEnd::kOther : HexEnd::kCharacter);
  }
  if (hex_size_ == kMaxHexText - 1) {
    EndHex(HexEnd::kOverlong);
    return Take(byte);
  }
  hex_[hex_size_++] = byte;
}

void Framer::EndHex(HexEnd end) {
  const size_t size = hex_size_;
  hex_size_ = 0;
  in_hex_ = false;
  sink_.OnHex({hex_.data(), size}, hex_offset_, end);
}

void Framer::Discard(const char* reason) {
  const size_t size = block_size_;
  block_size_ = 0;
  sum_is_next_ = false;
  sink_.OnDiscarded({block_.data(), size}, block_offset_, reason);
}

void Framer::Tick(int64_t monotonic_us) {
  if (pending() == 0 || monotonic_us - last_byte_us_ < kBlockTimeout_us) return;
  Reset();
  at_start_ = false;
}

void Framer::Reset() {
  if (in_hex_) EndHex(HexEnd::kCut);
  if (block_size_ > 0) Discard("cut");
  at_start_ = true;
}

}  // namespace vesta::vedirect
