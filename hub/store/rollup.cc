#include "hub/store/rollup.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vesta::hub {
namespace {

constexpr int64_t kMinute_us = 60 * kUsPerSecond;
constexpr int64_t kQuarter_us = 15 * kMinute_us;
constexpr int64_t kHour_us = 60 * kMinute_us;
constexpr int64_t kDay_us = 24 * kHour_us;
// A counter that steps back to at most this part of what it was has restarted.
constexpr int64_t kRestartPart = 100;

double RealOf(int64_t bits) {
  double real = 0;
  std::memcpy(&real, &bits, sizeof(real));
  return real;
}
int64_t BitsOf(double real) {
  int64_t bits = 0;
  std::memcpy(&bits, &real, sizeof(bits));
  return bits;
}

int64_t FloorTo(int64_t time, int64_t step) {
  const int64_t rest = time % step;
  return time - rest - (rest < 0 ? step : 0);
}
int64_t FloorMs(UtcUs time_us) { return FloorTo(time_us, kUsPerMs) / kUsPerMs; }

// Which kind wins when a series changes its kind: numbers over states over texts, reals over decimals.
int Rank(ValueKind kind) {
  switch (kind) {
    case ValueKind::kReal:
      return 4;
    case ValueKind::kDecimal:
      return 3;
    case ValueKind::kState:
      return 2;
    case ValueKind::kText:
      return 1;
    case ValueKind::kNone:
      break;
  }
  return 0;
}

// Puts decimals on a finer scale; false (nothing changed) when one does not fit.
bool Rescale(int exponent, RollupBucket* bucket) {
  const int digits = bucket->exponent - exponent;
  if (digits == 0) return true;
  if (digits > 18) return false;
  int64_t factor = 1;
  for (int i = 0; i < digits; ++i) factor *= 10;
  RollupBucket scaled = *bucket;
  for (int64_t* number : {&scaled.first, &scaled.last, &scaled.lowest, &scaled.highest, &scaled.increase}) {
    if (__builtin_mul_overflow(*number, factor, number)) return false;
  }
  for (Wide* number : {&scaled.sum, &scaled.area}) {
    if (__builtin_mul_overflow(*number, static_cast<Wide>(factor), number)) return false;
  }
  scaled.exponent = static_cast<int8_t>(exponent);
  *bucket = std::move(scaled);
  return true;
}

void MakeReal(RollupBucket* bucket) {
  if (bucket->kind == ValueKind::kReal) return;
  const double scale = std::pow(10.0, bucket->exponent);
  for (int64_t* number : {&bucket->first, &bucket->last, &bucket->lowest, &bucket->highest, &bucket->increase}) {
    *number = BitsOf(static_cast<double>(*number) * scale);
  }
  for (Wide* number : {&bucket->sum, &bucket->area}) *number = BitsOf(static_cast<double>(*number) * scale);
  bucket->kind = ValueKind::kReal;
  bucket->exponent = 0;
}

void AddStateTime(uint32_t code, int64_t time_ms, RollupBucket* bucket) {
  auto place = std::lower_bound(bucket->states.begin(), bucket->states.end(), code,
                                [](const auto& state, uint32_t wanted) { return state.first < wanted; });
  if (place == bucket->states.end() || place->first != code) {
    if (bucket->states.size() >= kMaxStatesInBucket && code != kOtherState) {
      AddStateTime(kOtherState, time_ms, bucket);
      return;
    }
    place = bucket->states.insert(place, {code, 0});
  }
  place->second += time_ms;
}

// The step of a counter from one reading to the next.
template <typename Number>
Number StepOf(Number from, Number to, RollupBucket* bucket) {
  if (to >= from) return to - from;
  if (to >= 0 && to <= from / static_cast<Number>(kRestartPart)) {
    ++bucket->restarts;
    return to;
  }
  ++bucket->swaps;
  return 0;
}

void MergeReals(const RollupBucket& later, int64_t gap_ms, RollupBucket* bucket) {
  const auto add = [](int64_t a, double b) { return BitsOf(RealOf(a) + b); };
  double area = RealOf(static_cast<int64_t>(later.area));
  if (gap_ms > 0) area += RealOf(bucket->last) * static_cast<double>(gap_ms);
  bucket->area = add(static_cast<int64_t>(bucket->area), area);
  bucket->sum = add(static_cast<int64_t>(bucket->sum), RealOf(static_cast<int64_t>(later.sum)));
  if (bucket->counter) {
    bucket->increase =
        add(bucket->increase, StepOf(RealOf(bucket->last), RealOf(later.first), bucket) + RealOf(later.increase));
  }
  if (RealOf(later.lowest) < RealOf(bucket->lowest)) {
    bucket->lowest = later.lowest;
    bucket->lowest_ms = later.lowest_ms;
  }
  if (RealOf(later.highest) > RealOf(bucket->highest)) {
    bucket->highest = later.highest;
    bucket->highest_ms = later.highest_ms;
  }
}

void MergeIntegers(const RollupBucket& later, int64_t gap_ms, RollupBucket* bucket) {
  bucket->sum += later.sum;
  bucket->area += later.area + static_cast<Wide>(bucket->last) * gap_ms;
  if (bucket->counter) {
    const int64_t step = StepOf(bucket->last, later.first, bucket);
    bucket->increase = static_cast<int64_t>(static_cast<uint64_t>(bucket->increase) + static_cast<uint64_t>(step) +
                                            static_cast<uint64_t>(later.increase));
  }
  if (later.lowest < bucket->lowest) {
    bucket->lowest = later.lowest;
    bucket->lowest_ms = later.lowest_ms;
  }
  if (later.highest > bucket->highest) {
    bucket->highest = later.highest;
    bucket->highest_ms = later.highest_ms;
  }
}

// What merging a bucket of one reading does, for the case that is nearly all.
void MergeDecimal(int64_t mantissa, int64_t time_ms, RollupBucket* bucket) {
  const int64_t gap_ms = time_ms - bucket->last_ms;
  const int64_t held_ms = gap_ms <= kMaxHold_ms ? gap_ms : 0;
  ++bucket->count;
  bucket->sum += mantissa;
  bucket->area += static_cast<Wide>(bucket->last) * held_ms;
  bucket->covered_ms += held_ms;
  if (bucket->counter) {
    const int64_t step = StepOf(bucket->last, mantissa, bucket);
    bucket->increase = static_cast<int64_t>(static_cast<uint64_t>(bucket->increase) + static_cast<uint64_t>(step));
  }
  if (mantissa < bucket->lowest) {
    bucket->lowest = mantissa;
    bucket->lowest_ms = time_ms;
  }
  if (mantissa > bucket->highest) {
    bucket->highest = mantissa;
    bucket->highest_ms = time_ms;
  }
  bucket->last = mantissa;
  bucket->last_ms = time_ms;
}

}  // namespace

