#include "hub/outputs/mqtt_mean.h"

#include <algorithm>
#include <cmath>

namespace vesta::hub {

void MqttMean::Add(Decimal value) {
  exponent_ = count_ == 0 ? value.exponent : std::min(exponent_, value.exponent);
  sum_ += Value::OfDecimal(value).ToDouble();
  ++count_;
}

std::optional<Decimal> MqttMean::Take() {
  if (count_ == 0) return std::nullopt;
  const double mean = sum_ / count_;
  const int8_t exponent = static_cast<int8_t>(std::max(exponent_ - 1, -18));
  sum_ = 0;
  count_ = 0;
  const double mantissa = std::round(mean * std::pow(10.0, -exponent));
  constexpr double kExact = 9007199254740992.0;  // beyond this a double has no digit to spare
  if (!(std::fabs(mantissa) < kExact)) return std::nullopt;
  return Decimal{static_cast<int64_t>(mantissa), exponent};
}

}  // namespace vesta::hub
