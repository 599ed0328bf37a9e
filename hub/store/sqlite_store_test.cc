#include "hub/store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "hub/store/sqlite_schema.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;

class SqliteStoreTest : public ::testing::Test {
 protected:
  void Open(SqliteStoreOptions options = {}) {
    store_.reset();
    store_ = OpenStore(path_, std::move(options));
    ASSERT_NE(store_, nullptr);
  }
  std::unique_ptr<StoreReader> Reader() {
    auto reader = store_->OpenReader();
    EXPECT_TRUE(reader.has_value());
    return std::move(*reader);
  }
  void Commit(const CommitUnit& unit) {
    const auto done = store_->Commit(unit);
    ASSERT_TRUE(done.has_value()) << done.error().text;
  }
  void CommitRecords(const std::vector<Record>& records) {
    CommitUnit unit;
    unit.batches.emplace_back();
    for (const Record& record : records) unit.batches.back().Add(record);
    Commit(unit);
  }
  // Counts rows through another connection, as a user would with sqlite3.
  int64_t Count(const std::string& sql) {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READONLY, "");
    return db->Integer(sql.c_str()).value();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("vesta.db");
  std::unique_ptr<SqliteStore> store_;
};

std::vector<JournalNumber> Numbers(const RecordBatch& batch) {
  std::vector<JournalNumber> numbers;
  for (const Record& record : batch.records) numbers.push_back(record.number);
  return numbers;
}

TEST_F(SqliteStoreTest, KeepsEveryKindOfValueExactly) {
  Open();
  const std::string text("a\0b\xFF\n'", 6);
  const Value values[] = {
      Value::None(),
      Value::OfDecimal(23010, -2),
      Value::OfDecimal(2301, -1),
      Value::OfDecimal(0, -3),
      Value::OfDecimal(INT64_MAX, 127),
      Value::OfDecimal(INT64_MIN, -128),
      Value::OfReal(0.1),
      Value::OfReal(-0.0),
      Value::OfReal(5.0),
      Value::OfReal(std::numeric_limits<double>::infinity()),
      Value::OfReal(std::nan("")),
      Value::OfReal(5e-324),
      Value::OfText(""),
      Value::OfText(text),
      Value::OfState(0),
      Value::OfState(UINT32_MAX),
  };
  std::vector<Record> records;
  for (const Value& value : values) {
    Record record = MakeRecord(records.size() + 1, 1, kStart_us + static_cast<int64_t>(records.size()), value);
    record.index = static_cast<uint16_t>(65535 - records.size());
    record.quality = static_cast<ValueQuality>(records.size() % 5);
    record.time_quality = static_cast<TimeQuality>(records.size() % 4);
    record.flags = static_cast<uint8_t>(records.size() * 17);
    record.frame = records.size() % 2 == 0 ? 0 : uint64_t{1} << 40;
    records.push_back(record);
  }
  records.push_back(MakeRecord(1000, 2, INT64_MIN, Value::OfInteger(1)));
  records.back().received_us = INT64_MAX;
  CommitRecords(records);
  for (int reopened = 0; reopened < 2; ++reopened) {
    const auto batch = Reader()->ReadJournal(0, 1000);
    ASSERT_TRUE(batch.has_value());
    ASSERT_EQ(batch->records.size(), records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_TRUE(SameRecord(batch->records[i], records[i])) << "record " << i;
    }
    EXPECT_EQ(std::signbit(batch->records[7].value.real()), true);
    Open();
  }
}

