#include "hub/live/live_view.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vesta::hub {
namespace {

constexpr Field kPower = {"power", Quantity::kPower, Unit::kKilowatt, 3, FieldKind::kGauge};
constexpr Field kEnergy = {"energy", Quantity::kEnergy, Unit::kKilowattHour, 3, FieldKind::kCounter};
constexpr Field kFirmware = {"firmware", Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow};

class LiveViewTest : public testing::Test {
 protected:
  void SetUp() override {
    DeviceInfo info;
    info.identity = "E1";
    info.identity_on_wire = true;
    info.kind = DeviceKind::kElectricityMeter;
    device_ = directory_.Resolve("p1", "meter", info, 0);
    power_ = directory_.ResolveSeries(device_, kPower);
    energy_ = directory_.ResolveSeries(device_, kEnergy);
    firmware_ = directory_.ResolveSeries(device_, kFirmware);
  }

  // As the intake does it.
  ValueQuality Hear(SeriesId series, Value value) {
    Record record;
    record.series = series;
    record.value = value;
    record.time_us = clock_.Read().utc_us;
    record.received_us = record.time_us;
    record.quality = live_.Judge(record);
    live_.Accept(record);
    live_.Heard(device_);
    return record.quality;
  }

  ManualClock clock_{1'700'000'000 * kUsPerSecond};
  Directory directory_;
  LiveView live_{clock_, directory_};
  DeviceId device_ = 0;
  SeriesId power_ = 0;
  SeriesId energy_ = 0;
  SeriesId firmware_ = 0;
};

TEST_F(LiveViewTest, StaleAfterThreeLearnedIntervalsButNotBeforeAMinute) {
  for (int i = 0; i < 6; ++i) {
    Hear(power_, Value::OfDecimal(500 + i, -3));
    clock_.Advance(kUsPerSecond);
  }
  EXPECT_EQ(live_.SeriesIntervalUs(power_), kUsPerSecond);
  clock_.Advance(58 * kUsPerSecond);
  live_.Tick();
  EXPECT_TRUE(live_.Find(power_)->fresh);
  EXPECT_EQ(live_.DeviceAvailability(device_), Availability::kOnline);
  clock_.Advance(2 * kUsPerSecond);
  live_.Tick();
  EXPECT_FALSE(live_.Find(power_)->fresh);
  EXPECT_EQ(live_.DeviceAvailability(device_), Availability::kOffline);
}

TEST_F(LiveViewTest, SlowValuesLiveWithTheirDevice) {
  std::vector<std::string> seen;
  auto token = live_.Listen({[&](const Series& series, const LiveValue& value) {
                               seen.push_back(series.field.key + (value.fresh ? "+" : "-"));
                             },
                             {},
                             {}});
  Hear(firmware_, Value::OfText("1.0"));
  for (int i = 0; i < 300; ++i) {
    clock_.Advance(kUsPerSecond);
    Hear(power_, Value::OfDecimal(1, 0));
    live_.Tick();
  }
  EXPECT_TRUE(live_.Find(firmware_)->fresh);
  clock_.Advance(100 * kUsPerSecond);
  live_.Tick();
  EXPECT_FALSE(live_.Find(firmware_)->fresh);
  seen.clear();
  Hear(power_, Value::OfDecimal(2, 0));
  EXPECT_EQ(seen, (std::vector<std::string>{"power+", "firmware+"}));
  EXPECT_EQ(live_.Find(firmware_)->record.value.text(), "1.0");
}

// A text that fits into std::string itself moves with its entry.
TEST_F(LiveViewTest, ATextStaysWhatItIsWhenMoreSeriesCome) {
  static const std::vector<std::string> kKeys = [] {
    std::vector<std::string> keys(200);
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = "text_" + std::to_string(i);
    return keys;
  }();
  std::vector<SeriesId> series;
  for (const std::string& key : kKeys) {
    series.push_back(directory_.ResolveSeries(
        device_, {key.c_str(), Quantity::kIdentifier, Unit::kNone, 0, FieldKind::kText, Pace::kSlow}));
    Hear(series.back(), Value::OfText(key));
  }
  for (size_t i = 0; i < series.size(); ++i) EXPECT_EQ(live_.Find(series[i])->record.value.text(), kKeys[i]);
}

TEST_F(LiveViewTest, OneLowCounterIsHeldBackAndNeverShown) {
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(2157, -1)), ValueQuality::kOk);
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(2156, -1)), ValueQuality::kSuspect);
  EXPECT_EQ(live_.Find(energy_)->record.value, Value::OfDecimal(2157, -1));
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(2158, -1)), ValueQuality::kOk);
  EXPECT_EQ(live_.guard().held, 1u);
}

