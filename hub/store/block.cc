#include "hub/store/block.h"

#include <algorithm>
#include <unordered_map>

#include "hub/store/column.h"

namespace vesta::hub {
namespace {

// Readings of a frame further from its first than this begin a new arrival, so that the places stay small.
constexpr uint64_t kArrivalNumbers = 4096;

// Reals: bits of each against those of the one before, in planes of bytes, so that equal sign and exponent meet.
void WriteReals(const std::vector<double>& reals, std::string* bytes) {
  uint64_t previous = 0;
  std::vector<uint64_t> changes;
  changes.reserve(reals.size());
  for (const double real : reals) {
    uint64_t bits = 0;
    static_assert(sizeof(bits) == sizeof(real));
    __builtin_memcpy(&bits, &real, sizeof(bits));
    changes.push_back(bits ^ previous);
    previous = bits;
  }
  for (int plane = 0; plane < 8; ++plane) {
    for (const uint64_t change : changes) bytes->push_back(static_cast<char>(change >> (8 * plane)));
  }
}

}  // namespace

int64_t PackMarks(const Record& record) {
  return static_cast<int64_t>(record.value.kind()) | static_cast<int64_t>(record.quality) << 3 |
         static_cast<int64_t>(record.time_quality) << 6 | static_cast<int64_t>(record.flags) << 8 |
         static_cast<int64_t>(record.index) << 16;
}

bool UnpackMarks(int64_t marks, Record* record, ValueKind* kind) {
  if ((marks & 7) > 4 || (marks >> 3 & 7) > 4 || marks >> 32 != 0) return false;
  *kind = static_cast<ValueKind>(marks & 7);
  record->quality = static_cast<ValueQuality>(marks >> 3 & 7);
  record->time_quality = static_cast<TimeQuality>(marks >> 6 & 3);
  record->flags = static_cast<uint8_t>(marks >> 8);
  record->index = static_cast<uint16_t>(marks >> 16);
  return true;
}

uint32_t ArrivalList::Place(const Record& record) {
  const bool same = !arrivals_.empty() && arrivals_.back().received_us == record.received_us &&
                    arrivals_.back().frame == record.frame &&
                    record.number - arrivals_.back().first_number < kArrivalNumbers;
  if (!same) arrivals_.push_back({record.number, record.time_us, record.received_us, record.frame});
  return static_cast<uint32_t>(arrivals_.size() - 1);
}

void AddArrivals(std::span<const Arrival> arrivals, BoxWriter* box, Packer* packer) {
  std::string bytes;
  ByteWriter out(&bytes);
  std::vector<int64_t> column(arrivals.size());
  const auto write = [&](auto value) {
    std::transform(arrivals.begin(), arrivals.end(), column.begin(), value);
    WriteColumn(column, &out);
  };
  write([](const Arrival& arrival) { return static_cast<int64_t>(arrival.first_number); });
  write([](const Arrival& arrival) { return arrival.time_us; });
  write([](const Arrival& arrival) { return WrappingSubtract(arrival.received_us, arrival.time_us); });
  write([](const Arrival& arrival) { return static_cast<int64_t>(arrival.frame); });
  PartEntry entry;
  entry.items = arrivals.size();
  box->Add(entry, bytes, packer);
}

bool ReadArrivals(const BoxReader& box, Packer* packer, std::vector<Arrival>* arrivals) {
  const PartEntry* part = box.Find(0);
  std::string bytes;
  if (part == nullptr || part->items > kMaxBlockRecords || !BoxReader::Unpack(*part, packer, &bytes)) return false;
  ByteReader in(bytes);
  std::vector<int64_t> columns[4];
  for (std::vector<int64_t>& column : columns) {
    if (!ReadColumn(&in, part->items, &column)) return false;
  }
  arrivals->resize(part->items);
  for (size_t i = 0; i < arrivals->size(); ++i) {
    (*arrivals)[i] = {static_cast<JournalNumber>(columns[0][i]), columns[1][i],
                      WrappingAdd(columns[1][i], columns[2][i]), static_cast<FrameId>(columns[3][i])};
  }
  return in.left() == 0;
}

void AddSeriesPart(SeriesId series, std::span<const PlacedRecord> records, std::span<const Arrival> arrivals,
                   BoxWriter* box, Packer* packer) {
  std::string bytes;
  ByteWriter out(&bytes);
  std::vector<int64_t> column(records.size());
  const auto write = [&](auto value) {
    std::transform(records.begin(), records.end(), column.begin(), value);
    WriteColumn(column, &out);
  };
  write([](const PlacedRecord& placed) { return static_cast<int64_t>(placed.arrival); });
  write([&](const PlacedRecord& placed) {
    return static_cast<int64_t>(placed.record->number - arrivals[placed.arrival].first_number);
  });
  write([&](const PlacedRecord& placed) {
    return WrappingSubtract(placed.record->time_us, arrivals[placed.arrival].time_us);
  });
  write([](const PlacedRecord& placed) { return PackMarks(*placed.record); });
  // Values: mantissas, codes, and places in the list of words; exponents, reals and words only when there are any.
  std::vector<int64_t> exponents(records.size());
  std::vector<double> reals;
  std::vector<std::string_view> words;
  std::unordered_map<std::string_view, int64_t> places;
  int64_t previous = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const Value& value = records[i].record->value;
    if (value.kind() == ValueKind::kDecimal) {
      previous = value.decimal().mantissa;
      exponents[i] = value.decimal().exponent;
    } else if (i > 0) {
      exponents[i] = exponents[i - 1];
    }
    if (value.kind() == ValueKind::kState) previous = value.state();
    if (value.kind() == ValueKind::kReal) reals.push_back(value.real());
    if (value.kind() == ValueKind::kText) {
      const auto [place, is_new] = places.emplace(value.text(), static_cast<int64_t>(words.size()));
      if (is_new) words.push_back(value.text());
      previous = place->second;
    }
    column[i] = previous;  // a reading without a number repeats the one before: no jump there and back
  }
  WriteColumn(exponents, &out);
  WriteColumn(column, &out);
  WriteReals(reals, &bytes);
  out.Varint(words.size());
  for (const std::string_view word : words) out.Text(word);
  PartEntry entry;
  entry.owner = series;
  entry.items = records.size();
  entry.first_us = records.front().record->time_us;
  entry.last_us = records.back().record->time_us;
  box->Add(entry, bytes, packer);
}

