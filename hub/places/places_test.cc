#include "hub/places/places.h"

#include <gtest/gtest.h>

namespace vesta::hub {
namespace {

constexpr UtcUs kHour_us = 3600 * kUsPerSecond;
constexpr UtcUs kNow_us = 1000 * kHour_us;

TEST(Places, AMoveEndsTheStayBefore) {
  Places places;
  ASSERT_EQ(places.Begin(1, "Bed 1", 10 * kHour_us, "local", kNow_us)->size(), 1u);
  const auto moved = places.Begin(1, "Bed 2", 20 * kHour_us, "token:ward", kNow_us);
  ASSERT_EQ(moved->size(), 2u);
  EXPECT_EQ(moved->at(0).end_us, 20 * kHour_us);
  EXPECT_EQ(moved->at(1).bed, "Bed 2");
  ASSERT_TRUE(places.End(1, 30 * kHour_us, "local", kNow_us));

  EXPECT_EQ(places.At(1, 10 * kHour_us - 1), nullptr);
  EXPECT_EQ(places.At(1, 10 * kHour_us)->bed, "Bed 1");
  EXPECT_EQ(places.At(1, 20 * kHour_us - 1)->bed, "Bed 1");
  EXPECT_EQ(places.At(1, 20 * kHour_us)->bed, "Bed 2");
  EXPECT_EQ(places.At(1, 30 * kHour_us), nullptr);
  EXPECT_EQ(places.At(2, 20 * kHour_us), nullptr);
  EXPECT_EQ(places.Now(1), nullptr);
}

TEST(Places, WhatWasSaidIsNotChanged) {
  Places places;
  EXPECT_FALSE(places.End(1, kNow_us, "local", kNow_us));
  ASSERT_TRUE(places.Begin(1, "Bed 1", 10 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, "Bed 1", 11 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, "Bed 2", 9 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.End(1, 9 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.End(1, kNow_us + kHour_us, "local", kNow_us));
  ASSERT_TRUE(places.End(1, 12 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.End(1, 13 * kHour_us, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, "Bed 2", 11 * kHour_us, "local", kNow_us));
  EXPECT_TRUE(places.Begin(1, "Bed 1", 12 * kHour_us, "local", kNow_us));
  EXPECT_EQ(places.stays().size(), 2u);
}

TEST(Places, RefusesNamesThatAreNone) {
  Places places;
  EXPECT_FALSE(places.Begin(1, "", 0, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, std::string(kMaxBedBytes + 1, 'x'), 0, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, "Bed\n1", 0, "local", kNow_us));
  EXPECT_FALSE(places.Begin(1, "Bed 1", kNow_us + kHour_us, "local", kNow_us));
  EXPECT_TRUE(places.stays().empty());
}

TEST(Places, ComesBackFromTheStore) {
  Places before;
  ASSERT_TRUE(before.Begin(7, "A", 1 * kHour_us, "local", kNow_us));
  ASSERT_TRUE(before.Begin(8, "A", 2 * kHour_us, "local", kNow_us));
  ASSERT_TRUE(before.Begin(7, "B", 3 * kHour_us, "local", kNow_us));
  Places after;
  after.Restore({before.stays().begin(), before.stays().end()});
  EXPECT_EQ(after.Now(7)->bed, "B");
  EXPECT_EQ(after.At(7, 2 * kHour_us)->bed, "A");
  EXPECT_EQ(after.Begin(8, "C", 4 * kHour_us, "local", kNow_us)->at(1).id, 4u);
}

}  // namespace
}  // namespace vesta::hub
