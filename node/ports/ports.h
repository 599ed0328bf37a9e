// What a board offers. Pointers are null where it has nothing of the kind; a function that needs it is then refused by
// name.
#pragma once

#include <array>

#include "node/ports/ble_scan.h"
#include "node/ports/can.h"
#include "node/ports/clock.h"
#include "node/ports/display.h"
#include "node/ports/gpio.h"
#include "node/ports/i2c.h"
#include "node/ports/one_wire.h"
#include "node/ports/radio.h"
#include "node/ports/serial.h"
#include "node/ports/sleep.h"
#include "node/ports/store.h"
#include "node/ports/update_slot.h"
#include "protocols/link/random_source.h"

namespace vesta::node {

inline constexpr size_t kMaxSerialPorts = 4;

struct Ports {
  Radio& radio;
  Clock& clock;
  Sleep& sleep;
  Store& store;
  UpdateSlot& firmware;
  UpdateSlot& configuration;
  link::RandomSource& random;
  Gpio* gpio = nullptr;
  OneWire* one_wire = nullptr;
  I2c* i2c = nullptr;
  std::array<Serial*, kMaxSerialPorts> serial = {};
  Can* can = nullptr;
  BleScan* ble = nullptr;
  Display* display = nullptr;
};

}  // namespace vesta::node
