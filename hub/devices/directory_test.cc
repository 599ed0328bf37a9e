#include "hub/devices/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace vesta::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DeviceInfo Wire(std::string_view identity) {
  DeviceInfo info;
  info.identity = identity;
  info.identity_on_wire = true;
  info.kind = DeviceKind::kElectricityMeter;
  return info;
}

DeviceInfo AtPlace(std::string_view place) {
  DeviceInfo info;
  info.identity = place;
  return info;
}

constexpr StateName kStates[] = {{0, "off"}, {1, "on"}};

Field MakeField(const char* key) {
  Field field;
  field.key = key;
  field.quantity = Quantity::kPower;
  field.unit = Unit::kWatt;
  field.decimals = 3;
  field.states = kStates;
  return field;
}

TEST(CleanKey, KeepsWhatIsAllowedAndLowersCase) {
  EXPECT_EQ(CleanKey("E0044007382246019"), "e0044007382246019");
  EXPECT_EQ(CleanKey("a-b_c9"), "a-b_c9");
  EXPECT_EQ(CleanKey(""), "");
}

TEST(CleanKey, WhatLosesSomethingGetsAHash) {
  const std::string slash = CleanKey("a/b");
  const std::string space = CleanKey("a b");
  EXPECT_EQ(slash.substr(0, 4), "a_b_");
  EXPECT_EQ(slash.size(), 3u + 9u);
  EXPECT_NE(slash, space);
  EXPECT_NE(slash, CleanKey("a_b"));
  EXPECT_EQ(slash, CleanKey("a/b"));
}

TEST(CleanKey, IsNeverLongerThan64AndOnlyOfAllowedCharacters) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  std::set<std::string> keys;
  for (size_t size = 0; size <= all.size(); ++size) {
    const std::string key = CleanKey(std::string_view(all).substr(0, size));
    EXPECT_LE(key.size(), 64u);
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), all.size() + 1) << "two texts met in one key";
  EXPECT_EQ(CleanKey(std::string(64, 'x')), std::string(64, 'x'));
  EXPECT_EQ(CleanKey(std::string(65, 'x')).size(), 64u);
}

TEST(Directory, FindsADeviceAgainByWhatTheWireProves) {
  Directory directory;
  const DeviceId meter = directory.Resolve("p1", "hall", Wire("E1"), 0);
  EXPECT_EQ(meter, 1u);
  EXPECT_EQ(directory.Resolve("p1", "cellar", Wire("E1"), 0), meter) << "the cable moved, the meter is the same";
  EXPECT_EQ(directory.FindDevice(meter)->source, "cellar");
  EXPECT_NE(directory.Resolve("victron", "cellar", Wire("E1"), 0), meter);
  EXPECT_EQ(directory.FindDevice(meter)->key, "p1_e1");
  EXPECT_EQ(directory.FindDeviceByKey("p1_e1")->id, meter);
  EXPECT_EQ(directory.FindDeviceByKey("p1_e2"), nullptr);
  EXPECT_EQ(directory.FindDevice(0), nullptr);
  EXPECT_EQ(directory.FindDevice(99), nullptr);
}

TEST(Directory, WhereTheWireProvesNothingTheSourceAndPlaceCount) {
  Directory directory;
  const DeviceId one = directory.Resolve("p1", "hall", AtPlace("channel1"), 0);
  const DeviceId two = directory.Resolve("p1", "cellar", AtPlace("channel1"), 0);
  EXPECT_NE(one, two);
  EXPECT_EQ(directory.FindDevice(one)->key, "p1_hall_channel1");
  EXPECT_EQ(directory.FindDevice(two)->key, "p1_cellar_channel1");
  EXPECT_EQ(directory.Resolve("p1", "hall", AtPlace("channel1"), 0), one);
  const DeviceId meter = directory.Resolve("p1", "hall", AtPlace(""), 0);
  EXPECT_EQ(directory.FindDevice(meter)->key, "p1_hall");
  // The wire says the same word that stands for a place elsewhere: two devices.
  EXPECT_NE(directory.Resolve("p1", "hall", Wire("channel1"), 0), one);
}