TEST_F(SqliteStoreTest, RestoresDevicesSeriesAndPositions) {
  Open();
  CommitUnit unit;
  Device device;
  device.id = 1;
  device.key = "p1_e1";
  device.protocol = "p1";
  device.source = "hall";
  device.identity = std::string("E\0/1", 4);
  device.identity_on_wire = true;
  device.kind = DeviceKind::kSensor;
  device.manufacturer = "m'; DROP TABLE device; --";
  device.name = "Zähler";
  unit.devices = {device, device};
  unit.devices[1].id = 2;
  unit.devices[1].key = "p1_e2";
  unit.devices[1].parent = 1;
  Series series;
  series.id = 1;
  series.device = 2;
  series.field.key = "state";
  series.field.quantity = Quantity::kPresence;
  series.field.unit = Unit::kUnixSecond;
  series.field.decimals = -3;
  series.field.kind = FieldKind::kState;
  series.field.pace = Pace::kSlow;
  series.field.diagnostic = true;
  series.field.states = {{0, "off"}, {7, "on"}};
  unit.series = {series};
  unit.positions = {{"mqtt", 5}, {"a b", 7}};
  unit.reserved_numbers_end = 100;
  unit.reserved_frames_end = 200;
  Commit(unit);
  // A change replaces.
  unit = {};
  unit.devices = {device};
  unit.devices[0].firmware = "2";
  series.field.states = {{7, "active"}};
  unit.series = {series};
  unit.positions = {{"mqtt", 6}};
  Commit(unit);

  Open();
  const auto state = store_->Restore();
  ASSERT_TRUE(state.has_value()) << state.error().text;
  ASSERT_EQ(state->devices.size(), 2u);
  EXPECT_EQ(state->devices[0].identity, device.identity);
  EXPECT_EQ(state->devices[0].manufacturer, device.manufacturer);
  EXPECT_EQ(state->devices[0].firmware, "2");
  EXPECT_EQ(state->devices[0].kind, DeviceKind::kSensor);
  EXPECT_TRUE(state->devices[0].identity_on_wire);
  EXPECT_EQ(state->devices[1].parent, 1u);
  EXPECT_THAT(state->devices[1].series, ElementsAre(1u));
  ASSERT_EQ(state->series.size(), 1u);
  EXPECT_TRUE(state->series[0].field == series.field);
  EXPECT_THAT(state->positions, ElementsAre(Pair("a b", 7), Pair("mqtt", 6)));
  EXPECT_EQ(state->reserved_numbers_end, 100u);
  EXPECT_EQ(state->reserved_frames_end, 200u);
  EXPECT_EQ(state->last_number, 7u) << "a position knows of readings that were trimmed";
}

TEST_F(SqliteStoreTest, EveryEnumeratorSurvives) {
  Open();
  CommitUnit unit;
  unit.devices.resize(static_cast<size_t>(DeviceKind::kCountOfDeviceKinds));
  for (size_t i = 0; i < unit.devices.size(); ++i) {
    unit.devices[i].id = static_cast<DeviceId>(i + 1);
    unit.devices[i].key = std::to_string(i);
    unit.devices[i].kind = static_cast<DeviceKind>(i);
  }
  unit.series.resize(static_cast<size_t>(Quantity::kCountOfQuantities));
  for (size_t i = 0; i < unit.series.size(); ++i) {
    unit.series[i].id = static_cast<SeriesId>(i + 1);
    unit.series[i].device = 1;
    unit.series[i].field.key = std::to_string(i);
    unit.series[i].field.quantity = static_cast<Quantity>(i);
    unit.series[i].field.unit = static_cast<Unit>(i % static_cast<size_t>(Unit::kCountOfUnits));
    unit.series[i].field.kind = static_cast<FieldKind>(i % 5);
  }
  Commit(unit);
  const auto state = store_->Restore();
  ASSERT_TRUE(state.has_value());
  for (size_t i = 0; i < unit.devices.size(); ++i) EXPECT_EQ(state->devices[i].kind, unit.devices[i].kind);
  for (size_t i = 0; i < unit.series.size(); ++i) EXPECT_TRUE(state->series[i].field == unit.series[i].field) << i;
}

CommitUnit TwoSeries() {
  CommitUnit unit;
  unit.devices.resize(1);
  unit.devices[0].id = 1;
  unit.devices[0].key = "d";
  unit.series.resize(2);
  for (SeriesId id = 1; id <= 2; ++id) {
    unit.series[id - 1].id = id;
    unit.series[id - 1].device = 1;
    unit.series[id - 1].field.key = std::to_string(id);
  }
  return unit;
}

TEST_F(SqliteStoreTest, RestoresTheLatestByTimeWithoutLateAndSuspectOnes) {
  Open(SmallFolds());
  Commit(TwoSeries());
  Record newest = MakeRecord(1, 1, kStart_us + 50, Value::OfText("newest"));
  Record late = MakeRecord(2, 1, kStart_us + 60, Value::OfInteger(2));
  late.flags = kReadingLate;
  Record suspect = MakeRecord(3, 1, kStart_us + 70, Value::OfInteger(3));
  suspect.quality = ValueQuality::kSuspect;
  CommitRecords({newest, late, suspect, MakeRecord(4, 1, kStart_us + 10, Value::OfInteger(4)),
                 MakeRecord(5, 2, kStart_us, Value::OfInteger(5))});
  // Once in the tail, once folded with newer readings of the other series behind it.
  for (int folded = 0; folded < 2; ++folded) {
    const auto state = store_->Restore();
    ASSERT_TRUE(state.has_value());
    ASSERT_EQ(state->latest.records.size(), 2u);
    EXPECT_TRUE(SameRecord(state->latest.records[0], newest));
    EXPECT_EQ(state->latest.records[1].series, 2u);
    if (folded == 1) break;
    std::vector<Record> many;
    for (uint64_t i = 0; i < 350; ++i) {
      many.push_back(MakeRecord(10 + i, 2, kStart_us + static_cast<int64_t>(i), Value::OfInteger(0)));
    }
    CommitRecords(many);
    FoldAll(*store_);
    EXPECT_EQ(Count("SELECT count(*) FROM block"), 3);
  }
}

