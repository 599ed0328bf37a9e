// The writer against a real server: values, order, crashes on either side, roll-ups, retention.
#include "hub/postgres/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "hub/postgres/reader.h"
#include "hub/postgres/test_server.h"
#include "hub/postgres/wire.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub::postgres {
namespace {

constexpr UtcUs kNoon_us = 1786449600 * kUsPerSecond;  // 2026-08-11T12:00:00Z
constexpr int64_t kDay_us = 86400 * kUsPerSecond;
constexpr Zone kZone{60, true};

std::pair<std::vector<Device>, std::vector<Series>> SomeSeries(SeriesId count) {
  std::pair<std::vector<Device>, std::vector<Series>> all;
  Device& device = all.first.emplace_back();
  device.id = 1;
  device.key = "p1_meter";
  device.protocol = "p1";
  device.manufacturer = "O'Neil \xff";  // no UTF-8
  for (SeriesId id = 1; id <= count; ++id) {
    Series& one = all.second.emplace_back();
    one.id = id;
    one.device = 1;
    one.field.key = "field_" + std::to_string(id);
    one.field.quantity = Quantity::kEnergy;
    one.field.unit = Unit::kKilowattHour;
    one.field.kind = id == 2 ? FieldKind::kCounter : id == 3 ? FieldKind::kState : FieldKind::kGauge;
    if (id == 3) one.field.states = {{7, "low"}};
  }
  return all;
}

class PostgresWriter : public ::testing::Test {
 protected:
  explicit PostgresWriter(TestServer& server = SharedServer()) : server_(server) {
    static int count = 0;
    schema_ = "vesta_test-" + std::to_string(++count);
  }

  std::unique_ptr<Writer> OpenWriter(const std::string& origin = "one") {
    auto writer = std::make_unique<Writer>(server_.Settings(schema_), origin, kZone);
    const auto opened = writer->Open();
    EXPECT_TRUE(opened.has_value()) << opened.error().text;
    return writer;
  }
  std::unique_ptr<Reader> OpenReader() {
    return std::make_unique<Reader>(server_.Settings(schema_), kZone, nullptr, nullptr);
  }
  void Write(Writer& writer, const std::vector<Record>& records, SeriesId series = 4) {
    RecordBatch batch;
    for (const Record& record : records) batch.Add(record);
    const auto [devices, all] = SomeSeries(series);
    const auto done = writer.Write(batch, devices, all);
    ASSERT_TRUE(done.has_value()) << done.error().text;
  }
  std::string Ask(const std::string& sql) { return server_.Ask(schema_, sql); }

  TestServer& server_;
  std::string schema_;
};

TEST_F(PostgresWriter, GivesBackEveryValueExactly) {
  const auto real = [](double number) { return Value::OfReal(number); };
  const std::vector<Value> values = {Value::OfDecimal(23010, -2),
                                     Value::OfDecimal(0, -3),
                                     Value::OfDecimal(-63, 0),
                                     Value::OfDecimal(5, 3),
                                     Value::OfDecimal(0, 4),
                                     Value::OfDecimal(INT64_MAX, -128),
                                     Value::OfDecimal(INT64_MIN, 0),
                                     Value::OfDecimal(INT64_MIN, -19),
                                     Value::OfDecimal(INT64_MAX, 127),
                                     Value::OfDecimal(10000, -4),
                                     Value::OfDecimal(1, -5),
                                     Value::OfDecimal(99990000, 0),
                                     real(0.1),
                                     real(-0.0),
                                     real(1e-308),
                                     real(1.0 / 3),
                                     real(std::numeric_limits<double>::infinity()),
                                     real(std::nan("")),
                                     Value::OfText("Grüße 'x' \\ \n"),
                                     Value::OfText(""),
                                     Value::OfText(std::string_view("a\0b", 3)),
                                     Value::OfText("\xc3\x28"),
                                     Value::OfText("\xed\xa0\x80"),
                                     Value::OfState(7),
                                     Value::OfState(UINT32_MAX),
                                     Value::None()};
  std::vector<Record> records;
  for (const Value& value : values) {
    Record record = MakeRecord(100 + records.size() * 3, 1, kNoon_us + static_cast<int64_t>(records.size()), value);
    record.index = static_cast<uint16_t>(65535 - records.size());
    record.quality = static_cast<ValueQuality>(records.size() % 5);
    record.time_quality = static_cast<TimeQuality>(records.size() % 4);
    record.flags = static_cast<uint8_t>(records.size() % 4);
    record.frame = records.size() * 1000000007;
    record.received_us = record.time_us - 5;
    records.push_back(record);
  }
  // Times of all kinds: each in its day, the odd ones too.
  const UtcUs times[] = {0, -1, kNoon_us + 400 * kDay_us, INT64_MAX - 1, -3000 * 366 * kDay_us};
  for (const UtcUs time_us : times)
    records.push_back(MakeRecord(1000 + records.size(), 1, time_us, Value::OfInteger(1)));
  auto writer = OpenWriter();
  Write(*writer, records);
  auto reader = OpenReader();
  const auto read = reader->ReadRange(1, INT64_MIN, INT64_MAX, 1000);
  ASSERT_TRUE(read.has_value()) << read.error().text;
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.time_us < b.time_us; });
  ASSERT_EQ(read->records.size(), records.size());
  for (size_t i = 0; i < records.size(); ++i) EXPECT_TRUE(SameRecord(read->records[i], records[i])) << i;
  // As SQL sees them.
  EXPECT_EQ(Ask("SELECT value FROM plain WHERE number = 100"), "230.10");
  EXPECT_EQ(Ask("SELECT value FROM plain WHERE number = 109"), "5000");
  EXPECT_EQ(Ask("SELECT value FROM plain WHERE number = 136"), "0.1");
  EXPECT_EQ(Ask("SELECT text FROM plain WHERE number = 160"), "\\x610062");
  EXPECT_EQ(Ask("SELECT device || ' ' || field || ' ' || unit || ' ' || time FROM plain WHERE number = 100"),
            "p1_meter field_1 kWh 2026-08-11 12:00:00+00");
  EXPECT_EQ(Ask("SELECT count(*) FROM reading_other"), "3");
  EXPECT_EQ(Ask("SELECT manufacturer FROM device"), "O'Neil ?");
}