TEST(Directory, KeysThatWouldMeetStayApart) {
  Directory directory;
  const DeviceId upper = directory.Resolve("p1", "a", Wire("ABC"), 0);
  const DeviceId lower = directory.Resolve("p1", "a", Wire("abc"), 0);
  const DeviceId place = directory.Resolve("p1", "ab", AtPlace("c"), 0);
  const DeviceId other = directory.Resolve("p1", "ab", Wire("ab_c"), 0);
  EXPECT_NE(upper, lower);
  EXPECT_NE(place, other);
  std::set<std::string> keys;
  for (const Device& device : directory.devices()) {
    keys.insert(device.key);
    EXPECT_EQ(directory.FindDeviceByKey(device.key)->id, device.id);
  }
  EXPECT_EQ(keys.size(), 4u);
}

TEST(Directory, UpdatesTextsAndForgetsNone) {
  Directory directory;
  DeviceInfo info = Wire("E1");
  info.model = "ISKRA";
  info.manufacturer = "Iskra";
  const DeviceId meter = directory.Resolve("p1", "a", info, 0);
  EXPECT_THAT(directory.TakeChanges().devices, ElementsAre(meter));
  const uint64_t revision = directory.revision();

  EXPECT_EQ(directory.Resolve("p1", "a", info, 0), meter);
  EXPECT_THAT(directory.TakeChanges().devices, IsEmpty());
  EXPECT_EQ(directory.revision(), revision);

  directory.Resolve("p1", "a", Wire("E1"), 0);  // says nothing of the model this time
  EXPECT_EQ(directory.FindDevice(meter)->model, "ISKRA");

  info.firmware = "50";
  directory.Resolve("p1", "a", info, 0);
  info.firmware = "51";
  directory.Resolve("p1", "a", info, 0);
  EXPECT_THAT(directory.TakeChanges().devices, ElementsAre(meter)) << "one entry however often it changed";
  EXPECT_GT(directory.revision(), revision);
  EXPECT_EQ(directory.FindDevice(meter)->firmware, "51");

  const DeviceId gas = directory.Resolve("p1", "a", Wire("G1"), meter);
  EXPECT_EQ(directory.FindDevice(gas)->parent, meter);
}

TEST(Directory, SeriesAreOneFieldOfOneDevice) {
  Directory directory;
  const DeviceId a = directory.Resolve("p1", "a", Wire("A"), 0);
  const DeviceId b = directory.Resolve("p1", "a", Wire("B"), 0);
  const SeriesId power_a = directory.ResolveSeries(a, MakeField("power"));
  const SeriesId power_b = directory.ResolveSeries(b, MakeField("power"));
  EXPECT_NE(power_a, power_b);
  EXPECT_EQ(directory.ResolveSeries(a, MakeField("power")), power_a);
  EXPECT_EQ(directory.FindSeriesByKey("p1_a", "power")->id, power_a);
  EXPECT_EQ(directory.FindSeriesByKey("p1_a", "none"), nullptr);
  EXPECT_EQ(directory.FindSeriesByKey("p1_c", "power"), nullptr);
  EXPECT_THAT(directory.FindDevice(a)->series, ElementsAre(power_a));
  EXPECT_EQ(directory.FindSeries(power_a)->field.StateName(1), "on");
  EXPECT_EQ(directory.FindSeries(power_a)->field.StateName(7), "");
  EXPECT_THAT(directory.TakeChanges().series, ElementsAre(power_a, power_b));

  Field grown = MakeField("power");
  grown.decimals = 1;
  EXPECT_EQ(directory.ResolveSeries(a, grown), power_a);
  EXPECT_THAT(directory.TakeChanges().series, ElementsAre(power_a));
  EXPECT_EQ(directory.FindSeries(power_a)->field.decimals, 1);
  EXPECT_EQ(directory.ResolveSeries(99, MakeField("power")), 0u);
}

