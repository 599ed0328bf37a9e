#include "model/value.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta {
namespace {

std::string Format(int64_t mantissa, int exponent) {
  char buffer[kDecimalTextSize];
  return std::string(buffer, FormatDecimal({mantissa, static_cast<int8_t>(exponent)}, buffer));
}

TEST(Decimal, FormatKeepsEveryDigit) {
  EXPECT_EQ(Format(230100, -3), "230.100");
  EXPECT_EQ(Format(0, -3), "0.000");
  EXPECT_EQ(Format(-24, -3), "-0.024");
  EXPECT_EQ(Format(42, 0), "42");
  EXPECT_EQ(Format(42, 3), "42000");
  EXPECT_EQ(Format(INT64_MIN, 0), "-9223372036854775808");
  EXPECT_EQ(Format(1, -128).size(), 130u);
  EXPECT_EQ(Format(INT64_MIN, 127).size(), 147u);
}

TEST(Decimal, ParseReadsBackWhatFormatWrote) {
  for (const char* text : {"0", "0.000", "230.100", "-0.024", "123456789012345678", "0.000000000000000001"}) {
    Decimal d;
    ASSERT_TRUE(ParseDecimal(text, &d)) << text;
    char buffer[kDecimalTextSize];
    EXPECT_EQ(std::string(buffer, FormatDecimal(d, buffer)), text);
  }
}

TEST(Decimal, ParseTakesMeterForms) {
  Decimal d;
  ASSERT_TRUE(ParseDecimal("-00.024", &d));
  EXPECT_EQ(d, (Decimal{-24, -3}));
  ASSERT_TRUE(ParseDecimal("00052185.7825309", &d));
  EXPECT_EQ(d, (Decimal{521857825309, -7}));
}

TEST(Decimal, ParseRefusesOtherTexts) {
  Decimal d;
  for (const char* text : {"", "-", ".", "1.2.3", "1e3", " 1", "1 ", "0x10", "1234567890123456789", "NaN"}) {
    EXPECT_FALSE(ParseDecimal(text, &d)) << text;
  }
}

TEST(Decimal, CompareIsExactAcrossExponents) {
  EXPECT_EQ(Compare({15, -1}, {150, -2}), 0);
  EXPECT_EQ(Compare({2156, -1}, {2157, -1}), -1);
  EXPECT_EQ(Compare({-1, 100}, {1, -100}), -1);
  EXPECT_EQ(Compare({1, 18}, {1000000000000000001, 0}), -1);
  EXPECT_EQ(Compare({0, 5}, {0, -5}), 0);
  EXPECT_EQ(Compare({-3, 0}, {-25, -1}), -1);
}

TEST(Value, ToDoubleIsNearest) {
  EXPECT_EQ(Value::OfDecimal(1321, -2).ToDouble(), 13.21);
  EXPECT_EQ(Value::OfDecimal(1, 3).ToDouble(), 1000.0);
  EXPECT_EQ(Value::OfState(42).ToDouble(), 42.0);
}

TEST(Value, EqualityIsByNumber) {
  EXPECT_EQ(Value::OfDecimal(150, -2), Value::OfDecimal(15, -1));
  EXPECT_FALSE(Value::OfDecimal(1, 0) == Value::OfState(1));
  EXPECT_EQ(Value::OfText("ab"), Value::OfText(std::string("ab")));
}

static_assert(sizeof(Value) == 16);

}  // namespace
}  // namespace vesta