TEST_F(SqliteStoreTest, AUnitIsWholeOrAbsentAndMayBeTriedAgain) {
  Open();
  CommitUnit unit = TwoSeries();
  unit.batches.emplace_back();
  unit.batches.back().Add(MakeRecord(1, 1, kStart_us, Value::OfInteger(1)));
  unit.frames.resize(2);
  unit.frames[0].id = 1;
  unit.frames[1].id = 1;  // the same id twice
  unit.frames[0].bytes = unit.frames[1].bytes = {1, 2, 3};
  EXPECT_FALSE(store_->Commit(unit).has_value());
  EXPECT_THAT(Reader()->ReadJournal(0, 10)->records, IsEmpty());
  EXPECT_THAT(store_->Restore()->devices, IsEmpty());
  unit.frames[1].id = 2;
  Commit(unit);
  EXPECT_EQ(Reader()->ReadJournal(0, 10)->records.size(), 1u);
  EXPECT_EQ(Reader()->ReadArchiveStats()->at(0).frames, 2u);
  EXPECT_EQ(Reader()->ReadArchiveStats()->at(0).bytes, 6u);
}

TEST_F(SqliteStoreTest, RefusesANumberThatWasUsed) {
  Open();
  CommitRecords({MakeRecord(5, 1, kStart_us, Value::OfInteger(1))});
  CommitUnit unit;
  unit.batches.emplace_back();
  unit.batches.back().Add(MakeRecord(5, 1, kStart_us, Value::OfInteger(2)));
  const auto done = store_->Commit(unit);
  ASSERT_FALSE(done.has_value());
  EXPECT_THAT(done.error().text, HasSubstr("number 5 after 5"));
}

TEST_F(SqliteStoreTest, FramesAreFoundWithTheirReadings) {
  Open();
  CommitUnit unit;
  for (FrameId id = 1; id <= 3; ++id) {
    ArchivedFrame frame;
    frame.id = id;
    frame.source = id == 2 ? "cellar" : "hall";
    frame.received_us = kStart_us + static_cast<int64_t>(id);
    frame.verdict = id == 3 ? FrameVerdict::kRejected : FrameVerdict::kAccepted;
    frame.reason = id == 3 ? "crc" : "";
    frame.bytes = {static_cast<uint8_t>(id), 0, 255};
    unit.frames.push_back(frame);
  }
  unit.frames[1].bytes.clear();
  unit.batches.resize(2);
  std::vector<Record> records;
  for (JournalNumber number = 1; number <= 6; ++number) {
    records.push_back(MakeRecord(number, 1, kStart_us, Value::OfInteger(7)));
    records.back().frame = number <= 3 ? 1 : 2;
  }
  records[4].value = Value::OfText("seven");
  for (const Record& record : records) unit.batches[record.number <= 4 ? 0 : 1].Add(record);
  Commit(unit);
  // A later reading of an old frame (its key arrived), and one of a frame that was never archived.
  Record later = MakeRecord(20, 1, kStart_us, Value::OfInteger(8));
  later.frame = 3;
  Record orphan = later;
  orphan.number = 21;
  orphan.frame = 99;
  CommitRecords({later, orphan});

  auto reader = Reader();
  EXPECT_THAT(Numbers(*reader->ReadFrameRecords(1)), ElementsAre(1, 2, 3));
  const auto second = reader->ReadFrameRecords(2);
  EXPECT_THAT(Numbers(*second), ElementsAre(4, 5, 6));
  EXPECT_EQ(second->records[1].value.text(), "seven");
  EXPECT_THAT(Numbers(*reader->ReadFrameRecords(3)), ElementsAre(20));
  EXPECT_THAT(reader->ReadFrameRecords(99)->records, IsEmpty());

  const auto all = reader->ReadFrames("", false, 0, 10);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->at(0).id, 3u);
  EXPECT_EQ(all->at(0).reason, "crc");
  EXPECT_EQ(all->at(0).verdict, FrameVerdict::kRejected);
  EXPECT_THAT(all->at(0).bytes, ElementsAre(3, 0, 255));
  EXPECT_THAT(all->at(1).bytes, IsEmpty());
  EXPECT_EQ(reader->ReadFrames("hall", false, 0, 10)->size(), 2u);
  EXPECT_EQ(reader->ReadFrames("hall", true, 0, 10)->size(), 1u);
  EXPECT_EQ(reader->ReadFrames("", false, 3, 1)->at(0).id, 2u);
  EXPECT_EQ(reader->ReadFrames("hall", false, 1, 10)->size(), 0u);
}

