#include "hub/sources/mqtt_payload.h"

#include <gtest/gtest.h>

#include "model/calendar.h"

namespace vesta::hub {
namespace {

UtcUs At(int hour, int minute, int second) {
  return CivilToUs({2023, 7, 7, static_cast<uint8_t>(hour), static_cast<uint8_t>(minute), static_cast<uint8_t>(second)});
}

TEST(LegacyMessage, PutsTheFrameTogetherAgain) {
  const auto message = ReadLegacyMessage("b'a1b2c3d4e5f6|2023/07/07 16:34:41|$6530.86631.6C3'", 120);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->sender, "a1b2c3d4e5f6");
  EXPECT_EQ(message->stamp_us, At(14, 34, 41));
  EXPECT_EQ(message->frame, "\x01$6530.86631.6C3\r");
}

TEST(LegacyMessage, TakesUnpaddedTimesBlanksAndNoQuotes) {
  const auto message = ReadLegacyMessage("a1 | 2023/7/7 6:35:1 | $6530.8C3", 0);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->sender, "a1");
  EXPECT_EQ(message->stamp_us, At(6, 35, 1));
  EXPECT_EQ(message->frame, "\x01$6530.8C3\r");
}

TEST(LegacyMessage, AFrameWithABarStaysWhole) {
  const auto message = ReadLegacyMessage("a1|2023/07/07 16:35:10|*|x|", 120);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->frame, "\x01*|x|\r");
}

TEST(LegacyMessage, AnImpossibleTimeIsNone) {
  for (const char* text : {"a|2023/02/30 10:00:00|$", "a|2023/07/07 24:00:00|$", "a|yesterday|$", "a||$",
                           "a|2023/07/07 10:00:00x|$", "a|1970/01/01 00:00:00|$"}) {
    const auto message = ReadLegacyMessage(text, 120);
    ASSERT_TRUE(message) << text;
    EXPECT_EQ(message->stamp_us, kNoTime) << text;
  }
}

TEST(LegacyMessage, RefusesWhatIsNone) {
  for (const char* text : {"", "b''", "a|b", "|2023/07/07 10:00:00|$", "a b|2023/07/07 10:00:00|$",
                           "a|2023/07/07 10:00:00|", "../x|2023/07/07 10:00:00|$"}) {
    EXPECT_FALSE(ReadLegacyMessage(text, 120)) << text;
  }
  EXPECT_FALSE(ReadLegacyMessage("a|2023/07/07 10:00:00|" + std::string(kMaxLegacyPayload, '1'), 120));
}

}  // namespace
}  // namespace vesta::hub
