// The mean of the numbers that came within an interval.
//
// For display only: history keeps every reading. The result has one digit more than the readings had.
#pragma once

#include <cstdint>
#include <optional>

#include "model/value.h"

namespace vesta::hub {

class MqttMean {
 public:
  void Add(Decimal value);
  // Starts anew; empty when nothing came.
  std::optional<Decimal> Take();

 private:
  double sum_ = 0;
  uint32_t count_ = 0;
  int8_t exponent_ = 0;  // smallest so far
};

}  // namespace vesta::hub
