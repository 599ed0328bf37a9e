// The configuration of a node: which functions it has and how they are set. JSON; every key is described in
// docs/nodes.md.
//
// Read as a whole or refused as a whole, with the place and the reason; a node then keeps the one that it has. Unknown
// and repeated keys, values out of range, and references to functions that are not there are errors. Temperatures are
// thousandths of a degree.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "node/json.h"
#include "node/name.h"

namespace vesta::node {

enum class FunctionType : uint8_t {
  kThermometer,
  kThermostat,
  kRelay,
  kCounter,
  kBle,
  kP1,
  kVedirect,
  kMedibus,
  kMasterbus,
  kDisplay,
  kCount,
};
std::string_view NameOf(FunctionType type);

// A sensor's address on its bus, as it is printed: family first.
using SensorId = std::array<uint8_t, 8>;
inline constexpr size_t kSensorIdText = 16;
bool ParseSensorId(std::string_view text, SensorId* out);
std::string_view PrintSensorId(const SensorId& id, std::span<char, kSensorIdText> out);

enum class PowerOn : uint8_t { kOff, kOn, kLast };
enum class CounterOf : uint8_t { kCount, kEnergy, kGas, kWater };

struct FunctionConfig {
  FunctionType type = FunctionType::kThermometer;
  Name name;
  int32_t period_s = 0;
  // Where it is connected; -1 = not given.
  int32_t pin = -1;
  int32_t i2c = -1;
  int32_t bit = 0;
  int32_t port = 0;
  int32_t baud = 0;
  bool is_active_low = false;
  bool is_inverted = false;
  bool pull_up = true;
  // Thermometer: its sensors stand in NodeConfig::sensors.
  int32_t resolution = 12;
  int32_t max_sensors = 4;
  // Thermostat.
  SensorId sensor = {};
  bool has_sensor = false;
  Name relay;
  int32_t set_point = 20000;
  int32_t min = 5000;
  int32_t max = 30000;
  int32_t hysteresis = 500;
  bool is_cooling = false;
  // Relay.
  PowerOn power_on = PowerOn::kOff;
  // Counter.
  CounterOf counts = CounterOf::kCount;
  int32_t exponent = 0;
  int32_t debounce_ms = 20;
  // BLE.
  int32_t company = 0x02E1;
  // P1: longest telegram.
  int32_t max_bytes = 2048;
  // Display.
  uint8_t screens = 0;  // bits of Screen
  int32_t turn_s = 5;
  bool from_hub = false;
};

inline constexpr size_t kMaxFunctions = 12;
inline constexpr size_t kMaxSensors = 8;

struct SensorConfig {
  uint8_t function = 0;
  SensorId id = {};
  Name name;
};

struct NodeConfig {
  uint32_t version = 0;
  Name name;
  int32_t sleep_s = 0;  // between two wake-ups; 0 = always awake
  int32_t awake_s = 8;  // at most, without a hub
  int32_t ping_s = 5;   // an always-on node asks at least so often
  uint8_t function_count = 0;
  std::array<FunctionConfig, kMaxFunctions> functions = {};
  uint8_t sensor_count = 0;
  std::array<SensorConfig, kMaxSensors> sensors = {};
};

inline constexpr size_t kMaxProblem = 120;

// Why something is refused, for people: "line 3, column 12: unknown key 'pim'". Cut at kMaxProblem.
class Problem {
 public:
  std::string_view view() const { return {text_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  void Clear() { size_ = 0; }
  Problem& Add(std::string_view text);
  Problem& Add(int64_t number);

 private:
  std::array<char, kMaxProblem> text_ = {};
  uint8_t size_ = 0;
};

// False: nothing of `out` is to be used, and `problem` says why.
bool ReadConfig(TextSource& text, NodeConfig* out, Problem* problem);

// As it is when it is made. In place: to assign a new one takes 2 KB of a chip's stack.
void Clear(NodeConfig* config);

}  // namespace vesta::node