TEST_F(SqliteStoreTest, AFloodOfOneReasonLeavesTheOthersAlone) {
  SqliteStoreOptions options;
  options.archive_class_bytes = 1000;
  Open(options);
  FrameId id = 0;
  const auto add = [&](const std::string& source, FrameVerdict verdict, const std::string& reason, int count) {
    CommitUnit unit;
    for (int i = 0; i < count; ++i) {
      ArchivedFrame frame;
      frame.id = ++id;
      frame.source = source;
      frame.verdict = verdict;
      frame.reason = reason;
      frame.received_us = kStart_us + static_cast<int64_t>(id);
      frame.bytes.assign(36, 1);  // 100 with the overhead
      unit.frames.push_back(frame);
    }
    Commit(unit);
  };
  add("hall", FrameVerdict::kRejected, "no_key", 3);
  add("hall", FrameVerdict::kAccepted, "", 4);
  for (int i = 0; i < 20; ++i) add("hall", FrameVerdict::kRejected, "crc", 100);
  add("cellar", FrameVerdict::kDiscarded, "crc", 500);
  auto stats = Reader()->ReadArchiveStats();
  ASSERT_TRUE(stats.has_value());
  ASSERT_EQ(stats->size(), 4u);
  EXPECT_EQ(stats->at(0).source, "cellar");
  EXPECT_EQ(stats->at(0).frames, 10u);
  EXPECT_EQ(stats->at(1).reason, "");
  EXPECT_EQ(stats->at(1).frames, 4u);
  EXPECT_EQ(stats->at(2).reason, "crc");
  EXPECT_EQ(stats->at(2).frames, 10u);
  EXPECT_EQ(stats->at(2).bytes, 360u);
  EXPECT_EQ(stats->at(2).newest_us, kStart_us + 2007);
  EXPECT_EQ(stats->at(2).oldest_us, kStart_us + 1998);
  EXPECT_EQ(stats->at(3).reason, "no_key");
  EXPECT_EQ(stats->at(3).frames, 3u);
  EXPECT_EQ(Count("SELECT count(*) FROM frame"), 27);

  // The quota of all together takes from the largest; a frame larger than any quota is not kept.
  options.archive_total_bytes = 1500;
  Open(options);
  add("hall", FrameVerdict::kRejected, "no_key", 1);
  EXPECT_EQ(Count("SELECT count(*) FROM frame"), 15);
  EXPECT_EQ(Count("SELECT frames FROM frame_class WHERE reason = 'no_key'"), 4);
  EXPECT_EQ(Count("SELECT sum(frames) FROM frame_class"), 15);
}

TEST_F(SqliteStoreTest, KindsOfFramesAreBounded) {
  Open();
  CommitUnit unit;
  for (size_t i = 0; i < kMaxArchiveClasses + 50; ++i) {
    ArchivedFrame frame;
    frame.id = i + 1;
    frame.source = "hall";
    frame.reason = "reason" + std::to_string(i);
    unit.frames.push_back(frame);
  }
  Commit(unit);
  EXPECT_EQ(Count("SELECT count(*) FROM frame_class"), static_cast<int64_t>(kMaxArchiveClasses) + 1);
  EXPECT_EQ(Count("SELECT frames FROM frame_class WHERE reason = 'other'"), 50);
}

TEST_F(SqliteStoreTest, SeriesReadWell) {
  Open();
  CommitUnit unit = TwoSeries();
  unit.series[0].field.unit = Unit::kVolt;
  Commit(unit);
  EXPECT_EQ(Count("SELECT count(*) FROM plain_series WHERE series = 1 AND device = 'd' AND field = '1' AND unit = 'V'"),
            1);
}