void SeriesPart::ReleaseWork() {
  for (std::vector<int64_t>& column : columns_) std::vector<int64_t>().swap(column);
  if (words_.empty()) std::string().swap(bytes_);
}

bool SeriesPart::Read(const PartEntry& part, std::span<const Arrival> arrivals, Packer* packer) {
  records_.clear();
  if (part.items == 0 || part.items > kMaxBlockRecords || !BoxReader::Unpack(part, packer, &bytes_)) return false;
  ByteReader in(bytes_);
  auto& [places, offsets, times, marks, exponents] = columns_;
  for (std::vector<int64_t>& column : columns_) {
    if (!ReadColumn(&in, part.items, &column)) return false;
  }
  std::vector<int64_t> values;
  if (!ReadColumn(&in, part.items, &values)) return false;
  size_t reals = 0;
  for (const int64_t mark : marks) reals += (mark & 7) == static_cast<int64_t>(ValueKind::kReal) ? 1 : 0;
  const std::string_view planes = in.Raw(reals * 8);
  const uint64_t words = in.Varint();
  if (!in.ok() || words > in.left()) return false;
  words_.clear();
  for (uint64_t i = 0; i < words; ++i) words_.push_back(in.Text());
  if (!in.ok() || in.left() != 0) return false;

  records_.resize(part.items);
  uint64_t bits = 0;
  size_t real = 0;
  for (size_t i = 0; i < records_.size(); ++i) {
    Record& record = records_[i];
    if (static_cast<uint64_t>(places[i]) >= arrivals.size()) return false;
    const Arrival& arrival = arrivals[static_cast<size_t>(places[i])];
    record.number = arrival.first_number + static_cast<uint64_t>(offsets[i]);
    record.series = static_cast<SeriesId>(part.owner);
    record.time_us = WrappingAdd(arrival.time_us, times[i]);
    record.received_us = arrival.received_us;
    record.frame = arrival.frame;
    ValueKind kind = ValueKind::kNone;
    if (!UnpackMarks(marks[i], &record, &kind)) return false;
    switch (kind) {
      case ValueKind::kNone:
        break;
      case ValueKind::kDecimal:
        record.value = Value::OfDecimal(values[i], static_cast<int8_t>(exponents[i]));
        break;
      case ValueKind::kReal: {
        for (size_t plane = 0; plane < 8; ++plane) {
          bits ^= static_cast<uint64_t>(static_cast<uint8_t>(planes[plane * reals + real])) << (8 * plane);
        }
        ++real;
        double number = 0;
        __builtin_memcpy(&number, &bits, sizeof(number));
        record.value = Value::OfReal(number);
        break;
      }
      case ValueKind::kText:
        if (static_cast<uint64_t>(values[i]) >= words_.size()) return false;
        record.value = Value::OfText(words_[static_cast<size_t>(values[i])]);
        break;
      case ValueKind::kState:
        record.value = Value::OfState(static_cast<uint32_t>(values[i]));
        break;
    }
  }
  return true;
}

}  // namespace vesta::hub
