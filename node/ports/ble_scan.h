// A Bluetooth LE scanner that listens only. Adverts come in the form of protocols/ble_advert.h without their header.
// The driver keeps 16 at least and counts what it had to drop.
#pragma once

#include <cstdint>

#include "protocols/ble_advert.h"

namespace vesta::node {

class BleScan {
 public:
  virtual ~BleScan() = default;
  virtual bool Start() = 0;
  virtual bool Next(ble::Advert* out) = 0;  // data is valid until the next call
  virtual uint32_t dropped() const = 0;
};

}  // namespace vesta::node
