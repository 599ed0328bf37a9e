// Random operations on a hub's store: the reader of the folder and the one of the database must answer alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "hub/postgres/reader.h"
#include "hub/postgres/test_server.h"
#include "hub/postgres/writer.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub::postgres {
namespace {

constexpr UtcUs kModelStart_us = 1786449600 * kUsPerSecond;  // 2026-08-11T12:00:00Z
constexpr UtcUs kEnd_us = kModelStart_us + 40 * 86400 * kUsPerSecond;
constexpr Zone kModelZone{60, true};
constexpr SeriesId kModelSeries = 5;

bool SameRecords(const RecordBatch& a, const RecordBatch& b) {
  return std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(), SameRecord);
}

std::vector<Series> AllSeries() {
  std::vector<Series> all(kModelSeries);
  for (SeriesId id = 1; id <= kModelSeries; ++id) {
    all[id - 1].id = id;
    all[id - 1].device = 1;
    all[id - 1].field.key = "field_" + std::to_string(id);
    all[id - 1].field.kind = id == 2 ? FieldKind::kCounter : id == 3 ? FieldKind::kState : FieldKind::kGauge;
  }
  return all;
}

class TwoStores {
 public:
  TwoStores(TestServer& server, uint32_t seed)
      : random_(seed), schema_("vesta_model_" + std::to_string(seed)), server_(server) {
    SqliteStoreOptions options = SmallFolds(50 + Below(200));
    options.fsync = false;
    options.zone = kModelZone;
    store_ = OpenStore(folder_.File("vesta.db"), options);
    devices_.resize(1);
    devices_[0].id = 1;
    devices_[0].key = "p1_model";
    devices_[0].protocol = "p1";
    CommitUnit unit;
    unit.devices = devices_;
    unit.series = AllSeries();
    EXPECT_TRUE(store_->Commit(unit).has_value());
    one_ = std::move(*store_->OpenReader());
    OpenDatabase();
  }

  void Step() {
    switch (Below(9)) {
      case 0:
        OpenDatabase();
        break;
      case 1:
        FoldAll(*store_);
        break;
      case 2:
        ASSERT_TRUE(
            writer_->RollUp(kModelStart_us + static_cast<int64_t>(Below(100)) * 3600 * kUsPerSecond).has_value());
        break;
      case 3:
      case 4:
        Commit(Below(200));
        break;
      case 5:
        HandOver(1 + Below(150));
        break;
      default:
        Check();
    }
  }

  void Check() {
    const auto series = static_cast<SeriesId>(1 + Below(kModelSeries + 1));
    const UtcUs from_us = kModelStart_us + static_cast<int64_t>(Below(20000)) * kUsPerSecond;
    const UtcUs to_us = from_us + static_cast<int64_t>(Below(20000)) * kUsPerSecond + 1;
    const size_t limit = Below(2) == 0 ? 100000 : Below(30);
    ExpectSame(one_->ReadRange(series, from_us, to_us, limit), two_->ReadRange(series, from_us, to_us, limit));
    ExpectSame(one_->ReadRange(series, INT64_MIN, INT64_MAX, 100000),
               two_->ReadRange(series, INT64_MIN, INT64_MAX, 100000));
    ExpectSame(one_->ReadAtOrBefore(series, to_us), two_->ReadAtOrBefore(series, to_us));
    const JournalNumber after = Below(number_ + 2);
    ExpectSame(one_->ReadJournal(after, limit), two_->ReadJournal(after, limit));
    uint64_t total_one = 0;
    uint64_t total_two = 0;
    const size_t points = 4 + Below(100);
    ExpectSame(one_->ReadThinned(series, from_us, to_us, points, &total_one),
               two_->ReadThinned(series, from_us, to_us, points, &total_two));
    EXPECT_EQ(total_one, total_two);
  }

  // Everything everywhere: the last reading ends the chunk of the folder, which is compared but for it.
  void Finish() {
    Commit(1, kEnd_us);
    FoldAll(*store_);
    HandOver(number_);
    CheckRollups();
    while (*writer_->RollUp(kEnd_us)) {
    }
    CheckRollups();
    Reader alone(server_.Settings(schema_), kModelZone, nullptr, nullptr);
    ExpectSame(one_->ReadJournal(0, 100000), alone.ReadJournal(0, 100000));
  }