TEST_F(PostgresWriter, IsTheOnlyOneThatMovesThePosition) {
  auto first = OpenWriter();
  auto second = OpenWriter();
  Write(*first, {MakeRecord(5, 1, kNoon_us, Value::OfInteger(1))});
  RecordBatch batch;
  batch.Add(MakeRecord(5, 1, kNoon_us, Value::OfInteger(1)));
  const auto again = second->Write(batch, {}, {});
  ASSERT_FALSE(again.has_value());
  EXPECT_THAT(again.error().text, ::testing::HasSubstr("somebody else writes"));
  EXPECT_EQ(Ask("SELECT count(*) FROM reading"), "1");
  const auto facts = second->Open();
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->position, 5u);
  EXPECT_EQ(facts->position_series, 1);
  EXPECT_EQ(facts->position_us, kNoon_us);
}

TEST_F(PostgresWriter, RefusesTheHistoryOfAnotherFolder) {
  OpenWriter("one");
  Writer other(server_.Settings(schema_), "two", kZone);
  const auto opened = other.Open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().text, ::testing::HasSubstr("another data folder"));
  server_.Ask(schema_, "UPDATE meta SET value = '2' WHERE name = 'format'");
  Writer older(server_.Settings(schema_), "one", kZone);
  const auto newer = older.Open();
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().kind, StoreErrorKind::kWrongVersion);
}

