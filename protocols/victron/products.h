// Product ids of Victron devices and of the devices of others that speak its protocols: name and kind.
//
// Any id is welcome: one that the list lacks only leaves the device without a model name. Facts: product lists as the
// reference of the Victron formats gives them, section 13.
#pragma once

#include <cstdint>
#include <span>

#include "model/reading.h"

namespace vesta::victron {

struct Product {
  uint16_t id;
  DeviceKind kind;
  const char* name;
};

// Sorted by id.
std::span<const Product> Products();

// nullptr when the id is not known.
const Product* FindProduct(uint16_t id);

}  // namespace vesta::victron
