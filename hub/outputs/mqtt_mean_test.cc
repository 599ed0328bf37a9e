#include "hub/outputs/mqtt_mean.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

TEST(MqttMean, HasOneDigitMoreAndStartsAnew) {
  MqttMean mean;
  EXPECT_FALSE(mean.Take());
  mean.Add({271, -3});
  mean.Add({3, -1});
  const auto taken = mean.Take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, (Decimal{2855, -4}));
  EXPECT_EQ(taken->exponent, -4);
  EXPECT_FALSE(mean.Take());
  mean.Add({-5, 0});
  EXPECT_EQ(*mean.Take(), (Decimal{-5, 0}));
}

TEST(MqttMean, NumbersBeyondADoubleGiveNone) {
  MqttMean mean;
  mean.Add({INT64_MAX, 0});
  EXPECT_FALSE(mean.Take());
}

}  // namespace
}  // namespace vesta::hub
