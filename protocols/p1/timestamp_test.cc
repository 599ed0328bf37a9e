#include "protocols/p1/timestamp.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta::p1 {
namespace {

constexpr Zone kAmsterdam{60, true};
constexpr Zone kVilnius{120, true};

std::string Utc(UtcUs us) {
  if (us == kNoTime) return "none";
  char text[kIso8601Size];
  return std::string(text, FormatIso8601(us, text));
}

Stamp Parse(std::string_view text, SummerTimeRule rule = SummerTimeRule::kLetter, const Zone& zone = kAmsterdam) {
  return ParseStamp(text, zone, rule);
}

TEST(Stamp, TheLetterResolvesTheRepeatedHour) {
  EXPECT_EQ(Utc(Parse("231029023000S").utc_us), "2023-10-29T00:30:00Z");
  EXPECT_EQ(Utc(Parse("231029023000W").utc_us), "2023-10-29T01:30:00Z");
  EXPECT_EQ(Utc(Parse("231029023000S", SummerTimeRule::kCalendar).utc_us), "2023-10-29T00:30:00Z");
  EXPECT_EQ(Utc(Parse("231029023000W", SummerTimeRule::kCalendar).utc_us), "2023-10-29T01:30:00Z");
  EXPECT_EQ(Utc(Parse("240331030000S").utc_us), "2024-03-31T01:00:00Z");
}

TEST(Stamp, LetterOrCalendarDecidesWhenTheyContradict) {
  EXPECT_EQ(Utc(Parse("240701120000W").utc_us), "2024-07-01T11:00:00Z");
  EXPECT_EQ(Utc(Parse("240701120000W", SummerTimeRule::kCalendar).utc_us), "2024-07-01T10:00:00Z");
}

TEST(Stamp, TheCountryIsConfiguration) {
  EXPECT_EQ(Utc(Parse("240115120000W", SummerTimeRule::kLetter, kVilnius).utc_us), "2024-01-15T10:00:00Z");
}

TEST(Stamp, WithoutALetterTheZoneDecides) {
  EXPECT_EQ(Utc(Parse("160215140000").utc_us), "2016-02-15T13:00:00Z");
  const Stamp repeated = Parse("151025020000");
  EXPECT_EQ(repeated.status, StampStatus::kAmbiguous);
  EXPECT_EQ(Utc(repeated.utc_us), "2015-10-25T00:00:00Z");
  EXPECT_EQ(Utc(repeated.utc_alternative_us), "2015-10-25T01:00:00Z");
  const Stamp skipped = Parse("240331023000");
  EXPECT_EQ(skipped.status, StampStatus::kNonexistent);
  EXPECT_EQ(Utc(skipped.utc_us), "2024-03-31T01:30:00Z");
}

TEST(Stamp, PlaceholdersAndImpossibleOnesGiveNoTime) {
  for (const char* text : {"000101000000W", "000101123456S", "700101010000W", "000000000000W", "250000000000W"}) {
    EXPECT_EQ(Parse(text).status, StampStatus::kPlaceholder) << text;
    EXPECT_FALSE(Parse(text).has_time()) << text;
  }
  for (const char* text : {"632525252525W", "632525252525S", "213112235959W", "240230120000W", "240115240000W",
                           "240115126000W", "35255255255255255S", "220201000000T", "24011512000", "", "S"}) {
    EXPECT_EQ(Parse(text).status, StampStatus::kInvalid) << text;
    EXPECT_FALSE(Parse(text).has_time()) << text;
  }
}

TEST(Stamp, LowerCaseLettersCount) {
  const Stamp stamp = Parse("150701192959s");
  EXPECT_EQ(stamp.status, StampStatus::kOk);
  EXPECT_TRUE(stamp.lower_case);
}

TEST(CosemTime, OfMcsBusinessMeters) {
  const Stamp stamp = ParseCosemTime("07EA080B0208151900007880", kAmsterdam);
  EXPECT_EQ(stamp.status, StampStatus::kOk);
  EXPECT_EQ(Utc(stamp.utc_us), "2026-08-11T06:21:25Z");
  // As the COSEM text has it: UTC minus local time.
  EXPECT_EQ(Utc(ParseCosemTime("07EA080B0208151900FF8880", kAmsterdam).utc_us), "2026-08-11T06:21:25Z");
  // Deviation not given.
  EXPECT_EQ(Utc(ParseCosemTime("07EA080B0208151900800000", kAmsterdam).utc_us), "2026-08-11T06:21:25Z");
  EXPECT_EQ(ParseCosemTime("07EA0D0B0208151900007880", kAmsterdam).status, StampStatus::kInvalid);
}

}  // namespace
}  // namespace vesta::p1
