#include "hub/store/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <map>
#include <random>

#include "hub/store/column.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;

std::string MakeBlock(const std::vector<Record>& records, Packer* packer) {
  ArrivalList list;
  std::map<SeriesId, std::vector<PlacedRecord>> series;
  for (const Record& record : records) series[record.series].push_back({&record, list.Place(record)});
  BoxWriter box;
  AddArrivals(list.arrivals(), &box, packer);
  for (auto& [id, placed] : series) {
    std::stable_sort(placed.begin(), placed.end(), [](const PlacedRecord& a, const PlacedRecord& b) {
      return a.record->time_us < b.record->time_us;
    });
    AddSeriesPart(id, placed, list.arrivals(), &box, packer);
  }
  return box.Finish();
}

// All readings of a block in journal order; false: damaged. The parts keep the texts.
bool ReadBlock(const std::string& block, std::deque<SeriesPart>* parts, std::vector<Record>* records) {
  Packer packer;
  BoxReader box;
  std::vector<Arrival> arrivals;
  if (!box.Open(block) || !ReadArrivals(box, &packer, &arrivals)) return false;
  for (const PartEntry& entry : box.parts()) {
    if (entry.owner == 0) continue;
    if (!parts->emplace_back().Read(entry, arrivals, &packer)) return false;
    records->insert(records->end(), parts->back().records().begin(), parts->back().records().end());
  }
  std::sort(records->begin(), records->end(), [](const Record& a, const Record& b) { return a.number < b.number; });
  return true;
}

Value SomeValue(std::mt19937_64& random, std::deque<std::string>* texts) {
  switch (random() % 12) {
    case 0:
      return Value::None();
    case 1:
      return Value::OfDecimal(static_cast<int64_t>(random()), static_cast<int8_t>(random()));
    case 2:
      return Value::OfReal(std::bit_cast<double>(random()));
    case 3:
      return Value::OfReal(random() % 2 == 0 ? -0.0 : std::numeric_limits<double>::infinity());
    case 4:
      return Value::OfText(texts->emplace_back(random() % 40, static_cast<char>(random())));
    case 5:
      return Value::OfText({});
    case 6:
      return Value::OfState(static_cast<uint32_t>(random()));
    default:
      return Value::OfDecimal(static_cast<int64_t>(random() % 100) - 50, -1);
  }
}

TEST(Block, EveryRecordComesBackAsItWas) {
  Packer packer;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    std::deque<std::string> texts;
    std::vector<Record> records;
    JournalNumber number = random() % 2 == 0 ? random() >> 1 : 1;
    const size_t count = 1 + random() % 300;
    for (size_t i = 0; i < count; ++i) {
      number += 1 + (random() % 10 == 0 ? random() % 10000 : 0);
      Record record = MakeRecord(
          number, static_cast<SeriesId>(1 + random() % 4),
          random() % 50 == 0 ? static_cast<UtcUs>(random()) : kStart_us + static_cast<int64_t>(i / 5 * 1000000),
          SomeValue(random, &texts));
      record.received_us = random() % 20 == 0 ? static_cast<UtcUs>(random()) : kStart_us + static_cast<int64_t>(i / 7);
      record.index = static_cast<uint16_t>(random() % 3 == 0 ? random() : 0);
      record.quality = static_cast<ValueQuality>(random() % 5);
      record.time_quality = static_cast<TimeQuality>(random() % 4);
      record.flags = static_cast<uint8_t>(random() % 4 == 0 ? random() : 0);
      record.frame = random() % 3 == 0 ? random() : 0;
      records.push_back(record);
    }
    const std::string block = MakeBlock(records, &packer);
    std::deque<SeriesPart> parts;
    std::vector<Record> read;
    ASSERT_TRUE(ReadBlock(block, &parts, &read)) << "seed " << seed;
    ASSERT_EQ(read.size(), records.size());
    for (size_t i = 0; i < read.size(); ++i) {
      const Value& a = read[i].value;
      const Value& b = records[i].value;
      if (a.kind() == ValueKind::kReal && b.kind() == ValueKind::kReal) {
        ASSERT_EQ(std::bit_cast<uint64_t>(a.real()), std::bit_cast<uint64_t>(b.real()));
        read[i].value = records[i].value;
      }
      ASSERT_TRUE(SameRecord(read[i], records[i])) << "seed " << seed << " record " << i;
    }
  }
}

// Steady readings with noisy times of receipt: the noise is paid once a frame.
TEST(Block, AnHourOfAMeterIsSmall) {
  Packer packer;
  std::mt19937_64 random(7);
  std::vector<Record> records;
  JournalNumber number = 0;
  int64_t power = 1200;
  for (int second = 0; second < 3600; ++second) {
    const UtcUs time_us = kStart_us + second * kUsPerSecond;
    const UtcUs received_us = time_us + 400000 + static_cast<int64_t>(random() % 5000);
    for (SeriesId series = 1; series <= 28; ++series) {
      if (series == 1) power += static_cast<int64_t>(random() % 11) - 5;
      records.push_back(MakeRecord(++number, series, time_us,
                                   Value::OfDecimal(series == 1 ? power : 5000 + series + second / 600, -3)));
      records.back().received_us = received_us;
    }
  }
  const std::string block = MakeBlock(records, &packer);
  EXPECT_LT(static_cast<double>(block.size()) / static_cast<double>(records.size()), 0.15);
}

TEST(Block, DamageIsFoundAndNeverReadAsGood) {
  Packer packer;
  std::vector<Record> records;
  for (JournalNumber i = 1; i <= 500; ++i) {
    records.push_back(MakeRecord(i, static_cast<SeriesId>(i % 3 + 1), kStart_us + static_cast<int64_t>(i / 3),
                                 Value::OfDecimal(static_cast<int64_t>(i * i), -2)));
  }
  const std::string block = MakeBlock(records, &packer);
  for (size_t at = 0; at < block.size(); ++at) {
    std::string damaged = block;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::deque<SeriesPart> parts;
    std::vector<Record> read;
    EXPECT_FALSE(ReadBlock(damaged, &parts, &read)) << "byte " << at;
    std::deque<SeriesPart> cut_parts;
    read.clear();
    EXPECT_FALSE(ReadBlock(block.substr(0, at), &cut_parts, &read)) << "cut at " << at;
  }
}

TEST(Column, ShortForWhatIsEven) {
  const auto size_of = [](const std::vector<int64_t>& values) {
    std::string bytes;
    ByteWriter out(&bytes);
    WriteColumn(values, &out);
    ByteReader in(bytes);
    std::vector<int64_t> read;
    EXPECT_TRUE(ReadColumn(&in, values.size(), &read));
    EXPECT_EQ(read, values);
    return bytes.size();
  };
  EXPECT_EQ(size_of({}), 2u);
  EXPECT_EQ(size_of(std::vector<int64_t>(1000, 5)), 2u);
  std::vector<int64_t> even;
  for (int64_t i = 0; i < 100; ++i) even.push_back(1754900000000000 + i * 1000000);
  EXPECT_LT(size_of(even), 120u);
  size_of({INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN});
}

}  // namespace
}  // namespace vesta::hub