TEST_F(PostgresWriter, RollsUpAsARecomputationWould) {
  std::mt19937 random(7);
  std::vector<Record> all;
  auto writer = OpenWriter();
  JournalNumber number = 0;
  int64_t counter = 1000;
  for (int batch = 0; batch < 12; ++batch) {
    std::vector<Record> records;
    for (int i = 0; i < 300; ++i) {
      const auto series = static_cast<SeriesId>(1 + random() % 4);
      UtcUs time_us = kNoon_us + (batch * 300 + i) * 20 * kUsPerSecond;
      if (random() % 20 == 0) time_us -= static_cast<int64_t>(random() % 7200) * kUsPerSecond;  // late
      Value value = Value::OfDecimal(static_cast<int64_t>(random() % 1000), -static_cast<int8_t>(random() % 3));
      if (series == 2) value = Value::OfDecimal(random() % 50 == 0 ? counter = 0 : counter += random() % 5, -3);
      if (series == 3) value = Value::OfState(static_cast<uint32_t>(random() % 3));
      if (series == 4) value = Value::OfReal(static_cast<double>(random() % 100) / 4);
      records.push_back(MakeRecord(++number, series, time_us, value));
    }
    Write(*writer, records);
    all.insert(all.end(), records.begin(), records.end());
    if (batch % 3 == 0) {
      while (*writer->RollUp(all.back().time_us)) {
      }
    }
  }
  const auto check = [&](Reader& reader, bool stored) {
    for (SeriesId series = 1; series <= 4; ++series) {
      std::vector<Record> of_series;
      for (const Record& record : all) {
        if (record.series == series) of_series.push_back(record);
      }
      std::stable_sort(of_series.begin(), of_series.end(),
                       [](const Record& a, const Record& b) { return a.time_us < b.time_us; });
      for (int level = 0; level < kRollupLevels; ++level) {
        BucketMaker maker(static_cast<RollupLevel>(level), kZone, series == 2);
        for (const Record& record : of_series) maker.Add(record);
        const auto read = reader.ReadRollups(series, static_cast<RollupLevel>(level), kNoon_us - kDay_us,
                                             kNoon_us + 3 * kDay_us, 100000);
        ASSERT_TRUE(read.has_value()) << read.error().text;
        // Sums of reals depend on the order; the numbers above are quarters, which doubles add exactly.
        EXPECT_EQ(*read, maker.buckets()) << "series " << series << " level " << level << " stored " << stored;
      }
    }
  };
  // Hours that are not rolled up yet are worked out for the answer.
  check(*OpenReader(), false);
  while (*writer->RollUp(kNoon_us + 3 * kDay_us)) {
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM series_hour WHERE due"), "0");
  check(*OpenReader(), true);
  EXPECT_EQ(Ask("SELECT sum(readings) FROM plain_rollup WHERE per = 'hour'"),
            Ask("SELECT sum(readings) FROM plain_rollup WHERE per = 'minute'"));
}

TEST_F(PostgresWriter, DropsDaysAndKeepsRollUps) {
  auto writer = OpenWriter();
  std::vector<Record> records;
  for (int day = 0; day < 10; ++day) {
    for (SeriesId series = 1; series <= 2; ++series) {
      records.push_back(MakeRecord(records.size() + 1, series, kNoon_us + day * kDay_us, Value::OfInteger(day)));
    }
  }
  Write(*writer, records);
  const UtcUs now_us = kNoon_us + 10 * kDay_us;
  ASSERT_TRUE(writer->MakeDaysAhead(now_us).has_value());
  EXPECT_EQ(Ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading'::regclass"), "15");
  while (*writer->RollUp(now_us)) {
  }
  Retention retention = Retention::Readings(5 * kDay_us);
  retention.readings_us[static_cast<size_t>(SeriesClass::kCounter)] = 2 * kDay_us;
  retention.rollups_us = {3 * kDay_us, 0, 0, 0};
  ASSERT_TRUE(writer->Trim(retention, now_us).has_value());
  EXPECT_EQ(Ask("SELECT count(*) FROM reading WHERE series = 1"), "5");
  EXPECT_EQ(Ask("SELECT count(*) FROM reading WHERE series = 2"), "2");
  EXPECT_EQ(Ask("SELECT count(*) FROM rollup WHERE level = 0"), "6");
  EXPECT_EQ(Ask("SELECT count(*) FROM rollup WHERE level = 3"), "20");
  // A reading that comes late to a day that went does not undo what is known of it.
  Write(*writer,
        {MakeRecord(100, 1, kNoon_us, Value::OfInteger(0)), MakeRecord(101, 1, kNoon_us + 1, Value::OfInteger(5))});
  while (*writer->RollUp(now_us)) {
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM rollup WHERE level = 3"), "20");
  ASSERT_TRUE(writer->Trim(retention, now_us).has_value());
  EXPECT_EQ(Ask("SELECT count(*) FROM reading WHERE series = 1"), "5");
  // And by size: all but today's.
  Retention small;
  small.max_bytes = 1;
  ASSERT_TRUE(writer->Trim(small, kNoon_us + 8 * kDay_us).has_value());
  EXPECT_EQ(Ask("SELECT min(time)::date FROM reading"), "2026-08-19");
}

TEST_F(PostgresWriter, ReadsPageByPageWhatCameMeanwhile) {
  auto writer = OpenWriter();
  std::vector<Record> records;
  for (int i = 0; i < 3000; ++i) {
    records.push_back(MakeRecord(i + 1, 1, kNoon_us + i * 10 * kUsPerSecond, Value::OfInteger(i)));
  }
  Write(*writer, records);
  auto reader = OpenReader();
  EXPECT_EQ(reader->ReadRange(1, kNoon_us, kNoon_us + kDay_us, 10000)->records.size(), 3000u);
  // A late one, among hours that the reader has kept.
  Write(*writer, {MakeRecord(4000, 1, kNoon_us + 5, Value::OfInteger(-1))});
  const auto page = reader->ReadRange(1, kNoon_us, kNoon_us + kDay_us, 2);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->records[1].number, 4000u);
  const auto newest = reader->ReadAtOrBefore(1, kNoon_us + 100 * kDay_us);
  ASSERT_TRUE(newest.has_value());
  ASSERT_EQ(newest->records.size(), 1u);
  EXPECT_EQ(newest->records[0].number, 3000u);
  EXPECT_TRUE(reader->ReadAtOrBefore(1, kNoon_us - 1)->records.empty());
  const auto journal = reader->ReadJournal(2999, 10);
  ASSERT_TRUE(journal.has_value());
  ASSERT_EQ(journal->records.size(), 2u);
  EXPECT_EQ(journal->records[1].number, 4000u);
}

// Either side dies at any moment: each batch is there once.
TEST(PostgresCrash, LosesNothingAndTakesNothingTwice) {
  TestServer server({.fsync = true, .password = ""});
  const ServerSettings settings = server.Settings("vesta_crash");
  std::mt19937 random(11);
  const auto [devices, series] = SomeSeries(4);
  std::atomic<bool> stop = false;
  auto writer = std::make_unique<Writer>(settings, "one", kZone, &stop);
  JournalNumber acknowledged = 0;
  const JournalNumber all = 20000;
  constexpr int kCrashes = 5;
  int crashes = 0;
  while (acknowledged < all) {
    const auto facts = writer->Open();
    ASSERT_TRUE(facts.has_value()) << facts.error().text;
    ASSERT_GE(writer->position(), acknowledged) << "an acknowledged batch is gone";
    acknowledged = writer->position();
    const bool is_client_side = crashes % 2 == 0;
    std::thread killer([&, wait_us = random() % 150000] {
      if (crashes == kCrashes) return;
      std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
      is_client_side ? stop.store(true) : server.Kill();
    });
    while (acknowledged < all) {
      RecordBatch batch;
      for (JournalNumber number = acknowledged + 1; number <= std::min(all, acknowledged + 500); ++number) {
        batch.Add(MakeRecord(number, static_cast<SeriesId>(1 + number % 4),
                             kNoon_us + static_cast<int64_t>(number) * kUsPerSecond,
                             Value::OfInteger(static_cast<int64_t>(number))));
      }
      if (!writer->Write(batch, devices, series)) break;
      acknowledged = batch.records.back().number;
      if (!writer->RollUp(batch.records.back().time_us)) break;
    }
    killer.join();
    if (crashes == kCrashes) break;
    ++crashes;
    stop = false;
    writer = std::make_unique<Writer>(settings, "one", kZone, &stop);
    if (!is_client_side) server.Start();
  }
  EXPECT_EQ(acknowledged, all);
  EXPECT_EQ(
      server.Ask("vesta_crash", "SELECT count(*) || ' ' || count(DISTINCT number) || ' ' || sum(value) FROM reading"),
      fmt::format("{0} {0} {1}", all, all * (all + 1) / 2));
  EXPECT_EQ(server.Ask("vesta_crash", "SELECT sum(readings) FROM batch"), std::to_string(all));
  ASSERT_TRUE(writer->Open().has_value());
  while (*writer->RollUp(kNoon_us + 3 * kDay_us)) {
  }
  EXPECT_EQ(server.Ask("vesta_crash", "SELECT sum(readings) FROM rollup WHERE level = 3"), std::to_string(all));
}

TEST(PostgresConnection, NamesTheServerAndNeverThePassword) {
  TestServer server({.fsync = false, .password = "open sesame"});
  ServerSettings settings = server.Settings("public");
  Connection right(settings);
  EXPECT_TRUE(right.Open().has_value());
  settings.password = "wrong secret";
  Connection wrong(settings);
  const auto opened = wrong.Open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().text, ::testing::HasSubstr("password authentication failed"));
  EXPECT_THAT(opened.error().text, ::testing::Not(::testing::HasSubstr("secret")));
  Connection odd({"postgresql://vesta:hunter2@host:port/db", "", "public"});
  const auto unreadable = odd.Open();
  ASSERT_FALSE(unreadable.has_value());
  EXPECT_THAT(unreadable.error().text, ::testing::Not(::testing::HasSubstr("hunter2")));
  EXPECT_EQ(PlaceOfUrl("postgresql://u:p@ss@db.lan:5433/home?sslmode=require"), "db.lan:5433/home");
  EXPECT_EQ(PlaceOfUrl("postgres:///home"), "localhost/home");
}

TEST(PostgresWire, NumericComesBackForAnyDecimal) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const Decimal decimal{static_cast<int64_t>(random()) >> (random() % 64),
                          static_cast<int8_t>(-static_cast<int>(random() % 129))};
    CopyRows rows;
    rows.BeginRow(1);
    rows.Numeric(decimal);
    const std::string_view data = rows.Finish();
    const auto read = ReadNumeric(data.substr(19 + 2 + 4, data.size() - 19 - 2 - 4 - 2));
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->mantissa, decimal.mantissa);
    ASSERT_EQ(read->exponent, decimal.exponent);
  }
}

}  // namespace
}  // namespace vesta::hub::postgres
