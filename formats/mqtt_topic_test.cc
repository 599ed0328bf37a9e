#include "formats/mqtt_topic.h"

#include <gtest/gtest.h>

#include <string>

namespace vesta {
namespace {

std::string Level(std::string_view text) {
  char out[kTopicLevelSize];
  return std::string(out, CleanTopicLevel(text, out));
}

std::string Base(std::string_view text) {
  char out[64];
  return std::string(out, CleanTopicBase(text, out, sizeof out));
}

TEST(MqttTopic, CleanLevelsStayAsTheyAre) {
  EXPECT_EQ(Level("p1_e0044007382246019"), "p1_e0044007382246019");
  EXPECT_EQ(Level("power_import-l1"), "power_import-l1");
}

TEST(MqttTopic, DirtyLevelsHoldOnlySafeBytesAndDoNotMeet) {
  for (const char* text : {"A/B", "a b", "+", "#", "$SYS", "caf\xC3\xA9", "", "Abc", "a\x01"}) {
    const std::string level = Level(text);
    EXPECT_FALSE(level.empty());
    EXPECT_EQ(level.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-"), std::string::npos) << level;
  }
  EXPECT_NE(Level("a b"), Level("a+b"));
  EXPECT_NE(Level("a b"), Level("a_b"));
  EXPECT_NE(Level("Abc"), Level("abc"));
  const std::string longer(100, 'x');
  EXPECT_EQ(Level(longer).size(), kTopicLevelSize);
  EXPECT_NE(Level(longer), Level(longer + "y"));
}

TEST(MqttTopic, BaseLosesOnlyWhatBrokersMisread) {
  EXPECT_EQ(Base("vesta"), "vesta");
  EXPECT_EQ(Base("/Home//energy/"), "Home/energy");
  EXPECT_EQ(Base("a b/#/+"), "a_b/_/_");
  EXPECT_EQ(Base("$SYS"), "_SYS");
  EXPECT_EQ(Base(""), "vesta");
  EXPECT_EQ(Base("///"), "vesta");
}

TEST(MqttTopic, JoinsLevelsAndIsEmptyWhenTooLong) {
  EXPECT_EQ(Topic({"vesta", "device", "state"}).view(), "vesta/device/state");
  const std::string longer(kTopicSize, 'x');
  EXPECT_TRUE(Topic({"vesta", longer}).empty());
}

}  // namespace
}  // namespace vesta
