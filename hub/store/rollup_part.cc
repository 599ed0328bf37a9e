#include "hub/store/rollup_part.h"

#include <algorithm>
#include <array>

#include "hub/store/column.h"

namespace vesta::hub {
namespace {

enum Column {
  kStart,
  kCount,
  kKind,  // with the exponent and whether it is a counter
  kFirst,
  kLast,
  kLowest,
  kHighest,
  kFirstTime,
  kLastTime,
  kLowestTime,
  kHighestTime,
  kUncovered,
  kSumLow,
  kSumHigh,
  kAreaLow,
  kAreaHigh,
  kIncrease,
  kRestarts,
  kSwaps,
  kStates,
  kColumns,
};

__extension__ using UnsignedWide = unsigned __int128;

UnsignedWide Zig(Wide value) { return static_cast<UnsignedWide>(value) << 1 ^ static_cast<UnsignedWide>(value >> 127); }
Wide Zag(UnsignedWide value) { return static_cast<Wide>(value >> 1 ^ (~(value & 1) + 1)); }
Wide WideSubtract(Wide a, Wide b) {
  return static_cast<Wide>(static_cast<UnsignedWide>(a) - static_cast<UnsignedWide>(b));
}
Wide WideAdd(Wide a, Wide b) { return static_cast<Wide>(static_cast<UnsignedWide>(a) + static_cast<UnsignedWide>(b)); }
Wide WideMultiply(Wide a, Wide b) {
  return static_cast<Wide>(static_cast<UnsignedWide>(a) * static_cast<UnsignedWide>(b));
}

// What readings at even distances give: each but the last holds as long.
Wide ExpectedArea(const RollupBucket& bucket) {
  if (bucket.count < 2 || bucket.kind != ValueKind::kDecimal) return 0;
  const Wide held = WideMultiply(WideSubtract(bucket.sum, bucket.last), bucket.covered_ms);
  return held / static_cast<Wide>(bucket.count - 1);
}

int64_t ExpectedIncrease(const RollupBucket& bucket) {
  return bucket.counter && bucket.kind == ValueKind::kDecimal ? WrappingSubtract(bucket.last, bucket.first) : 0;
}

// A state that holds throughout needs no list.
bool StatesAreExpected(const RollupBucket& bucket) {
  if (bucket.covered_ms == 0) return bucket.states.empty();
  return bucket.states.size() == 1 && bucket.states[0].first == static_cast<uint32_t>(bucket.last) &&
         bucket.states[0].second == bucket.covered_ms;
}

}  // namespace

void AddBucketPart(SeriesId series, const std::vector<RollupBucket>& buckets, BoxWriter* box, Packer* packer) {
  std::array<std::vector<int64_t>, kColumns> columns;
  for (auto& column : columns) column.reserve(buckets.size());
  std::vector<int64_t> codes;
  std::vector<int64_t> times;
  for (const RollupBucket& bucket : buckets) {
    const bool exact = bucket.kind == ValueKind::kDecimal;
    const int64_t base = exact ? bucket.first : 0;
    const int64_t start_ms = bucket.start_us / kUsPerMs;
    columns[kStart].push_back(start_ms);
    columns[kCount].push_back(static_cast<int64_t>(bucket.count));
    columns[kKind].push_back(static_cast<int64_t>(bucket.kind) | (bucket.counter ? 8 : 0) |
                             static_cast<int64_t>(static_cast<uint8_t>(bucket.exponent)) << 4);
    columns[kFirst].push_back(bucket.first);
    columns[kLast].push_back(WrappingSubtract(bucket.last, base));
    columns[kLowest].push_back(WrappingSubtract(bucket.lowest, base));
    columns[kHighest].push_back(WrappingSubtract(bucket.highest, base));
    columns[kFirstTime].push_back(bucket.first_ms - start_ms);
    columns[kLastTime].push_back(bucket.last_ms - bucket.first_ms);
    columns[kLowestTime].push_back(bucket.lowest_ms - bucket.first_ms);
    columns[kHighestTime].push_back(bucket.highest_ms - bucket.first_ms);
    columns[kUncovered].push_back(bucket.last_ms - bucket.first_ms - bucket.covered_ms);
    const auto sum =
        Zig(WideSubtract(bucket.sum, exact ? WideMultiply(bucket.first, static_cast<Wide>(bucket.count)) : 0));
    columns[kSumLow].push_back(static_cast<int64_t>(sum));
    columns[kSumHigh].push_back(static_cast<int64_t>(sum >> 64));
    const auto area = Zig(WideSubtract(bucket.area, ExpectedArea(bucket)));
    columns[kAreaLow].push_back(static_cast<int64_t>(area));
    columns[kAreaHigh].push_back(static_cast<int64_t>(area >> 64));
    columns[kIncrease].push_back(WrappingSubtract(bucket.increase, ExpectedIncrease(bucket)));
    columns[kRestarts].push_back(static_cast<int64_t>(bucket.restarts));
    columns[kSwaps].push_back(static_cast<int64_t>(bucket.swaps));
    const bool listed = bucket.kind == ValueKind::kState && !StatesAreExpected(bucket);
    columns[kStates].push_back(listed ? static_cast<int64_t>(bucket.states.size()) + 1 : 0);
    if (!listed) continue;
    for (const auto& [code, time_ms] : bucket.states) {
      codes.push_back(code);
      times.push_back(time_ms);
    }
  }
  std::string bytes;
  ByteWriter out(&bytes);
  uint64_t present = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (std::any_of(columns[i].begin(), columns[i].end(), [](int64_t value) { return value != 0; })) {
      present |= uint64_t{1} << i;
    }
  }
  out.Varint(present);
  for (size_t i = 0; i < columns.size(); ++i) {
    if ((present >> i & 1) != 0) WriteColumn(columns[i], &out);
  }
  if (!codes.empty()) {
    WriteColumn(codes, &out);
    WriteColumn(times, &out);
  }
  PartEntry entry;
  entry.owner = series;
  entry.items = buckets.size();
  entry.first_us = buckets.front().start_us;
  entry.last_us = buckets.back().start_us;
  box->Add(entry, bytes, packer);
}

