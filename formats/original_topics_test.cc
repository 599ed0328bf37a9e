#include "formats/original_topics.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta::original_topics {
namespace {

std::string Fixed(Decimal value, int digits) {
  char text[kFixedTextSize];
  return std::string(text, FormatFixed(value, digits, text));
}

TEST(OriginalTopics, AreTheKnownOnes) {
  EXPECT_EQ(VeNetworking("HQ2129ABCDE", 0xEDBC).view(), "venetworking/HQ2129ABCDE/EDBC");
  EXPECT_EQ(VeNetworking("HQ2129ABCDE", 0x0FFF).view(), "venetworking/HQ2129ABCDE/0FFF");
  EXPECT_EQ(VeDirect("HQ2129ABCDE", 0x0200).view(), "vedirect/HQ2129ABCDE/0x0200");
  EXPECT_EQ(ShareOfNetwork("HQ2129ABCDE").view(), "vedirect/HQ2129ABCDE/shareOfNetwork");
  EXPECT_EQ(MasterBus(0x31297, 2).view(), "masterbus/0x31297/0x02");
  EXPECT_EQ(MasterBus(0, 255).view(), "masterbus/0x00/0xFF");
}

TEST(OriginalTopics, ASerialNumberFromTheWireIsNoTopic) {
  for (const char* hostile : {"", "a/b", "#", "+", "a b", "$SYS", "\x01", "123456789012345678901234567890123"}) {
    EXPECT_TRUE(VeDirect(hostile, 1).empty()) << hostile;
    EXPECT_TRUE(VeNetworking(hostile, 1).empty()) << hostile;
    EXPECT_TRUE(ShareOfNetwork(hostile).empty()) << hostile;
  }
}

TEST(OriginalTopics, NumbersAsPrintfWritesThem) {
  EXPECT_EQ(Fixed({1388, -2}, 6), "13.880000");
  EXPECT_EQ(Fixed({-63, 0}, 6), "-63.000000");
  EXPECT_EQ(Fixed({5, 2}, 2), "500.00");
  EXPECT_EQ(Fixed({12345678, -7}, 6), "1.234568");
  EXPECT_EQ(Fixed({-14, -1}, 0), "-1");
  EXPECT_EQ(Fixed({-4, -1}, 0), "0");
  EXPECT_EQ(Fixed({149, -2}, 0), "1") << "each digit is rounded once only";
  EXPECT_EQ(Fixed({INT64_MIN, 0}, 1), "-9223372036854775808.0");
}

TEST(OriginalTopics, RawNumbersOfRegisters) {
  const auto raw = [](Decimal value, int exponent, int bytes) {
    uint64_t number = 0;
    return RawOf(value, exponent, bytes, &number) ? static_cast<int64_t>(number) : -1;
  };
  EXPECT_EQ(raw({1388, -2}, -2, 2), 1388);
  EXPECT_EQ(raw({139, -1}, -2, 2), 1390);
  EXPECT_EQ(raw({13880, -3}, -2, 2), 1388);
  EXPECT_EQ(raw({13881, -3}, -2, 2), -1) << "not a whole number there";
  EXPECT_EQ(raw({-1, -3}, -3, 4), 0xFFFFFFFF);
  EXPECT_EQ(raw({-129, 0}, 0, 1), -1);
  EXPECT_EQ(raw({256, 0}, 0, 1), -1);
  EXPECT_EQ(raw({INT64_MAX, 10}, 0, 8), -1);
}

}  // namespace
}  // namespace vesta::original_topics
