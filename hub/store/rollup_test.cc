#include "hub/store/rollup.h"

#include <gtest/gtest.h>

#include <random>

#include "hub/store/rollup_part.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kHour_us = 3600 * kUsPerSecond;
constexpr UtcUs kStart_us = 1754899200 * kUsPerSecond;  // a full hour
constexpr Zone kAmsterdam{60, true};

std::vector<RollupBucket> Buckets(const std::vector<Record>& records, RollupLevel level, bool counter) {
  BucketMaker maker(level, kAmsterdam, counter);
  for (const Record& record : records) maker.Add(record);
  return maker.buckets();
}

Record At(int64_t second, Value value) { return MakeRecord(1, 1, kStart_us + second * kUsPerSecond, value); }

std::vector<Record> SomeRecords(uint32_t seed, int kind) {
  std::mt19937 random(seed);
  std::vector<Record> records;
  int64_t time_us = kStart_us + 12345;
  int64_t value = 500;
  for (int i = 0; i < 500; ++i) {
    time_us += static_cast<int64_t>(random() % 90) * kUsPerSecond / (random() % 4 + 1) +
               (random() % 100 == 0 ? 2 * kHour_us : 0);
    value += static_cast<int64_t>(random() % 21) - (kind == 2 ? 0 : 10);
    if (kind == 2 && random() % 80 == 0) value = random() % 2 == 0 ? 1 : value / 2;
    Record record = MakeRecord(1, 1, time_us, Value::OfDecimal(value, static_cast<int8_t>(random() % 3) - 2));
    if (kind == 1) record.value = Value::OfState(static_cast<uint32_t>(random() % 3));
    if (kind == 2) record.value = Value::OfDecimal(value, -3);
    if (random() % 20 == 0) record.quality = ValueQuality::kSuspect;
    if (random() % 20 == 0) record.value = Value::None();
    records.push_back(record);
  }
  return records;
}

TEST(Rollup, AMinuteOfAGauge) {
  const auto buckets = Buckets({At(0, Value::OfDecimal(100, -1)), At(10, Value::OfDecimal(400, -1)),
                                At(40, Value::OfDecimal(50, -1)), At(59, Value::OfDecimal(20, -1))},
                               RollupLevel::kMinute, false);
  ASSERT_EQ(buckets.size(), 1u);
  const RollupBucket& minute = buckets[0];
  EXPECT_EQ(minute.count, 4u);
  EXPECT_EQ(minute.FirstValue(), Value::OfDecimal(100, -1));
  EXPECT_EQ(minute.LastValue(), Value::OfDecimal(20, -1));
  EXPECT_EQ(minute.LowestValue(), Value::OfDecimal(20, -1));
  EXPECT_EQ(minute.HighestValue(), Value::OfDecimal(400, -1));
  EXPECT_EQ(minute.highest_ms, kStart_us / 1000 + 10000);
  EXPECT_DOUBLE_EQ(minute.Mean(), 14.25);
  EXPECT_DOUBLE_EQ(minute.TimeMean(), (10.0 * 10 + 40.0 * 30 + 5.0 * 19) / 59);
  EXPECT_EQ(minute.covered_ms, 59000);
}

TEST(Rollup, ACounterThatRestartsAndOneThatIsSwapped) {
  const auto buckets =
      Buckets({At(0, Value::OfDecimal(1000, -3)), At(1, Value::OfDecimal(1500, -3)), At(2, Value::OfDecimal(3, -3)),
               At(3, Value::OfDecimal(10, -3)), At(4, Value::OfDecimal(800000, -3)),
               At(5, Value::OfDecimal(300000, -3)), At(6, Value::OfDecimal(300005, -3))},
              RollupLevel::kMinute, true);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].restarts, 1u);
  EXPECT_EQ(buckets[0].swaps, 1u);
  EXPECT_EQ(buckets[0].IncreaseValue(), Value::OfDecimal(500 + 3 + 7 + 799990 + 0 + 5, -3));
}

