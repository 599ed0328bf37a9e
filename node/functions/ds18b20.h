// DS18B20 thermometers on a 1-Wire bus: search, conversion, scratchpad with checksum. Facts: the maker's data sheet and
// application note 187 (search).
//
// Temperatures are sixteenths of a degree as the chip sends them. 85 degrees exactly is what the chip says after
// power-up before its first conversion: together with the power-up bytes of the scratchpad it is not a value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "node/config.h"
#include "node/ports/one_wire.h"

namespace vesta::node {

// CRC-8 of 1-Wire; 0 over bytes with their checksum at the end.
uint8_t OneWireChecksum(std::span<const uint8_t> bytes);

// Steps through the addresses on a bus, in the order of the search tree.
class OneWireSearch {
 public:
  OneWireSearch(OneWire& bus, int pin) : bus_(bus), pin_(pin) {}
  // False at the end, or when the bus is disturbed: then has_failed().
  bool Next(SensorId* out);
  bool has_failed() const { return has_failed_; }

 private:
  OneWire& bus_;
  const int pin_;
  SensorId last_ = {};
  int last_fork_ = -1;  // the highest place where a 0 was taken and a 1 was possible
  bool is_done_ = false;
  bool has_failed_ = false;
};

enum class SensorFault : uint8_t { kNone, kAbsent, kChecksum, kNoConversion };

// All sensors of the bus begin to convert. False: nobody answers.
bool StartConversion(OneWire& bus, int pin);
constexpr int64_t ConversionTimeUs(int32_t resolution) { return int64_t{750000} >> (12 - resolution); }
// Writes the resolution, 9 to 12 bits, into the sensor's working memory (not its EEPROM, which wears).
bool SetResolution(OneWire& bus, int pin, const SensorId& id, int32_t resolution);
std::optional<int16_t> ReadTemperature(OneWire& bus, int pin, const SensorId& id, SensorFault* fault);

}  // namespace vesta::node
