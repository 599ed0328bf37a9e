#include "hub/devices/decoders.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

TEST(Decoders, AnEpochBeginsWhenSomethingChangedOnly) {
  Decoders decoders;
  ASSERT_NE(decoders.Begin("bed-1", "vesta 1 medibus", "builtin-1/aa", 1, 10), nullptr);
  EXPECT_EQ(decoders.Begin("bed-1", "vesta 1 medibus", "builtin-1/aa", 50, 20), nullptr);
  ASSERT_NE(decoders.Begin("bed-2", "vesta 1 medibus", "builtin-1/aa", 60, 20), nullptr);
  ASSERT_NE(decoders.Begin("bed-1", "vesta 1 medibus", "builtin-1/aa+site/bb", 100, 30), nullptr);
  ASSERT_NE(decoders.Begin("bed-1", "vesta 2 medibus", "builtin-1/aa+site/bb", 200, 40), nullptr);
  EXPECT_EQ(decoders.Find("bed-1", 0), nullptr);
  EXPECT_EQ(decoders.Find("bed-1", 99)->tables, "builtin-1/aa");
  EXPECT_EQ(decoders.Find("bed-1", 100)->tables, "builtin-1/aa+site/bb");
  EXPECT_EQ(decoders.Find("bed-1", 5000)->decoder, "vesta 2 medibus");
  EXPECT_EQ(decoders.Find("bed-2", 59), nullptr);
  EXPECT_EQ(decoders.Find("bed-3", 5000), nullptr);
  EXPECT_EQ(decoders.epochs().back().id, 4u);
}

TEST(Decoders, TheNameOfATableFollowsItsContent) {
  const Field one[] = {{"a", Quantity::kVoltage, Unit::kVolt, 1, FieldKind::kGauge, Pace::kFast, false, {}}};
  const Field other[] = {{"a", Quantity::kVoltage, Unit::kMillivolt, 1, FieldKind::kGauge, Pace::kFast, false, {}}};
  EXPECT_EQ(FieldTableName(one), FieldTableName(one));
  EXPECT_NE(FieldTableName(one), FieldTableName(other));
  EXPECT_EQ(FieldTableName(one).size(), 23u);
}

}  // namespace
}  // namespace vesta::hub
