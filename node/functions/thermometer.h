// DS18B20 sensors on one 1-Wire bus. Items: one temperature a sensor, in sixteenths of a degree as the chip measures
// (integer times 10^-4: exact).
//
// The sensors are those that the configuration names; without any, those that are found, up to max_sensors. Found ones
// keep their item for ever (the addresses are saved), in whatever order they answer later. A sensor that does not
// answer or fails its checksum is a fault, told once a period; its last value is never told again.
#pragma once

#include "node/function.h"
#include "node/functions/ds18b20.h"

namespace vesta::node {

class ThermometerFunction final : public Function {
 public:
  ThermometerFunction(const FunctionConfig& config, std::span<const SensorConfig> sensors, uint8_t number);

  bool Start(Board& board, Problem* problem) override;
  void Run(Board& board) override;
  int64_t next_us() const override { return next_us_; }
  bool is_busy() const override { return is_converting_ || !has_measured_; }
  uint8_t item_count() const override { return static_cast<uint8_t>(capacity_); }
  void Describe(ItemSink& sink) const override;
  size_t Save(std::span<uint8_t, kMaxSaved> out) const override;
  void Restore(Bytes bytes) override;

 private:
  void Find(Board& board);
  void Measure(Board& board);
  std::string_view NameOfSensor(size_t place) const;

  std::span<const SensorConfig> sensors_;  // of the whole node
  const uint8_t number_;
  bool is_listed_ = false;
  size_t capacity_ = 0;
  size_t count_ = 0;
  std::array<SensorId, kMaxSensors> ids_ = {};
  bool is_converting_ = false;
  bool has_measured_ = false;
  uint8_t until_search_ = 0;
  int64_t due_us_ = 0;
  int64_t next_us_ = 0;
};

}  // namespace vesta::node