bool ReadBuckets(const PartEntry& part, Packer* packer, std::vector<RollupBucket>* buckets) {
  buckets->clear();
  std::string bytes;
  if (part.items > kMaxBucketsInPart || !BoxReader::Unpack(part, packer, &bytes)) return false;
  ByteReader in(bytes);
  std::array<std::vector<int64_t>, kColumns> columns;
  const uint64_t present = in.Varint();
  for (size_t i = 0; i < columns.size(); ++i) {
    if ((present >> i & 1) == 0) {
      columns[i].assign(part.items, 0);
    } else if (!ReadColumn(&in, part.items, &columns[i])) {
      return false;
    }
  }
  size_t listed = 0;
  for (const int64_t states : columns[kStates]) {
    if (states < 0 || states > static_cast<int64_t>(kMaxStatesInBucket) + 2) return false;
    if (states > 0) listed += static_cast<size_t>(states - 1);
  }
  std::vector<int64_t> codes;
  std::vector<int64_t> times;
  if (listed > 0 && (!ReadColumn(&in, listed, &codes) || !ReadColumn(&in, listed, &times))) return false;
  if (!in.ok() || in.left() != 0) return false;
  buckets->resize(part.items);
  size_t next = 0;
  for (size_t i = 0; i < buckets->size(); ++i) {
    RollupBucket& bucket = (*buckets)[i];
    const int64_t start_ms = columns[kStart][i];
    if ((columns[kKind][i] & 7) > 4 || columns[kKind][i] >> 12 != 0 || columns[kCount][i] <= 0) return false;
    if (start_ms < kRollupFirst_us / kUsPerMs || start_ms >= kRollupEnd_us / kUsPerMs) return false;
    bucket.start_us = start_ms * kUsPerMs;
    bucket.count = static_cast<uint64_t>(columns[kCount][i]);
    bucket.kind = static_cast<ValueKind>(columns[kKind][i] & 7);
    bucket.counter = (columns[kKind][i] & 8) != 0;
    bucket.exponent = static_cast<int8_t>(columns[kKind][i] >> 4);
    const bool exact = bucket.kind == ValueKind::kDecimal;
    const int64_t base = exact ? columns[kFirst][i] : 0;
    bucket.first = columns[kFirst][i];
    bucket.last = WrappingAdd(columns[kLast][i], base);
    bucket.lowest = WrappingAdd(columns[kLowest][i], base);
    bucket.highest = WrappingAdd(columns[kHighest][i], base);
    bucket.first_ms = WrappingAdd(start_ms, columns[kFirstTime][i]);
    bucket.last_ms = WrappingAdd(bucket.first_ms, columns[kLastTime][i]);
    bucket.lowest_ms = WrappingAdd(bucket.first_ms, columns[kLowestTime][i]);
    bucket.highest_ms = WrappingAdd(bucket.first_ms, columns[kHighestTime][i]);
    bucket.covered_ms = WrappingSubtract(columns[kLastTime][i], columns[kUncovered][i]);
    const auto wide = [&](Column low, Column high) {
      return Zag(static_cast<UnsignedWide>(static_cast<uint64_t>(columns[high][i])) << 64 |
                 static_cast<uint64_t>(columns[low][i]));
    };
    bucket.sum =
        WideAdd(wide(kSumLow, kSumHigh), exact ? WideMultiply(bucket.first, static_cast<Wide>(bucket.count)) : 0);
    bucket.area = WideAdd(wide(kAreaLow, kAreaHigh), ExpectedArea(bucket));
    bucket.increase = WrappingAdd(columns[kIncrease][i], ExpectedIncrease(bucket));
    bucket.restarts = static_cast<uint64_t>(columns[kRestarts][i]);
    bucket.swaps = static_cast<uint64_t>(columns[kSwaps][i]);
    if (columns[kStates][i] == 0) {
      if (bucket.kind == ValueKind::kState && bucket.covered_ms != 0) {
        bucket.states.emplace_back(static_cast<uint32_t>(bucket.last), bucket.covered_ms);
      }
      continue;
    }
    for (int64_t state = 1; state < columns[kStates][i]; ++state, ++next) {
      bucket.states.emplace_back(static_cast<uint32_t>(codes[next]), times[next]);
    }
  }
  return true;
}

}  // namespace vesta::hub
