// Roll-ups as rows of the table `rollup`: the numbers of a bucket, one by one.
#pragma once

#include <string>
#include <vector>

#include "hub/postgres/wire.h"
#include "hub/store/rollup.h"

namespace vesta::hub::postgres {

inline constexpr char kRollupColumns[] =
    "series, level, start, readings, kind, exponent, counter, first, last, lowest, highest, first_ms, last_ms,"
    " lowest_ms, highest_ms, sum, area, covered_ms, increase, restarts, swaps, states";

void AddBucket(SeriesId series, RollupLevel level, const RollupBucket& bucket, CopyRows* rows);
// From a binary row of kRollupColumns.
SeriesId ReadBucket(const Answer& row, RollupBucket* bucket);

uint64_t CountOf(const std::vector<RollupBucket>& buckets);
// Puts buckets, which lie in from <= start < to, in the place of those that are there.
void ReplaceBuckets(UtcUs from_us, UtcUs to_us, const std::vector<RollupBucket>& fresh,
                    std::vector<RollupBucket>* buckets);

}  // namespace vesta::hub::postgres
