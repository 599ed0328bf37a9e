#include "node/functions/make.h"

#include "node/functions/ble_relay.h"
#include "node/functions/counter.h"
#include "node/functions/display_function.h"
#include "node/functions/masterbus_bridge.h"
#include "node/functions/medibus_bridge.h"
#include "node/functions/p1_reader.h"
#include "node/functions/relay.h"
#include "node/functions/thermometer.h"
#include "node/functions/thermostat.h"
#include "node/functions/vedirect_reader.h"
#include "protocols/link/node.h"

namespace vesta::node {

namespace {

constexpr size_t kSystemItems = 4;  // ping, restart, identify, leave
constexpr size_t kWritableItems = link::kNodeItems - kSystemItems;

std::span<const SensorConfig> SensorsOf(const NodeConfig& config) {
  return std::span(config.sensors).first(config.sensor_count);
}

size_t ItemsOf(const NodeConfig& config, uint8_t number) {
  const FunctionConfig& f = config.functions[number];
  if (f.type == FunctionType::kDisplay) return f.from_hub ? kShownFromHub : 0;
  if (f.type == FunctionType::kRelay) return 1;
  if (f.type != FunctionType::kThermometer) return 2;
  size_t listed = 0;
  for (const SensorConfig& s : SensorsOf(config)) listed += s.function == number ? 1 : 0;
  return listed > 0 ? listed : static_cast<size_t>(f.max_sensors);
}

size_t WritableOf(const FunctionConfig& f) {
  if (f.type == FunctionType::kDisplay) return f.from_hub ? kShownFromHub : 0;
  return f.type == FunctionType::kRelay || f.type == FunctionType::kThermostat ? 1 : 0;
}

}  // namespace

bool HasPortsFor(const FunctionConfig& f, const Ports& ports, Problem* problem) {
  const char* missing = nullptr;
  switch (f.type) {
    case FunctionType::kThermometer:
      if (ports.one_wire == nullptr) missing = "1-Wire";
      break;
    case FunctionType::kThermostat:
      break;
    case FunctionType::kRelay:
      if (f.pin >= 0 && ports.gpio == nullptr) missing = "pins";
      if (f.i2c >= 0 && ports.i2c == nullptr) missing = "I2C";
      break;
    case FunctionType::kCounter:
      if (ports.gpio == nullptr) missing = "pins";
      break;
    case FunctionType::kBle:
      if (ports.ble == nullptr) missing = "Bluetooth";
      break;
    case FunctionType::kP1:
    case FunctionType::kVedirect:
    case FunctionType::kMedibus:
      if (ports.serial[static_cast<size_t>(f.port)] == nullptr) missing = "such serial port";
      break;
    case FunctionType::kMasterbus:
      if (ports.can == nullptr) missing = "CAN";
      break;
    case FunctionType::kDisplay:
      if (ports.display == nullptr) missing = "display";
      break;
    case FunctionType::kCount:
      return false;
  }
  if (missing == nullptr) return true;
  problem->Add(NameOf(f.type)).Add(" '").Add(f.name.view()).Add("': this node has no ").Add(missing);
  return false;
}

size_t MemoryOf(const FunctionConfig& f) {
  switch (f.type) {
    case FunctionType::kThermometer:
      return Aligned(sizeof(ThermometerFunction));
    case FunctionType::kThermostat:
      return Aligned(sizeof(ThermostatFunction));
    case FunctionType::kRelay:
      return Aligned(sizeof(RelayFunction));
    case FunctionType::kCounter:
      return Aligned(sizeof(CounterFunction));
    case FunctionType::kBle:
      return Aligned(sizeof(BleRelayFunction));
    case FunctionType::kP1:
      return Aligned(sizeof(P1Reader)) + Aligned(static_cast<size_t>(f.max_bytes));
    case FunctionType::kVedirect:
      return Aligned(sizeof(VedirectReader));
    case FunctionType::kMedibus:
      return Aligned(sizeof(MedibusBridge));
    case FunctionType::kMasterbus:
      return Aligned(sizeof(MasterbusBridge));
    case FunctionType::kDisplay:
      return Aligned(sizeof(DisplayFunction));
    case FunctionType::kCount:
      break;
  }
  return 0;
}

Function* MakeFunction(const NodeConfig& config, uint8_t number, Arena& arena) {
  const FunctionConfig& f = config.functions[number];
  switch (f.type) {
    case FunctionType::kThermometer:
      return arena.Make<ThermometerFunction>(f, SensorsOf(config), number);
    case FunctionType::kThermostat:
      return arena.Make<ThermostatFunction>(f);
    case FunctionType::kRelay:
      return arena.Make<RelayFunction>(f);
    case FunctionType::kCounter:
      return arena.Make<CounterFunction>(f);
    case FunctionType::kBle:
      return arena.Make<BleRelayFunction>(f);
    case FunctionType::kP1: {
      const auto memory = arena.Take(static_cast<size_t>(f.max_bytes));
      return memory.empty() ? nullptr : arena.Make<P1Reader>(f, memory);
    }
    case FunctionType::kVedirect:
      return arena.Make<VedirectReader>(f);
    case FunctionType::kMedibus:
      return arena.Make<MedibusBridge>(f);
    case FunctionType::kMasterbus:
      return arena.Make<MasterbusBridge>(f);
    case FunctionType::kDisplay:
      return arena.Make<DisplayFunction>(f);
    case FunctionType::kCount:
      break;
  }
  return nullptr;
}

bool CheckFits(const NodeConfig& config, const Ports& ports, size_t arena_size, Problem* problem) {
  size_t needed = 0;
  size_t items = 0;
  size_t writable = 0;
  for (uint8_t i = 0; i < config.function_count; ++i) {
    const FunctionConfig& f = config.functions[i];
    if (!HasPortsFor(f, ports, problem)) return false;
    needed += MemoryOf(f);
    items += ItemsOf(config, i);
    writable += WritableOf(f);
  }
  const auto refuse = [problem](size_t need, size_t available, std::string_view what) {
    if (need <= available) return true;
    problem->Add("the functions need ").Add(static_cast<int64_t>(need)).Add(" ").Add(what).Add(", there are ");
    problem->Add(static_cast<int64_t>(available));
    return false;
  };
  return refuse(needed, arena_size, "bytes of memory") && refuse(items, kMaxFunctionItem, "items") &&
         refuse(writable, kWritableItems, "writable items") &&
         refuse(config.sleep_s > 0 && !ports.sleep.can_sleep() ? 1 : 0, 0, "deep sleep");
}

}  // namespace vesta::node
