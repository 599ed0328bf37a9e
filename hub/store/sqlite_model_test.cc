// Random operations on the store and on the simplest thing that could be right, a list; both must answer alike.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;
constexpr SeriesId kSeries = 4;

struct Model {
  std::deque<std::string> texts;
  std::vector<Record> records;  // in journal order

  std::vector<Record> Range(SeriesId series, UtcUs from_us, UtcUs to_us) const {
    std::vector<Record> found;
    for (const Record& record : records) {
      if (record.series == series && record.time_us >= from_us && record.time_us < to_us) found.push_back(record);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Record& a, const Record& b) { return a.time_us < b.time_us; });
    return found;
  }
};

bool Same(const std::vector<Record>& a, const std::vector<Record>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), SameRecord);
}

// First, lowest, highest and last of each slice, written down as the contract says it.
std::vector<Record> Thin(const std::vector<Record>& all, UtcUs from_us, UtcUs to_us, size_t points) {
  if (all.size() <= points) return all;
  const auto slices = static_cast<int64_t>(points / 4);
  std::vector<std::vector<Record>> parts(static_cast<size_t>(slices));
  for (const Record& record : all) {
    parts[static_cast<size_t>((record.time_us - from_us) * slices / (to_us - from_us))].push_back(record);
  }
  std::vector<Record> thinned;
  for (const std::vector<Record>& part : parts) {
    if (part.empty()) continue;
    std::vector<size_t> picked = {0, part.size() - 1};
    size_t lowest = part.size();
    size_t highest = part.size();
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i].value.kind() != ValueKind::kDecimal) continue;
      if (lowest == part.size() || Compare(part[i].value.decimal(), part[lowest].value.decimal()) < 0) lowest = i;
      if (highest == part.size() || Compare(part[i].value.decimal(), part[highest].value.decimal()) > 0) highest = i;
    }
    if (lowest != part.size()) picked.insert(picked.end(), {lowest, highest});
    std::sort(picked.begin(), picked.end());
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    for (const size_t i : picked) thinned.push_back(part[i]);
  }
  return thinned;
}

class RandomRun {
 public:
  explicit RandomRun(uint32_t seed) : random_(seed) { Reopen(); }

  void Step() {
    switch (Below(10)) {
      case 0:
        Reopen();
        break;
      case 1:
        FoldAll(*store_);
        break;
      case 2:
        Commit(200 + Below(600));  // enough to fold
        break;
      case 3:
      case 4:
      case 5:
        Commit(Below(200));
        break;
      default:
        Check();
        break;
    }
  }

  void Check() {
    const auto series = static_cast<SeriesId>(1 + Below(kSeries + 1));  // one that has nothing, too
    const UtcUs from_us = kStart_us + static_cast<int64_t>(Below(3000)) - 500;
    const UtcUs to_us = from_us + static_cast<int64_t>(Below(3000)) - 10;
    const std::vector<Record> expected = model_.Range(series, from_us, to_us);

    const size_t limit = Below(2) == 0 ? 100000 : Below(20);
    const auto range = reader_->ReadRange(series, from_us, to_us, limit);
    RC_ASSERT(range.has_value());
    std::vector<Record> limited = expected;
    if (limited.size() > limit) limited.resize(limit);
    RC_ASSERT(Same(range->records, limited));

    uint64_t total = 0;
    const size_t points = 4 + Below(200);
    const auto thinned = reader_->ReadThinned(series, from_us, to_us, points, &total);
    RC_ASSERT(thinned.has_value());
    RC_ASSERT(total == expected.size());
    RC_ASSERT(Same(thinned->records, Thin(expected, from_us, to_us, points)));

    const auto whole = reader_->ReadRange(series, INT64_MIN, INT64_MAX, 100000);
    RC_ASSERT(whole.has_value());
    RC_ASSERT(Same(whole->records, model_.Range(series, INT64_MIN, INT64_MAX)));

    const auto before = reader_->ReadAtOrBefore(series, to_us);
    RC_ASSERT(before.has_value());
    const std::vector<Record> until = model_.Range(series, INT64_MIN, to_us + 1);
    RC_ASSERT(before->records.size() == (until.empty() ? 0u : 1u));
    if (!until.empty()) RC_ASSERT(SameRecord(before->records[0], until.back()));

    const JournalNumber after = Below(number_ + 2);
    const auto journal = reader_->ReadJournal(after, limit);
    RC_ASSERT(journal.has_value());
    std::vector<Record> numbered;
    for (const Record& record : model_.records) {
      if (record.number > after && numbered.size() < limit) numbered.push_back(record);
    }
    RC_ASSERT(Same(journal->records, numbered));
  }

 private:
  uint64_t Below(uint64_t end) { return std::uniform_int_distribution<uint64_t>(0, end - 1)(random_); }

  void Reopen() {
    reader_.reset();
    store_.reset();
    SqliteStoreOptions options = SmallFolds(50 + Below(300));
    options.fsync = false;  // nobody cuts the power here
    store_ = OpenStore(folder_.File("vesta.db"), options);
    reader_ = std::move(*store_->OpenReader());
  }

  void Commit(uint64_t count) {
    CommitUnit unit;
    unit.batches.resize(1 + Below(3));
    for (uint64_t i = 0; i < count; ++i) {
      number_ += 1 + (Below(20) == 0 ? Below(100) : 0);  // numbers may be skipped
      Record record = MakeRecord(number_, static_cast<SeriesId>(1 + Below(kSeries)),
                                 kStart_us + static_cast<int64_t>(Below(2000)) -
                                     (Below(40) == 0 ? static_cast<int64_t>(Below(10)) * 86400 * kUsPerSecond : 0),
                                 Value::None());
      switch (Below(4)) {
        case 0:
          break;
        case 1:
          record.value = Value::OfText(model_.texts.emplace_back("text " + std::to_string(Below(1000))));
          break;
        default:
          record.value = Value::OfDecimal(static_cast<int64_t>(Below(100)) - 50, static_cast<int8_t>(Below(3)) - 1);
      }
      record.received_us += static_cast<int64_t>(Below(1000)) - 500;
      record.index = static_cast<uint16_t>(Below(3));
      model_.records.push_back(record);
      unit.batches[i * unit.batches.size() / count].Add(record);
    }
    const auto done = store_->Commit(unit);
    RC_ASSERT(done.has_value());
  }

  std::mt19937 random_;
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<StoreReader> reader_;
  Model model_;
  JournalNumber number_ = 0;
};

TEST(SqliteModel, AnswersAsAListWould) {
  EXPECT_TRUE(rc::check("random operations", [](uint32_t seed) {
    RandomRun run(seed);
    for (int i = 0; i < 20; ++i) run.Step();
    run.Check();
  }));
}

}  // namespace
}  // namespace vesta::hub
