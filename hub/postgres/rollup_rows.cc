#include "hub/postgres/rollup_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "hub/postgres/connection.h"

namespace vesta::hub::postgres {
namespace {

// "1:900000 2:60000": code and milliseconds.
std::string StatesText(const RollupBucket& bucket) {
  std::string text;
  for (const auto& [code, time_ms] : bucket.states) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}:{}", code, time_ms);
  }
  return text;
}

void ReadStates(std::string_view text, RollupBucket* bucket) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::pair<uint32_t, int64_t> state{};
    const auto code = std::from_chars(at, end, state.first);
    if (code.ec != std::errc() || code.ptr == end) return;
    const auto time = std::from_chars(code.ptr + 1, end, state.second);
    if (time.ec != std::errc()) return;
    bucket->states.push_back(state);
    at = time.ptr == end ? end : time.ptr + 1;
  }
}

}  // namespace

void AddBucket(SeriesId series, RollupLevel level, const RollupBucket& bucket, CopyRows* rows) {
  rows->BeginRow(22);
  rows->Integer(static_cast<int32_t>(series));
  rows->Smallint(static_cast<int16_t>(level));
  rows->Time(bucket.start_us);
  rows->Bigint(static_cast<int64_t>(bucket.count));
  rows->Smallint(static_cast<int16_t>(bucket.kind));
  rows->Smallint(bucket.exponent);
  rows->Boolean(bucket.counter);
  for (const int64_t number : {bucket.first, bucket.last, bucket.lowest, bucket.highest, bucket.first_ms,
                               bucket.last_ms, bucket.lowest_ms, bucket.highest_ms}) {
    rows->Bigint(number);
  }
  rows->Wide(bucket.sum);
  rows->Wide(bucket.area);
  rows->Bigint(bucket.covered_ms);
  rows->Bigint(bucket.increase);
  rows->Bigint(static_cast<int64_t>(bucket.restarts));
  rows->Bigint(static_cast<int64_t>(bucket.swaps));
  rows->Text(StatesText(bucket));
}

SeriesId ReadBucket(const Answer& row, RollupBucket* bucket) {
  bucket->start_us = ReadTime(row.Bytes(0, 2));
  bucket->count = static_cast<uint64_t>(ReadBigint(row.Bytes(0, 3)));
  bucket->kind = static_cast<ValueKind>(ReadSmallint(row.Bytes(0, 4)) & 7);
  bucket->exponent = static_cast<int8_t>(ReadSmallint(row.Bytes(0, 5)));
  bucket->counter = row.Bytes(0, 6) == std::string_view("\1", 1);
  int column = 7;
  for (int64_t* const number : {&bucket->first, &bucket->last, &bucket->lowest, &bucket->highest, &bucket->first_ms,
                                &bucket->last_ms, &bucket->lowest_ms, &bucket->highest_ms}) {
    *number = ReadBigint(row.Bytes(0, column++));
  }
  bucket->sum = ReadWide(row.Bytes(0, 15));
  bucket->area = ReadWide(row.Bytes(0, 16));
  bucket->covered_ms = ReadBigint(row.Bytes(0, 17));
  bucket->increase = ReadBigint(row.Bytes(0, 18));
  bucket->restarts = static_cast<uint64_t>(ReadBigint(row.Bytes(0, 19)));
  bucket->swaps = static_cast<uint64_t>(ReadBigint(row.Bytes(0, 20)));
  ReadStates(row.Bytes(0, 21), bucket);
  return static_cast<SeriesId>(ReadInteger(row.Bytes(0, 0)));
}

uint64_t CountOf(const std::vector<RollupBucket>& buckets) {
  uint64_t count = 0;
  for (const RollupBucket& bucket : buckets) count += bucket.count;
  return count;
}

void ReplaceBuckets(UtcUs from_us, UtcUs to_us, const std::vector<RollupBucket>& fresh,
                    std::vector<RollupBucket>* buckets) {
  const auto at = [&](UtcUs start_us) {
    return std::partition_point(buckets->begin(), buckets->end(),
                                [start_us](const RollupBucket& bucket) { return bucket.start_us < start_us; });
  };
  const auto place = buckets->erase(at(from_us), at(to_us));
  buckets->insert(place, fresh.begin(), fresh.end());
}

}  // namespace vesta::hub::postgres
