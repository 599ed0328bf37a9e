#include "simulators/telegram_writer.h"

#include <gtest/gtest.h>

namespace vesta::simulators {
namespace {

constexpr Zone kDutch = {60, true};

UtcUs At(const char* iso) {
  UtcUs us = kNoTime;
  EXPECT_TRUE(ParseIso8601(iso, &us)) << iso;
  return us;
}

TEST(TelegramWriter, ChecksumOfTheCheckString) { EXPECT_EQ(TelegramCrc("123456789"), 0xBB3D); }

TEST(TelegramWriter, StampsCarryTheLetterOfTheRepeatedHour) {
  EXPECT_EQ(TelegramStamp(At("2023-10-29T00:30:00Z"), kDutch), "231029023000S");
  EXPECT_EQ(TelegramStamp(At("2023-10-29T01:30:00Z"), kDutch), "231029023000W");
  EXPECT_EQ(TelegramStamp(At("2024-03-31T01:00:00Z"), kDutch), "240331030000S");
  EXPECT_EQ(TelegramStamp(At("2023-12-31T23:00:00Z"), kDutch, false), "240101000000");
}

TEST(TelegramWriter, PadsNumbersAndSetsThePoint) {
  EXPECT_EQ(TelegramWriter::Group(12345, 9, 3, "kWh"), "(000012.345*kWh)");
  EXPECT_EQ(TelegramWriter::Group(0, 5, 3, "kW"), "(00.000*kW)");
  EXPECT_EQ(TelegramWriter::Group(-63, 3, 0, "A"), "(-063*A)");
  EXPECT_EQ(TelegramWriter::Group(7, 8, 3, ""), "(00000.007)");
}

// A telegram of a specification family, written line by line, has the checksum that other encoders give it.
TEST(TelegramWriter, WholeTelegram) {
  TelegramWriter writer("TST5\\2SYN-0001");
  writer.Text("1-3:0.2.8", "50").Number("1-0:1.7.0", 512, 5, 3, "kW");
  writer.Stamped("0-1:24.2.1", "240615123000S", 1234567, 8, 3, "m3");
  const std::string telegram = writer.FinishWithCrc();
  EXPECT_EQ(telegram.substr(0, telegram.size() - 6),
            "/TST5\\2SYN-0001\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.7.0(00.512*kW)\r\n"
            "0-1:24.2.1(240615123000S)(01234.567*m3)\r\n!");
  EXPECT_EQ(telegram.substr(telegram.size() - 2), "\r\n");
}

}  // namespace
}  // namespace vesta::simulators