Value RollupBucket::ValueOf(int64_t number) const {
  switch (kind) {
    case ValueKind::kDecimal:
      return Value::OfDecimal(number, exponent);
    case ValueKind::kReal:
      return Value::OfReal(RealOf(number));
    case ValueKind::kState:
      return Value::OfState(static_cast<uint32_t>(number));
    case ValueKind::kText:
    case ValueKind::kNone:
      break;
  }
  return Value::None();
}

double RollupBucket::Mean() const {
  if (!has_numbers() || count == 0) return 0;
  const auto readings = static_cast<double>(count);
  if (kind == ValueKind::kReal) return RealOf(static_cast<int64_t>(sum)) / readings;
  return static_cast<double>(sum) / readings * std::pow(10.0, exponent);
}

double RollupBucket::TimeMean() const {
  if (!has_numbers() || covered_ms == 0) return Mean();
  const auto covered = static_cast<double>(covered_ms);
  if (kind == ValueKind::kReal) return RealOf(static_cast<int64_t>(area)) / covered;
  return static_cast<double>(area) / covered * std::pow(10.0, exponent);
}

bool operator==(const RollupBucket& a, const RollupBucket& b) {
  return a.start_us == b.start_us && a.count == b.count && a.kind == b.kind && a.exponent == b.exponent &&
         a.counter == b.counter && a.first == b.first && a.last == b.last && a.lowest == b.lowest &&
         a.highest == b.highest && a.first_ms == b.first_ms && a.last_ms == b.last_ms && a.lowest_ms == b.lowest_ms &&
         a.highest_ms == b.highest_ms && a.sum == b.sum && a.area == b.area && a.covered_ms == b.covered_ms &&
         a.increase == b.increase && a.restarts == b.restarts && a.swaps == b.swaps && a.states == b.states;
}

bool CountsInRollups(const Record& record) {
  if (record.quality != ValueQuality::kOk && record.quality != ValueQuality::kDerived) return false;
  if (record.time_us < kRollupFirst_us || record.time_us >= kRollupEnd_us) return false;
  if (record.value.kind() == ValueKind::kReal) return std::isfinite(record.value.real());
  return record.value.kind() != ValueKind::kNone;
}

RollupBucket BucketOf(const Record& record, UtcUs start_us, bool counter) {
  RollupBucket bucket;
  bucket.start_us = start_us;
  bucket.count = 1;
  bucket.kind = record.value.kind();
  bucket.counter = counter;
  switch (bucket.kind) {
    case ValueKind::kDecimal:
      bucket.first = record.value.decimal().mantissa;
      bucket.exponent = record.value.decimal().exponent;
      break;
    case ValueKind::kReal:
      bucket.first = BitsOf(record.value.real());
      break;
    case ValueKind::kState:
      bucket.first = record.value.state();
      break;
    case ValueKind::kText:
    case ValueKind::kNone:
      break;
  }
  bucket.last = bucket.lowest = bucket.highest = bucket.first;
  if (bucket.has_numbers()) bucket.sum = bucket.first;
  bucket.first_ms = bucket.last_ms = bucket.lowest_ms = bucket.highest_ms = FloorMs(record.time_us);
  return bucket;
}

