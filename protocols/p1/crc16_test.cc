#include "protocols/p1/crc16.h"

#include <gtest/gtest.h>

#include <string>

#include "protocols/p1/telegram_for_test.h"

namespace vesta::p1 {
namespace {

TEST(Crc16, HasThePublishedCheckValues) {
  EXPECT_EQ(Crc16Arc(AsBytes("123456789")), 0xBB3D);
  EXPECT_EQ(Crc16X25(AsBytes("123456789")), 0x906E);
}

TEST(Crc16, EightBytesAStepGiveWhatOneByteAStepGives) {
  std::string text;
  for (int n = 0; n < 100; ++n) {
    Crc16 slow(CrcVariant::kArc);
    for (const char c : text) slow.Add(static_cast<uint8_t>(c));
    EXPECT_EQ(Crc16Arc(AsBytes(text)), slow.value()) << n;
    text.push_back(static_cast<char>(n * 37 + 11));
  }
}

TEST(Crc16, FindsTheTelegramThatACutOneRanInto) {
  for (const CrcVariant variant : {CrcVariant::kArc, CrcVariant::kX25}) {
    const std::string second = "/TST5two\r\n\r\n1-0:1.7.0(00.1*kW)\r\n!";
    const uint16_t crc = variant == CrcVariant::kX25 ? Crc16X25(AsBytes(second)) : Crc16Arc(AsBytes(second));
    const std::string both = "/TST5one\r\n\r\n0-0:96.13.0(a/b)\r\n1-0:1.7.0(00." + second;
    EXPECT_EQ(FindTelegramSuffix(AsBytes(both), crc, variant), both.size() - second.size());
    EXPECT_EQ(FindTelegramSuffix(AsBytes(both), static_cast<uint16_t>(crc ^ 1), variant), kNoSuffix);
    // The whole is no suffix.
    EXPECT_EQ(FindTelegramSuffix(AsBytes(second), crc, variant), kNoSuffix);
  }
}

}  // namespace
}  // namespace vesta::p1
