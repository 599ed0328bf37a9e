// The buckets of one series in a roll-up row, as a part of a box: column by column, each number as its difference from
// what the others lead to expect, so that a quiet minute costs next to nothing. Format: docs/formats/store.md.
#pragma once

#include <string>
#include <vector>

#include "hub/store/part_box.h"
#include "hub/store/rollup.h"

namespace vesta::hub {

// Buckets in one part; a row of minutes has 60, one of days 31.
inline constexpr size_t kMaxBucketsInPart = 4096;

// At least one bucket, in order of time.
void AddBucketPart(SeriesId series, const std::vector<RollupBucket>& buckets, BoxWriter* box, Packer* packer);

// False: damaged.
bool ReadBuckets(const PartEntry& part, Packer* packer, std::vector<RollupBucket>* buckets);

}  // namespace vesta::hub
