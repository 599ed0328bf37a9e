#include "protocols/victron/fields.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "protocols/victron/enums.h"
#include "protocols/victron/products.h"
#include "protocols/victron/reasons.h"

namespace vesta::victron {
namespace {

constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

TEST(VictronFields, KeysAreUniqueAndPlain) {
  std::set<std::string> keys;
  ASSERT_EQ(Fields().size(), size_t{kCountOfFields});
  for (const Field& field : Fields()) {
    EXPECT_TRUE(keys.insert(field.key).second) << field.key;
    EXPECT_EQ(std::string(field.key).find_first_not_of(kPlain), std::string::npos) << field.key;
    EXPECT_EQ(field.kind == FieldKind::kState, !field.states.empty()) << field.key;
  }
  EXPECT_EQ(FindField("battery_voltage"), kBatteryVoltage);
  EXPECT_EQ(FindField("rssi"), kRssi);
  EXPECT_EQ(FindField("voltage of the moon"), kNoField);
}

TEST(VictronFields, StateNamesAreUniqueAndPlainWithinATable) {
  for (const Field& field : Fields()) {
    std::set<std::string> names;
    std::set<uint32_t> codes;
    for (const StateName& state : field.states) {
      EXPECT_TRUE(names.insert(state.name).second) << field.key << " " << state.name;
      EXPECT_TRUE(codes.insert(state.code).second) << field.key << " " << state.code;
      EXPECT_EQ(std::string(state.name).find_first_not_of(kPlain), std::string::npos) << state.name;
    }
  }
}

TEST(VictronProducts, AreSortedAndFound) {
  uint32_t last = 0;
  for (const Product& product : Products()) {
    EXPECT_GT(product.id, last);
    last = product.id;
    EXPECT_EQ(FindProduct(product.id), &product);
  }
  EXPECT_EQ(FindProduct(0xA3FE), nullptr);
  EXPECT_EQ(FindProduct(0xFFFF), nullptr);
  ASSERT_NE(FindProduct(0xA042), nullptr);
  EXPECT_STREQ(FindProduct(0xA042)->name, "BlueSolar Charger MPPT 75/15");
  EXPECT_EQ(FindProduct(0xA042)->kind, DeviceKind::kSolarCharger);
  EXPECT_EQ(FindProduct(0xA389)->kind, DeviceKind::kBatteryMonitor);
  EXPECT_EQ(FindProduct(0xA3C0)->kind, DeviceKind::kDcConverter);
  EXPECT_EQ(FindProduct(0xA3B0)->kind, DeviceKind::kBatteryProtect);
  EXPECT_EQ(FindProduct(0xA3E5)->kind, DeviceKind::kBms);
  EXPECT_EQ(FindProduct(0xA338)->kind, DeviceKind::kAcCharger);
  EXPECT_EQ(FindProduct(0x2780)->kind, DeviceKind::kInverterCharger);
}

TEST(VictronReasons, NameEveryBit) {
  char text[kReasonTextSize];
  EXPECT_EQ(ReasonText(0, kAlarmReasonBits, text), "none");
  EXPECT_EQ(ReasonText(1, kAlarmReasonBits, text), "low_voltage");
  EXPECT_EQ(ReasonText(0x41, kAlarmReasonBits, text), "low_voltage, high_temperature");
  EXPECT_EQ(ReasonText(0x81, kOffReasonBits, text), "no_input_power, engine_shutdown");
  EXPECT_EQ(ReasonText(0x80008000, kAlarmReasonBits, text), "bit_15, bit_31");
  EXPECT_EQ(ReasonText(1u << 5, {}, text), "bit_5");
}

TEST(VictronReasons, StayWithinTheirRoom) {
  char text[kReasonTextSize];
  const std::string_view all = ReasonText(0xFFFFFFFF, kBmsFlagBits, text);
  EXPECT_LE(all.size(), kReasonTextSize);
  EXPECT_EQ(all.substr(all.size() - 5), ", ...");
}

}  // namespace
}  // namespace vesta::victron