 private:
  using Answered = tl::expected<RecordBatch, StoreError>;

  uint64_t Below(uint64_t end) { return std::uniform_int_distribution<uint64_t>(0, end - 1)(random_); }

  static void ExpectSame(const Answered& one, const Answered& two) {
    ASSERT_TRUE(one.has_value()) << one.error().text;
    ASSERT_TRUE(two.has_value()) << two.error().text;
    EXPECT_EQ(one->records.size(), two->records.size());
    EXPECT_TRUE(SameRecords(*one, *two));
  }

  void CheckRollups() {
    for (SeriesId series = 1; series <= kModelSeries; ++series) {
      for (int i = 0; i < kRollupLevels; ++i) {
        const auto level = static_cast<RollupLevel>(i);
        const UtcUs until_us = kEnd_us - 2 * 86400 * kUsPerSecond;
        const auto one = one_->ReadRollups(series, level, 0, until_us, 100000);
        const auto two = two_->ReadRollups(series, level, 0, until_us, 100000);
        ASSERT_TRUE(one.has_value() && two.has_value());
        EXPECT_EQ(*one, *two) << "series " << series << " level " << i;
      }
    }
  }

  // As after a crash of either side.
  void OpenDatabase() {
    writer_ = std::make_unique<Writer>(server_.Settings(schema_), "model", kModelZone);
    ASSERT_TRUE(writer_->Open().has_value());
    two_ = std::make_unique<Reader>(server_.Settings(schema_), kModelZone, std::move(*store_->OpenReader()), nullptr);
  }

  void HandOver(size_t readings) {
    const auto batch = one_->ReadJournal(writer_->position(), readings);
    ASSERT_TRUE(batch.has_value());
    const auto done = writer_->Write(*batch, devices_, AllSeries());
    ASSERT_TRUE(done.has_value()) << done.error().text;
  }

  void Commit(uint64_t count, UtcUs time_us = 0) {
    CommitUnit unit;
    RecordBatch& batch = unit.batches.emplace_back();
    for (uint64_t i = 0; i < count; ++i) {
      number_ += 1 + (Below(20) == 0 ? Below(100) : 0);
      const auto series = static_cast<SeriesId>(1 + Below(kModelSeries));
      const UtcUs at_us = kModelStart_us + static_cast<int64_t>(Below(30000)) * kUsPerSecond -
                          (Below(30) == 0 ? static_cast<int64_t>(Below(10)) * 86400 * kUsPerSecond : 0);
      Record record = MakeRecord(number_, series, time_us == 0 ? at_us : time_us, Value::None());
      const auto number = static_cast<int64_t>(Below(1000));
      if (series == 2) record.value = Value::OfDecimal(number * 1000, -3);
      if (series == 1) record.value = Value::OfDecimal(number - 500, -static_cast<int8_t>(Below(3)));
      if (series == 3) record.value = Value::OfState(static_cast<uint32_t>(number % 4));
      if (series == 4) record.value = Value::OfReal(static_cast<double>(number) / 4);
      if (series == 5 && number % 3 != 0) record.value = Value::OfText("text " + std::to_string(number));
      record.quality = Below(20) == 0 ? ValueQuality::kSuspect : ValueQuality::kOk;
      record.index = static_cast<uint16_t>(Below(3));
      record.flags = static_cast<uint8_t>(Below(4));
      record.frame = Below(1000);
      batch.Add(record);
      // The same once more: counts once.
      if (Below(30) == 0) {
        record.number = ++number_;
        batch.Add(record);
      }
    }
    ASSERT_TRUE(store_->Commit(unit).has_value());
  }

  std::mt19937 random_;
  std::string schema_;
  TestServer& server_;
  TemporaryFolder folder_;
  std::vector<Device> devices_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<StoreReader> one_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> two_;
  JournalNumber number_ = 0;
};

TEST(PostgresModel, AnswersAsTheFolderDoes) {
  for (uint32_t seed = 1; seed <= 2 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    TwoStores stores(SharedServer(), seed);
    for (int i = 0; i < 25 && !::testing::Test::HasFatalFailure(); ++i) stores.Step();
    stores.Check();
    stores.Finish();
  }
}

}  // namespace
}  // namespace vesta::hub::postgres