TEST_F(SqliteStoreTest, CommitsAreSyncedByDefault) {
  Open();
  auto db = SqliteDb::Open(path_, SQLITE_OPEN_READONLY, "");
  Statement mode = db->Prepare("PRAGMA journal_mode");
  ASSERT_EQ(mode.Step(), SQLITE_ROW);
  EXPECT_EQ(mode.Text(0), "wal");
  auto writer = SqliteDb::Open(folder_.File("other.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
  ASSERT_TRUE(PrepareWriter(*writer, true).has_value());
  EXPECT_EQ(writer->Integer("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(writer->Integer("PRAGMA secure_delete").value(), 0);
}

TEST_F(SqliteStoreTest, OneHubAtATime) {
  Open();
  const auto second = SqliteStore::Open(path_, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, StoreErrorKind::kBusy);
  EXPECT_THAT(second.error().text, HasSubstr(path_));
  store_.reset();
  EXPECT_TRUE(SqliteStore::Open(path_, {}).has_value());
}

TEST_F(SqliteStoreTest, ADamagedFileIsNamedAndLeftAlone) {
  Open();
  std::vector<Record> records;
  for (uint64_t i = 0; i < 5000; ++i) records.push_back(MakeRecord(i + 1, 1, kStart_us, Value::OfInteger(0)));
  CommitRecords(records);
  store_.reset();
  std::ofstream(path_, std::ios::binary | std::ios::in).write("this was a store", 16);
  struct stat before {};
  stat(path_.c_str(), &before);
  const auto damaged = SqliteStore::Open(path_, {});
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().kind, StoreErrorKind::kCorrupt);
  EXPECT_THAT(damaged.error().text, HasSubstr(path_));
  EXPECT_THAT(damaged.error().text, HasSubstr("move the file away"));
  struct stat after {};
  stat(path_.c_str(), &after);
  EXPECT_EQ(before.st_size, after.st_size);
}

TEST_F(SqliteStoreTest, DamageInTheMiddleIsAnErrorWhereItIsMet) {
  Open(SmallFolds());
  std::vector<Record> records;
  for (uint64_t i = 0; i < 500; ++i) {
    records.push_back(
        MakeRecord(i + 1, 1, kStart_us + static_cast<int64_t>(i), Value::OfInteger(static_cast<int64_t>(i * i))));
  }
  CommitRecords(records);
  FoldAll(*store_);
  store_.reset();
  {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READWRITE, "");
    ASSERT_EQ(
        db->Execute(
            "UPDATE block SET data = CAST(substr(data, 1, 60) || x'FF' || substr(data, 62) AS BLOB) WHERE id = 2"),
        SQLITE_OK);
  }
  Open(SmallFolds());
  EXPECT_EQ(Reader()->ReadJournal(0, 100)->records.size(), 100u) << "what is whole is read";
  EXPECT_EQ(Reader()->ReadJournal(0, 10000).error().kind, StoreErrorKind::kCorrupt);
  EXPECT_EQ(Reader()->ReadRange(1, 0, INT64_MAX, 10000).error().kind, StoreErrorKind::kCorrupt);
}

TEST_F(SqliteStoreTest, OtherFilesAreRefused) {
  {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    db->Execute("CREATE TABLE photos (id INTEGER)");
  }
  auto foreign = SqliteStore::Open(path_, {});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().kind, StoreErrorKind::kWrongVersion);
  EXPECT_THAT(foreign.error().text, HasSubstr("not of Vesta"));

  path_ = folder_.File("newer.db");
  Open();
  store_.reset();
  SqliteDb::Open(path_, SQLITE_OPEN_READWRITE, "")->Execute("PRAGMA user_version = 99");
  const auto newer = SqliteStore::Open(path_, {});
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().kind, StoreErrorKind::kWrongVersion);
  EXPECT_THAT(newer.error().text, HasSubstr("99"));

  const auto nowhere = SqliteStore::Open(folder_.File("no/such/folder/vesta.db"), {});
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_THAT(nowhere.error().text, HasSubstr("is the folder there"));
}

TEST_F(SqliteStoreTest, TheLogIsCopiedBackAndDoesNotGrow) {
  Open();
  for (FrameId first = 1; first < 6000; first += 100) {
    CommitUnit unit;
    for (FrameId id = first; id < first + 100; ++id) {
      ArchivedFrame frame;
      frame.id = id;
      frame.source = "hall";
      frame.bytes.assign(2000, static_cast<uint8_t>(id));
      unit.frames.push_back(frame);
    }
    Commit(unit);
  }
  struct stat log {};
  ASSERT_EQ(stat((path_ + "-wal").c_str(), &log), 0);
  EXPECT_LE(log.st_size, kLogBytesMax);
  struct stat file {};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_GT(file.st_size, log.st_size);
  EXPECT_GE(store_->SizeBytes(), static_cast<uint64_t>(file.st_size));
}

}  // namespace
}  // namespace vesta::hub
