#include "node/functions/ds18b20.h"

namespace vesta::node {

namespace {

constexpr uint8_t kSearchRom = 0xF0;
constexpr uint8_t kMatchRom = 0x55;
constexpr uint8_t kSkipRom = 0xCC;
constexpr uint8_t kConvert = 0x44;
constexpr uint8_t kReadScratchpad = 0xBE;
constexpr uint8_t kWriteScratchpad = 0x4E;
constexpr size_t kScratchpad = 9;
constexpr int kAddressBits = 64;
constexpr int16_t kPowerUpValue = 85 * 16;
constexpr uint8_t kPowerUpByte6 = 0x0C;  // reserved byte that shows whether a conversion was made

void WriteByte(OneWire& bus, int pin, uint8_t byte) {
  for (int bit = 0; bit < 8; ++bit) bus.WriteBit(pin, (byte >> bit & 1) != 0);
}

uint8_t ReadByte(OneWire& bus, int pin) {
  uint8_t byte = 0;
  for (int bit = 0; bit < 8; ++bit) byte = static_cast<uint8_t>(byte | (bus.ReadBit(pin) ? 1u << bit : 0u));
  return byte;
}

bool Select(OneWire& bus, int pin, const SensorId& id) {
  if (!bus.Reset(pin)) return false;
  WriteByte(bus, pin, kMatchRom);
  for (const uint8_t b : id) WriteByte(bus, pin, b);
  return true;
}

}  // namespace

uint8_t OneWireChecksum(std::span<const uint8_t> bytes) {
  uint8_t crc = 0;
  for (uint8_t b : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool mix = ((crc ^ b) & 1) != 0;
      crc = static_cast<uint8_t>(crc >> 1 ^ (mix ? 0x8C : 0));
      b = static_cast<uint8_t>(b >> 1);
    }
  }
  return crc;
}

bool OneWireSearch::Next(SensorId* out) {
  if (is_done_ || !bus_.Reset(pin_)) return false;
  WriteByte(bus_, pin_, kSearchRom);
  SensorId id = {};
  int fork = -1;
  for (int place = 0; place < kAddressBits; ++place) {
    const bool bit = bus_.ReadBit(pin_);
    const bool complement = bus_.ReadBit(pin_);
    if (bit && complement) {  // all fell silent
      has_failed_ = place > 0;
      is_done_ = true;
      return false;
    }
    bool taken = bit;
    if (!bit && !complement) {
      const bool before = (last_[static_cast<size_t>(place / 8)] >> (place % 8) & 1) != 0;
      taken = place < last_fork_ ? before : place == last_fork_;
      if (!taken) fork = place;
    }
    if (taken) id[static_cast<size_t>(place / 8)] |= static_cast<uint8_t>(1u << (place % 8));
    bus_.WriteBit(pin_, taken);
  }
  last_ = id;
  last_fork_ = fork;
  is_done_ = fork < 0;
  if (OneWireChecksum(id) != 0 || id[0] == 0) {  // zeros alone: the line is shorted
    has_failed_ = true;
    is_done_ = true;
    return false;
  }
  *out = id;
  return true;
}

bool StartConversion(OneWire& bus, int pin) {
  if (!bus.Reset(pin)) return false;
  WriteByte(bus, pin, kSkipRom);
  WriteByte(bus, pin, kConvert);
  return true;
}

bool SetResolution(OneWire& bus, int pin, const SensorId& id, int32_t resolution) {
  if (!Select(bus, pin, id)) return false;
  WriteByte(bus, pin, kWriteScratchpad);
  WriteByte(bus, pin, 0x4B);  // alarm bounds as they leave the factory
  WriteByte(bus, pin, 0x46);
  WriteByte(bus, pin, static_cast<uint8_t>((resolution - 9) << 5 | 0x1F));
  return true;
}

std::optional<int16_t> ReadTemperature(OneWire& bus, int pin, const SensorId& id, SensorFault* fault) {
  *fault = SensorFault::kAbsent;
  if (!Select(bus, pin, id)) return std::nullopt;
  WriteByte(bus, pin, kReadScratchpad);
  std::array<uint8_t, kScratchpad> bytes;
  uint8_t all = 0xFF;
  uint8_t any = 0;
  for (uint8_t& b : bytes) {
    b = ReadByte(bus, pin);
    all &= b;
    any |= b;
  }
  if (all == 0xFF) return std::nullopt;  // nobody pulls the line down: others are there, this one is not
  *fault = SensorFault::kChecksum;
  if (any == 0 || OneWireChecksum(bytes) != 0) return std::nullopt;
  const auto value = static_cast<int16_t>(bytes[0] | bytes[1] << 8);
  *fault = SensorFault::kNoConversion;
  if (value == kPowerUpValue && bytes[6] == kPowerUpByte6) return std::nullopt;
  *fault = SensorFault::kNone;
  return value;
}

}  // namespace vesta::node
