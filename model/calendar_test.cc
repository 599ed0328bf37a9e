#include "model/calendar.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta {
namespace {

UtcUs Parse(const char* text) {
  UtcUs us = kNoTime;
  EXPECT_TRUE(ParseIso8601(text, &us)) << text;
  return us;
}

std::string Format(UtcUs us) {
  char buffer[kIso8601Size];
  return std::string(buffer, FormatIso8601(us, buffer));
}

Zone Amsterdam() {
  Zone zone;
  EXPECT_TRUE(FindZone("Europe/Amsterdam", &zone));
  return zone;
}

TEST(Calendar, DaysCountFromTheEpochAndBack) {
  EXPECT_EQ(DaysFromCivil(1970, 1, 1), 0);
  EXPECT_EQ(DaysFromCivil(2000, 3, 1), 11017);
  for (int64_t day = -200000; day < 200000; day += 17) {
    const CivilTime c = CivilFromUs(day * 86400 * kUsPerSecond);
    EXPECT_EQ(DaysFromCivil(c.year, c.month, c.day), day);
  }
}

TEST(Calendar, Iso8601ReadsBack) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-08-21T10:15:30.123Z", "2026-08-21T10:15:30.000001Z"}) {
    EXPECT_EQ(Format(Parse(text)), text);
  }
  EXPECT_EQ(Parse("2026-08-11T08:21:25+02:00"), Parse("2026-08-11T06:21:25Z"));
}

TEST(Calendar, Iso8601RefusesImpossibleTimes) {
  UtcUs us;
  for (const char* text : {"2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T24:00:00Z",
                           "2023-01-01T00:00:00", "2023-01-01", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00Zx"}) {
    EXPECT_FALSE(ParseIso8601(text, &us)) << text;
  }
}

TEST(Calendar, SummerTimeChangesAtOneUtc) {
  const Zone zone = Amsterdam();
  EXPECT_FALSE(IsSummerTime(zone, Parse("2024-03-31T00:59:59Z")));
  EXPECT_TRUE(IsSummerTime(zone, Parse("2024-03-31T01:00:00Z")));
  EXPECT_TRUE(IsSummerTime(zone, Parse("2023-10-29T00:59:59Z")));
  EXPECT_FALSE(IsSummerTime(zone, Parse("2023-10-29T01:00:00Z")));
}

TEST(Calendar, RepeatedAndSkippedHours) {
  const Zone zone = Amsterdam();
  const LocalToUtcResult repeated = LocalToUtc(zone, {2023, 10, 29, 2, 30, 0});
  EXPECT_EQ(repeated.local_case, LocalTimeCase::kAmbiguous);
  EXPECT_EQ(Format(repeated.utc_us), "2023-10-29T00:30:00Z");
  EXPECT_EQ(Format(repeated.utc_alternative_us), "2023-10-29T01:30:00Z");
  const LocalToUtcResult skipped = LocalToUtc(zone, {2024, 3, 31, 2, 30, 0});
  EXPECT_EQ(skipped.local_case, LocalTimeCase::kNonexistent);
  EXPECT_EQ(Format(skipped.utc_us), "2024-03-31T01:30:00Z");
  const LocalToUtcResult plain = LocalToUtc(zone, {2024, 7, 1, 12, 0, 0});
  EXPECT_EQ(plain.local_case, LocalTimeCase::kUnique);
  EXPECT_EQ(Format(plain.utc_us), "2024-07-01T10:00:00Z");
}

TEST(ChooseTime, DeviceStampOnlyNearATrustedClock) {
  Now now;
  now.utc_us = Parse("2026-01-01T12:00:00Z");
  now.clock = ClockQuality::kSynchronised;
  const UtcUs near = now.utc_us - 59 * kUsPerSecond;
  const UtcUs far = now.utc_us + 61 * kUsPerSecond;
  EXPECT_EQ(ChooseTime(near, now).time_us, near);
  EXPECT_EQ(ChooseTime(far, now).time_us, now.utc_us);
  EXPECT_EQ(ChooseTime(far, now).quality, TimeQuality::kHubSynchronised);
  EXPECT_EQ(ChooseTime(kNoTime, now).time_us, now.utc_us);
  now.clock = ClockQuality::kNotSynchronised;
  EXPECT_EQ(ChooseTime(far, now).time_us, far);
  EXPECT_EQ(ChooseTime(far, now).quality, TimeQuality::kDeviceClock);
  EXPECT_EQ(ChooseTime(kNoTime, now).quality, TimeQuality::kHubNotSynchronised);
}

}  // namespace
}  // namespace vesta
