#include "hub/store/thinning.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vesta::hub {
namespace {

constexpr size_t kPointsPerSlice = 4;

bool HasOrder(const Value& value) {
  if (value.kind() == ValueKind::kReal) return !std::isnan(value.real());
  return value.kind() == ValueKind::kDecimal || value.kind() == ValueKind::kState;
}

bool Less(const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kDecimal && b.kind() == ValueKind::kDecimal) {
    const Decimal x = a.decimal();
    const Decimal y = b.decimal();
    return x.exponent == y.exponent ? x.mantissa < y.mantissa : Compare(x, y) < 0;
  }
  return a.ToDouble() < b.ToDouble();
}

}  // namespace

Thinner::Thinner(UtcUs from_us, UtcUs to_us, size_t points_max)
    : from_us_(from_us),
      span_us_(static_cast<uint64_t>(to_us) - static_cast<uint64_t>(from_us)),
      points_max_(points_max),
      slices_(std::max<size_t>(1, points_max / kPointsPerSlice)) {}

void Thinner::Add(const Record& record) {
  ++total_;
  if (total_ <= points_max_) {
    all_.Add(record);
  } else if (!all_.records.empty()) {
    all_ = {};
  }
  const uint64_t offset_us = static_cast<uint64_t>(record.time_us) - static_cast<uint64_t>(from_us_);
  const auto slice = static_cast<uint64_t>(static_cast<unsigned __int128>(offset_us) * slices_ / span_us_);
  if (slice != slice_) {
    EndSlice();
    slice_ = slice;
  }
  const auto set = [&](Point* point) {
    point->place = total_;
    point->record = record;
    if (record.value.kind() == ValueKind::kText) point->text = record.value.text();
  };
  if (first_.place == 0) set(&first_);
  set(&last_);
  if (!HasOrder(record.value)) return;
  if (lowest_.place == 0 || Less(record.value, lowest_.record.value)) set(&lowest_);
  if (highest_.place == 0 || Less(highest_.record.value, record.value)) set(&highest_);
}

void Thinner::EndSlice() {
  // In the order in which they are given up when not even four points fit.
  std::array<const Point*, kPointsPerSlice> points{&last_, &first_, &highest_, &lowest_};
  const size_t fits = std::min(points.size(), points_max_);
  std::sort(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(fits),
            [](const Point* a, const Point* b) { return a->place < b->place; });
  uint64_t previous = 0;
  for (size_t i = 0; i < fits; ++i) {
    if (points[i]->place == previous) continue;  // also those that are none
    previous = points[i]->place;
    Record record = points[i]->record;
    if (record.value.kind() == ValueKind::kText) record.value = Value::OfText(points[i]->text);
    picked_.Add(record);
  }
  first_.place = lowest_.place = highest_.place = last_.place = 0;
}

RecordBatch Thinner::Finish() {
  if (total_ <= points_max_) return std::move(all_);
  EndSlice();
  return std::move(picked_);
}

}  // namespace vesta::hub
