// Roll-ups: what a minute, a quarter of an hour, an hour or a day of a series comes to.
//
// A bucket is worked out from the readings with a good value (quality ok or derived) alone, and two neighbours merge
// into what their readings together would give, exactly: so hours are made of quarters, quarters of minutes, and a late
// reading changes one minute and what is made of it. Decimals are summed as integers on one scale; nothing is rounded.
// Times within a bucket are whole milliseconds.
//
// A value holds until the next reading of its series, but at most kMaxHold_ms: silence is no measurement. The mean over
// time and the times in states count the stretches that are so covered.
// A counter's increase adds its steps up. One that steps back to at most a hundredth of what it was has restarted at
// zero: the new value counts. Any other step back is another meter: it adds nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "hub/journal/record.h"
#include "model/calendar.h"

namespace vesta::hub {

__extension__ using Wide = __int128;

enum class RollupLevel : uint8_t { kMinute = 0, kQuarter = 1, kHour = 2, kDay = 3 };
inline constexpr int kRollupLevels = 4;

// Longest that a value counts when no reading follows: a meter that is read every hour has room for being late.
inline constexpr int64_t kMaxHold_ms = 65 * 60 * 1000;
// States told apart in one bucket; the time in those beyond is added to kOtherState.
inline constexpr size_t kMaxStatesInBucket = 32;
inline constexpr uint32_t kOtherState = UINT32_MAX;
// Readings that bear an earlier or later time (1970 to 2200) are in the history, but in no roll-up.
inline constexpr UtcUs kRollupFirst_us = 0;
inline constexpr UtcUs kRollupEnd_us = 7258118400 * kUsPerSecond;

struct RollupBucket {
  UtcUs start_us = 0;
  uint64_t count = 0;  // readings with a good value; 0: an empty bucket
  // Of the numbers below: kDecimal: mantissas at `exponent`; kReal: the bits of doubles; kState: codes; kText: none.
  ValueKind kind = ValueKind::kNone;
  int8_t exponent = 0;
  bool counter = false;
  int64_t first = 0;
  int64_t last = 0;
  int64_t lowest = 0;
  int64_t highest = 0;
  int64_t first_ms = 0;  // since 1970, as the three below
  int64_t last_ms = 0;
  int64_t lowest_ms = 0;
  int64_t highest_ms = 0;
  Wide sum = 0;
  Wide area = 0;           // value times milliseconds, over the covered stretches between first_ms and last_ms
  int64_t covered_ms = 0;  // their length
  int64_t increase = 0;    // of a counter
  uint64_t restarts = 0;
  uint64_t swaps = 0;
  std::vector<std::pair<uint32_t, int64_t>> states;  // code, milliseconds; by code

  bool has_numbers() const { return kind == ValueKind::kDecimal || kind == ValueKind::kReal; }
  Value FirstValue() const { return ValueOf(first); }
  Value LastValue() const { return ValueOf(last); }
  Value LowestValue() const { return ValueOf(lowest); }
  Value HighestValue() const { return ValueOf(highest); }
  Value IncreaseValue() const { return ValueOf(increase); }
  // For charts and texts, as Value::ToDouble. Without readings or numbers: 0.
  double Mean() const;
  // The mean over the covered time; the plain one when nothing is covered.
  double TimeMean() const;

  friend bool operator==(const RollupBucket& a, const RollupBucket& b);

 private:
  Value ValueOf(int64_t number) const;
};

// Whether a reading counts in roll-ups.
bool CountsInRollups(const Record& record);

// A bucket of one reading that counts.
RollupBucket BucketOf(const Record& record, UtcUs start_us, bool counter);

// Adds what comes after. The order of merging makes no difference, but for the last digits of reals.
void MergeBucket(const RollupBucket& later, RollupBucket* bucket);

// Start of the bucket that holds a time, and of the one behind it. Days are those of the zone.
UtcUs BucketStart(RollupLevel level, UtcUs time_us, const Zone& zone);
UtcUs NextBucket(RollupLevel level, UtcUs start_us, const Zone& zone);
// The buckets that stand together in a row: an hour of minutes, a day (UTC) of quarters or hours, a month of days.
UtcUs RollupRowStart(RollupLevel level, UtcUs bucket_us);

// The non-empty buckets of a level, in order, from records in order of time and number. One that repeats the record
// before it (same time, index and value) counts once.
class BucketMaker {
 public:
  BucketMaker(RollupLevel level, const Zone& zone, bool counter) : level_(level), zone_(zone), counter_(counter) {}
  void Add(const Record& record);
  std::vector<RollupBucket>& buckets() { return buckets_; }

 private:
  RollupLevel level_;
  Zone zone_;
  bool counter_;
  UtcUs end_us_ = INT64_MIN;  // of the newest bucket
  bool any_ = false;
  UtcUs previous_us_ = 0;
  uint16_t previous_index_ = 0;
  Value previous_value_;
  std::vector<RollupBucket> buckets_;
};

// Merges buckets, in order, into those of a coarser level.
std::vector<RollupBucket> Coarser(const std::vector<RollupBucket>& buckets, RollupLevel level, const Zone& zone);

}  // namespace vesta::hub