void MergeBucket(const RollupBucket& later, RollupBucket* bucket) {
  const uint64_t count = bucket->count + later.count;
  if (Rank(later.kind) != Rank(bucket->kind) && (!later.has_numbers() || !bucket->has_numbers())) {
    // A series that changed its kind: what is worth less is only counted.
    if (Rank(later.kind) > Rank(bucket->kind)) {
      const UtcUs start_us = bucket->start_us;
      *bucket = later;
      bucket->start_us = start_us;
    }
    bucket->count = count;
    return;
  }
  bucket->count = count;
  RollupBucket scaled;
  const RollupBucket* added = &later;
  if (bucket->kind != later.kind || bucket->exponent != later.exponent) {
    scaled = later;
    added = &scaled;
    const int exponent = std::min(bucket->exponent, later.exponent);
    if (bucket->kind != later.kind || !Rescale(exponent, &scaled) || !Rescale(exponent, bucket)) {
      MakeReal(&scaled);
      MakeReal(bucket);
    }
  }
  const int64_t gap_ms = added->first_ms - bucket->last_ms;
  const int64_t held_ms = gap_ms <= kMaxHold_ms ? gap_ms : 0;
  switch (bucket->kind) {
    case ValueKind::kReal:
      MergeReals(*added, held_ms, bucket);
      break;
    case ValueKind::kDecimal:
      MergeIntegers(*added, held_ms, bucket);
      break;
    case ValueKind::kState:
      if (held_ms > 0) AddStateTime(static_cast<uint32_t>(bucket->last), held_ms, bucket);
      for (const auto& [code, time_ms] : added->states) AddStateTime(code, time_ms, bucket);
      break;
    case ValueKind::kText:
    case ValueKind::kNone:
      break;
  }
  bucket->covered_ms += held_ms + added->covered_ms;
  bucket->restarts += added->restarts;
  bucket->swaps += added->swaps;
  bucket->last = added->last;
  bucket->last_ms = added->last_ms;
}

UtcUs BucketStart(RollupLevel level, UtcUs time_us, const Zone& zone) {
  switch (level) {
    case RollupLevel::kMinute:
      return FloorTo(time_us, kMinute_us);
    case RollupLevel::kQuarter:
      return FloorTo(time_us, kQuarter_us);
    case RollupLevel::kHour:
      return FloorTo(time_us, kHour_us);
    case RollupLevel::kDay:
      break;
  }
  CivilTime local = CivilFromUs(time_us + OffsetUs(zone, time_us));
  local.hour = local.minute = local.second = 0;
  return LocalToUtc(zone, local).utc_us;
}

UtcUs NextBucket(RollupLevel level, UtcUs start_us, const Zone& zone) {
  switch (level) {
    case RollupLevel::kMinute:
      return start_us + kMinute_us;
    case RollupLevel::kQuarter:
      return start_us + kQuarter_us;
    case RollupLevel::kHour:
      return start_us + kHour_us;
    case RollupLevel::kDay:
      break;
  }
  // Days have 23 to 25 hours: the middle of the next one is in it for sure.
  return BucketStart(level, start_us + kDay_us + kDay_us / 2, zone);
}

UtcUs RollupRowStart(RollupLevel level, UtcUs bucket_us) {
  if (level == RollupLevel::kMinute) return FloorTo(bucket_us, kHour_us);
  if (level != RollupLevel::kDay) return FloorTo(bucket_us, kDay_us);
  CivilTime civil = CivilFromUs(bucket_us);
  civil.day = 1;
  civil.hour = civil.minute = civil.second = 0;
  return CivilToUs(civil);
}

void BucketMaker::Add(const Record& record) {
  if (!CountsInRollups(record)) return;
  if (any_ && record.time_us == previous_us_ && record.index == previous_index_ && record.value == previous_value_) {
    return;
  }
  any_ = true;
  previous_us_ = record.time_us;
  previous_index_ = record.index;
  previous_value_ = record.value;
  if (buckets_.empty() || record.time_us >= end_us_) {
    const UtcUs start_us = BucketStart(level_, record.time_us, zone_);
    end_us_ = NextBucket(level_, start_us, zone_);
    buckets_.push_back(BucketOf(record, start_us, counter_));
    return;
  }
  RollupBucket& bucket = buckets_.back();
  if (record.value.kind() == ValueKind::kDecimal && bucket.kind == ValueKind::kDecimal &&
      record.value.decimal().exponent == bucket.exponent) {
    MergeDecimal(record.value.decimal().mantissa, FloorMs(record.time_us), &bucket);
  } else {
    MergeBucket(BucketOf(record, bucket.start_us, counter_), &bucket);
  }
}

std::vector<RollupBucket> Coarser(const std::vector<RollupBucket>& buckets, RollupLevel level, const Zone& zone) {
  std::vector<RollupBucket> coarse;
  UtcUs end_us = INT64_MIN;
  for (const RollupBucket& bucket : buckets) {
    if (coarse.empty() || bucket.start_us >= end_us) {
      coarse.push_back(bucket);
      coarse.back().start_us = BucketStart(level, bucket.start_us, zone);
      end_us = NextBucket(level, coarse.back().start_us, zone);
    } else {
      MergeBucket(bucket, &coarse.back());
    }
  }
  return coarse;
}

}  // namespace vesta::hub