TEST_F(LiveViewTest, ATrueRestartIsTakenAtTheSecondReading) {
  Hear(energy_, Value::OfDecimal(2157, -1));
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(0, 0)), ValueQuality::kSuspect);
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(1, -3)), ValueQuality::kOk);
  EXPECT_EQ(live_.Find(energy_)->record.value, Value::OfDecimal(1, -3));
}

TEST_F(LiveViewTest, ALowerCounterThatInsistsIsTakenAfterAMinute) {
  Hear(energy_, Value::OfDecimal(2157, -1));
  int taken_after_s = 0;
  for (int s = 0; s < 200 && taken_after_s == 0; s += 10) {
    if (Hear(energy_, Value::OfDecimal(1500, -1)) == ValueQuality::kOk) taken_after_s = s;
    clock_.Advance(10 * kUsPerSecond);
  }
  EXPECT_EQ(taken_after_s, 60);
}

TEST_F(LiveViewTest, RestoredValuesAreShownButNotFreshAndGuardTheCounter) {
  RecordBatch latest;
  Record record;
  record.series = energy_;
  record.value = Value::OfDecimal(1000, 0);
  latest.Add(record);
  live_.Restore(latest);
  ASSERT_NE(live_.Find(energy_), nullptr);
  EXPECT_FALSE(live_.Find(energy_)->fresh);
  EXPECT_EQ(Hear(energy_, Value::OfDecimal(999, 0)), ValueQuality::kSuspect);
}

TEST_F(LiveViewTest, LateReadingsChangeNothing) {
  Hear(power_, Value::OfDecimal(5, 0));
  Record late;
  late.series = power_;
  late.flags = kReadingLate;
  late.value = Value::OfDecimal(9, 0);
  live_.Accept(late);
  EXPECT_EQ(live_.Find(power_)->record.value, Value::OfDecimal(5, 0));
}

TEST_F(LiveViewTest, AStepOfTheWallClockDoesNotFreezeTheValue) {
  Hear(power_, Value::OfDecimal(5, 0));
  clock_.StepUtc(-3600 * kUsPerSecond);
  clock_.Advance(kUsPerSecond);
  Hear(power_, Value::OfDecimal(6, 0));
  EXPECT_EQ(live_.Find(power_)->record.value, Value::OfDecimal(6, 0));
  live_.Tick();
  EXPECT_TRUE(live_.Find(power_)->fresh);
}

TEST(IntervalLearner, MedianWithstandsAnOutage) {
  IntervalLearner learner;
  int64_t t = 0;
  for (int i = 0; i < 5; ++i) learner.Add(t += 10 * kUsPerSecond);
  learner.Add(t += 4000 * kUsPerSecond);
  learner.Add(t += 10 * kUsPerSecond);
  EXPECT_EQ(learner.interval_us(), 10 * kUsPerSecond);
}

TEST(IntervalLearner, UnknownUntilThreeGaps) {
  IntervalLearner learner;
  learner.Add(1);
  learner.Add(kUsPerSecond);
  learner.Add(2 * kUsPerSecond);
  EXPECT_EQ(learner.interval_us(), std::nullopt);
}

}  // namespace
}  // namespace vesta::hub
