#include "hub/store/thinning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace vesta::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void Add(Thinner& thinner, UtcUs time_us, JournalNumber number, Value value) {
  Record record;
  record.time_us = time_us;
  record.number = number;
  record.value = value;
  thinner.Add(record);
}

std::vector<JournalNumber> Numbers(const RecordBatch& batch) {
  std::vector<JournalNumber> numbers;
  for (const Record& record : batch.records) numbers.push_back(record.number);
  return numbers;
}

TEST(Thinner, KeepsAllWhenTheyFit) {
  Thinner thinner(0, 100, 5);
  for (int i = 0; i < 5; ++i) Add(thinner, i, i + 1, Value::OfInteger(0));
  EXPECT_THAT(Numbers(thinner.Finish()), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(thinner.total(), 5u);
}

TEST(Thinner, KeepsFirstLowestHighestAndLastOfEachSlice) {
  Thinner thinner(0, 200, 8);
  const int values[] = {5, 9, 1, 5, 5, 7};
  for (int i = 0; i < 6; ++i) Add(thinner, i, i + 1, Value::OfInteger(values[i]));
  for (int i = 0; i < 6; ++i) Add(thinner, 100 + i, i + 11, Value::OfInteger(i));  // lowest first, highest last
  EXPECT_THAT(Numbers(thinner.Finish()), ElementsAre(1, 2, 3, 6, 11, 16));
  EXPECT_EQ(thinner.total(), 12u);
}

TEST(Thinner, ComparesExactly) {
  Thinner thinner(0, 100, 4);
  // One apart, beyond what a double tells apart, and with different exponents.
  Add(thinner, 1, 1, Value::OfDecimal(9007199254740993, 0));
  Add(thinner, 2, 2, Value::OfDecimal(9007199254740994, 0));
  Add(thinner, 3, 3, Value::OfDecimal(90071992547409920, -1));
  Add(thinner, 4, 4, Value::OfDecimal(9007199254740993, 0));
  Add(thinner, 5, 5, Value::OfDecimal(9007199254740993, 0));
  EXPECT_THAT(Numbers(thinner.Finish()), ElementsAre(1, 2, 3, 5));
}

TEST(Thinner, TextsAndMissingValuesAreNoExtremes) {
  Thinner thinner(0, 100, 4);
  Add(thinner, 1, 1, Value::OfText({}));
  Add(thinner, 2, 2, Value::None());
  Add(thinner, 3, 3, Value::OfInteger(-3));
  Add(thinner, 4, 4, Value::None());
  Add(thinner, 5, 5, Value::OfInteger(3));
  Add(thinner, 6, 6, Value::OfText({}));
  EXPECT_THAT(Numbers(thinner.Finish()), ElementsAre(1, 3, 5, 6));
}

TEST(Thinner, NeverGivesMoreThanAskedFor) {
  for (size_t points = 0; points < 40; ++points) {
    Thinner thinner(INT64_MIN, INT64_MAX, points);
    for (int i = 0; i < 1000; ++i) {
      const UtcUs time_us = (i - 500) * (INT64_MAX / 501);
      Add(thinner, time_us, i + 1, Value::OfInteger((i * 7919) % 101));
    }
    const std::vector<JournalNumber> picked = Numbers(thinner.Finish());
    EXPECT_LE(picked.size(), points);
    EXPECT_TRUE(std::is_sorted(picked.begin(), picked.end()));
    if (points >= 1) {
      EXPECT_EQ(picked.back(), 1000u);
    }
    if (points >= 2) {
      EXPECT_EQ(picked.front(), 1u);
    }
  }
  EXPECT_THAT(Numbers(Thinner(0, 1, 10).Finish()), IsEmpty());
}

}  // namespace
}  // namespace vesta::hub