TEST(Rollup, TimeInStatesAndSilence) {
  const auto buckets = Buckets({At(0, Value::OfState(1)), At(20, Value::OfState(2)), At(50, Value::OfState(1)),
                                At(3600 * 3, Value::OfState(1)), At(3600 * 3 + 5, Value::OfState(2))},
                               RollupLevel::kDay, false);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].states, (std::vector<std::pair<uint32_t, int64_t>>{{1, 25000}, {2, 30000}}));
  EXPECT_EQ(buckets[0].covered_ms, 55000) << "hours of silence are no time in a state";
}

TEST(Rollup, BadReadingsAndRepeatsDoNotCount) {
  Record suspect = At(1, Value::OfInteger(900));
  suspect.quality = ValueQuality::kSuspect;
  Record other_index = At(2, Value::OfInteger(5));
  other_index.index = 1;
  const auto buckets = Buckets({At(0, Value::OfInteger(5)), At(0, Value::OfInteger(5)), suspect, At(1, Value::None()),
                                At(2, Value::OfInteger(5)), other_index},
                               RollupLevel::kMinute, false);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].count, 3u);
  EXPECT_EQ(buckets[0].HighestValue(), Value::OfInteger(5));
}

TEST(Rollup, CoarserBucketsAreWhatTheReadingsThemselvesGive) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    for (int kind = 0; kind < 3; ++kind) {
      const auto records = SomeRecords(seed, kind);
      const auto minutes = Buckets(records, RollupLevel::kMinute, kind == 2);
      const auto quarters = Coarser(minutes, RollupLevel::kQuarter, kAmsterdam);
      EXPECT_EQ(quarters, Buckets(records, RollupLevel::kQuarter, kind == 2)) << seed;
      EXPECT_EQ(Coarser(quarters, RollupLevel::kHour, kAmsterdam), Buckets(records, RollupLevel::kHour, kind == 2));
      EXPECT_EQ(Coarser(quarters, RollupLevel::kDay, kAmsterdam), Buckets(records, RollupLevel::kDay, kind == 2));
    }
  }
}

TEST(Rollup, DaysAreThoseOfTheZone) {
  const auto day = [](const char* time) {
    UtcUs us = 0;
    EXPECT_TRUE(ParseIso8601(time, &us));
    const UtcUs start_us = BucketStart(RollupLevel::kDay, us, kAmsterdam);
    return std::pair(start_us, (NextBucket(RollupLevel::kDay, start_us, kAmsterdam) - start_us) / kHour_us);
  };
  UtcUs midnight = 0;
  ASSERT_TRUE(ParseIso8601("2026-03-29T00:00:00+01:00", &midnight));
  EXPECT_EQ(day("2026-03-29T12:00:00+02:00"), std::pair(midnight, int64_t{23}));
  ASSERT_TRUE(ParseIso8601("2026-10-25T00:00:00+02:00", &midnight));
  EXPECT_EQ(day("2026-10-25T23:59:59+01:00"), std::pair(midnight, int64_t{25}));
  ASSERT_TRUE(ParseIso8601("2026-08-11T00:00:00+02:00", &midnight));
  EXPECT_EQ(day("2026-08-10T22:00:00Z"), std::pair(midnight, int64_t{24}));
}

TEST(RollupPart, ComesBackAsItWas) {
  Packer packer;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    for (int kind = 0; kind < 3; ++kind) {
      auto records = SomeRecords(seed, kind);
      if (seed % 2 == 0) records[100].value = Value::OfReal(0.5);
      for (const RollupLevel level : {RollupLevel::kMinute, RollupLevel::kHour}) {
        const auto buckets = Buckets(records, level, kind == 2);
        BoxWriter box;
        AddBucketPart(7, buckets, &box, &packer);
        const std::string bytes = box.Finish();
        BoxReader reader;
        ASSERT_TRUE(reader.Open(bytes));
        std::vector<RollupBucket> read;
        ASSERT_TRUE(ReadBuckets(*reader.Find(7), &packer, &read));
        EXPECT_EQ(read, buckets);
      }
    }
  }
}

}  // namespace
}  // namespace vesta::hub