TEST(Directory, RestoresWhatItWas) {
  Directory before;
  const DeviceId meter = before.Resolve("p1", "a", Wire("A"), 0);
  const DeviceId place = before.Resolve("p1", "a", AtPlace("channel1"), meter);
  before.ResolveSeries(place, MakeField("volume"));
  before.ResolveSeries(meter, MakeField("power"));
  EXPECT_TRUE(before.SetName(meter, "Main meter", "Hall"));

  Directory after;
  // In any order.
  after.Restore({before.devices().rbegin(), before.devices().rend()},
                {before.series().rbegin(), before.series().rend()});
  EXPECT_THAT(after.TakeChanges().devices, IsEmpty());
  EXPECT_EQ(after.Resolve("p1", "b", Wire("A"), 0), meter);
  EXPECT_EQ(after.Resolve("p1", "a", AtPlace("channel1"), meter), place);
  EXPECT_EQ(after.ResolveSeries(meter, MakeField("power")), 2u);
  EXPECT_EQ(after.FindDevice(meter)->name, "Main meter");
  EXPECT_THAT(after.FindDevice(place)->series, ElementsAre(1u));
  EXPECT_EQ(after.Resolve("p1", "a", Wire("NEW"), 0), 3u);
}

TEST(Directory, NamesAreBounded) {
  Directory directory;
  const DeviceId meter = directory.Resolve("p1", "a", Wire("A"), 0);
  directory.TakeChanges();
  EXPECT_FALSE(directory.SetName(7, "x", ""));
  EXPECT_FALSE(directory.SetName(meter, std::string(kMaxDeviceNameSize + 1, 'x'), ""));
  EXPECT_TRUE(directory.SetName(meter, "", ""));
  EXPECT_THAT(directory.TakeChanges().devices, IsEmpty());
  EXPECT_TRUE(directory.SetName(meter, "x", "y"));
  EXPECT_THAT(directory.TakeChanges().devices, ElementsAre(meter));
}

TEST(Directory, TakesABoundedNumberOfDevicesAndSeries) {
  Directory directory;
  for (size_t i = 0; i < kMaxDevices; ++i) {
    ASSERT_NE(directory.Resolve("p1", "a", Wire("D" + std::to_string(i)), 0), 0u);
  }
  EXPECT_EQ(directory.Resolve("p1", "a", Wire("ONE TOO MANY"), 0), 0u);
  EXPECT_EQ(directory.refused(), 1u);
  EXPECT_EQ(directory.Resolve("p1", "a", Wire("D0"), 0), 1u) << "the known ones are not disturbed";

  for (size_t i = 0; i < kMaxSeries; ++i) {
    const std::string key = "f" + std::to_string(i);
    ASSERT_NE(directory.ResolveSeries(1, MakeField(key.c_str())), 0u);
  }
  EXPECT_EQ(directory.ResolveSeries(1, MakeField("more")), 0u);
  EXPECT_EQ(directory.refused(), 2u);
  EXPECT_EQ(directory.devices().size(), kMaxDevices);
  EXPECT_EQ(directory.series().size(), kMaxSeries);
}

TEST(Directory, TextsOfDevicesAreBounded) {
  Directory directory;
  DeviceInfo info = Wire("A");
  const std::string model = std::string(kMaxDeviceTextSize - 1, 'm') + "é";  // its second byte would be the 129th
  info.model = model;
  const DeviceId meter = directory.Resolve("p1", "a", info, 0);
  EXPECT_EQ(directory.FindDevice(meter)->model, std::string(kMaxDeviceTextSize - 1, 'm'));
  EXPECT_EQ(directory.Resolve("p1", "a", Wire(std::string(kMaxIdentitySize + 1, 'x')), 0), 0u);
  EXPECT_EQ(directory.refused(), 1u);
}

}  // namespace
}  // namespace vesta::hub
