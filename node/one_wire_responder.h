// Answers a 1-Wire master, bit by bit, as a bus with some thermometers would: search, match, skip, conversion,
// scratchpad. For boards whose system hides the bus and gives only what was read (Linux), and for tests.
#pragma once

#include <algorithm>

#include "node/config.h"
#include "node/ports/one_wire.h"

namespace vesta::node {

using Scratchpad = std::array<uint8_t, 9>;

class OneWireResponder : public OneWire {
 public:
  bool Reset(int pin) override;
  void WriteBit(int pin, bool bit) override;
  bool ReadBit(int pin) override;

 protected:
  // The addresses on the bus of this pin; asked at each reset pulse.
  virtual std::span<const SensorId> Sensors(int pin) = 0;
  virtual void Convert(int pin) = 0;
  // False: this one does not answer.
  virtual bool Read(const SensorId& id, Scratchpad* out) = 0;

 private:
  static constexpr uint8_t kSearchRom = 0xF0;
  static constexpr uint8_t kMatchRom = 0x55;
  static constexpr uint8_t kSkipRom = 0xCC;
  static constexpr uint8_t kConvert = 0x44;
  static constexpr uint8_t kReadScratchpad = 0xBE;
  static constexpr unsigned kAddressBits = 64;
  static constexpr size_t kMaxSensorsOfABus = 32;
  enum class Phase : uint8_t { kCommand, kMatch, kSearch, kFunction, kScratchpad, kSilent };

  static bool BitOf(const SensorId& id, unsigned place) { return (id[place / 8] >> (place % 8) & 1) != 0; }
  void TakeByte(int pin, uint8_t byte);

  std::span<const SensorId> sensors_;
  uint32_t in_ = 0;  // bit i: sensor i still takes part in the search
  Phase phase_ = Phase::kSilent;
  unsigned bits_ = 0;   // taken of this byte or of the search
  unsigned reads_ = 0;  // of this place of the search, or of the scratchpad
  uint8_t byte_ = 0;
  size_t matched_ = 0;  // bytes of the address
  SensorId address_ = {};
  Scratchpad scratchpad_ = {};
};

inline bool OneWireResponder::Reset(int pin) {
  sensors_ = Sensors(pin);
  sensors_ = sensors_.first(std::min(sensors_.size(), kMaxSensorsOfABus));
  in_ = 0xFFFFFFFF;
  phase_ = sensors_.empty() ? Phase::kSilent : Phase::kCommand;
  bits_ = reads_ = 0;
  matched_ = 0;
  return !sensors_.empty();
}

inline void OneWireResponder::WriteBit(int pin, bool bit) {
  if (phase_ == Phase::kSearch) {
    // Who has another bit here falls silent.
    for (size_t i = 0; i < sensors_.size(); ++i) {
      if (BitOf(sensors_[i], bits_) != bit) in_ &= ~(1u << i);
    }
    reads_ = 0;
    if (++bits_ == kAddressBits) phase_ = Phase::kSilent;
    return;
  }
  byte_ = static_cast<uint8_t>(byte_ >> 1 | (bit ? 0x80 : 0));
  if (++bits_ < 8) return;
  bits_ = 0;
  TakeByte(pin, byte_);
}

inline void OneWireResponder::TakeByte(int pin, uint8_t byte) {
  switch (phase_) {
    case Phase::kCommand:
      phase_ = byte == kSearchRom  ? Phase::kSearch
               : byte == kMatchRom ? Phase::kMatch
               : byte == kSkipRom  ? Phase::kFunction
                                   : Phase::kSilent;
      return;
    case Phase::kMatch:
      address_[matched_++] = byte;
      if (matched_ == address_.size()) phase_ = Phase::kFunction;
      return;
    case Phase::kFunction:
      phase_ = Phase::kSilent;
      if (byte == kConvert) return Convert(pin);
      reads_ = 0;
      if (byte == kReadScratchpad && matched_ == address_.size() && Read(address_, &scratchpad_)) {
        phase_ = Phase::kScratchpad;
      }
      return;
    default:
      return;
  }
}

inline bool OneWireResponder::ReadBit(int /*pin*/) {
  if (phase_ == Phase::kScratchpad) {
    const unsigned place = reads_++;
    return place >= 8 * scratchpad_.size() || (scratchpad_[place / 8] >> (place % 8) & 1) != 0;
  }
  if (phase_ != Phase::kSearch) return true;
  // First the bit, then its complement, of all that take part: a 0 wins.
  const bool complements = reads_++ % 2 == 1;
  for (size_t i = 0; i < sensors_.size(); ++i) {
    if ((in_ >> i & 1) != 0 && BitOf(sensors_[i], bits_) == complements) return false;
  }
  return true;
}

}  // namespace vesta::node
