#include "app/store_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "hub/export/open_data.h"
#include "hub/postgres/reader.h"
#include "hub/postgres/writer.h"
#include "hub/store/sqlite_store.h"
#include "hub/store/store_origin.h"

namespace vesta::app {
namespace {

using hub::StoreError;
using hub::StoreErrorKind;
using Done = tl::expected<void, StoreError>;
using Counts = std::map<hub::SeriesId, uint64_t>;

constexpr size_t kCopyReadings = 16384;

StoreError Wrong(std::string text) { return {StoreErrorKind::kOther, std::move(text)}; }

// One side of a copy.
class Side {
 public:
  virtual ~Side() = default;
  virtual hub::StoreReader& reader() = 0;
  virtual const std::vector<hub::Device>& devices() const = 0;
  virtual const std::vector<hub::Series>& series() const = 0;

  // Readings by series, up to a number.
  virtual tl::expected<Counts, StoreError> Count(hub::JournalNumber up_to) {
    Counts counts;
    for (hub::JournalNumber after = 0; after < up_to;) {
      const auto page = reader().ReadJournal(after, kCopyReadings);
      if (!page) return tl::unexpected(page.error());
      if (page->records.empty()) break;
      for (const hub::Record& record : page->records) {
        if (record.number <= up_to) ++counts[record.series];
      }
      after = page->records.back().number;
    }
    return counts;
  }
};

class FolderSide final : public Side {
 public:
  explicit FolderSide(hub::OpenedData data) : data_(std::move(data)) {}
  hub::StoreReader& reader() override { return *data_.reader; }
  const std::vector<hub::Device>& devices() const override { return data_.devices; }
  const std::vector<hub::Series>& series() const override { return data_.series; }

 private:
  hub::OpenedData data_;
};

class DatabaseSide final : public Side {
 public:
  explicit DatabaseSide(const CopyPlan& plan, const std::string& url)
      : reader_({url, plan.password, plan.schema}, plan.zone, nullptr, nullptr) {}
  Done Open() { return reader_.ReadSeries(&devices_, &series_); }
  hub::postgres::Reader& database() { return reader_; }
  hub::StoreReader& reader() override { return reader_; }
  const std::vector<hub::Device>& devices() const override { return devices_; }
  const std::vector<hub::Series>& series() const override { return series_; }
  tl::expected<Counts, StoreError> Count(hub::JournalNumber up_to) override { return reader_.CountReadings(up_to); }

 private:
  hub::postgres::Reader reader_;
  std::vector<hub::Device> devices_;
  std::vector<hub::Series> series_;
};

tl::expected<std::unique_ptr<Side>, StoreError> OpenFolder(const std::string& folder) {
  auto data = hub::OpenDataFolder(folder);
  if (!data) return tl::unexpected(Wrong(data.error()));
  return std::make_unique<FolderSide>(std::move(*data));
}

// Where readings go.
class Target {
 public:
  virtual ~Target() = default;
  virtual hub::JournalNumber position() const = 0;
  virtual Done Write(const hub::RecordBatch& batch, const Side& source, bool with_series) = 0;
  virtual Done Finish() = 0;
};

class DatabaseTarget final : public Target {
 public:
  DatabaseTarget(const CopyPlan& plan, const std::string& origin)
      : writer_({plan.to, plan.password, plan.schema}, origin, plan.zone) {}
  Done Open() {
    if (auto opened = writer_.Open(); !opened) return tl::unexpected(opened.error());
    return {};
  }
  hub::JournalNumber position() const override { return writer_.position(); }
  Done Write(const hub::RecordBatch& batch, const Side& source, bool with_series) override {
    newest_us_ = std::max(newest_us_, batch.records.back().received_us);
    auto done = with_series ? writer_.Write(batch, source.devices(), source.series()) : writer_.Write(batch, {}, {});
    // Hours that are over are rolled up on the way.
    for (int i = 0; done && i < hub::postgres::kRollUpsPerBatch; ++i) {
      const auto rolled = writer_.RollUp(batch.records.back().received_us);
      if (!rolled) return tl::unexpected(rolled.error());
      if (!*rolled) break;
    }
    return done;
  }
  Done Finish() override {
    while (true) {
      const auto rolled = writer_.RollUp(newest_us_);
      if (!rolled) return tl::unexpected(rolled.error());
      if (!*rolled) return {};
    }
  }

 private:
  hub::postgres::Writer writer_;
  UtcUs newest_us_ = INT64_MIN;
};

class FolderTarget final : public Target {
 public:
  Done Open(const CopyPlan& plan, const std::string& origin) {
    std::error_code failed;
    std::filesystem::create_directories(plan.to, failed);
    if (failed) return tl::unexpected(Wrong(fmt::format("{}: {}", plan.to, failed.message())));
    const std::string path = plan.to + "/vesta.db";
    const bool was_there = std::filesystem::exists(path);
    hub::SqliteStoreOptions options;
    options.zone = plan.zone;
    auto store = hub::SqliteStore::Open(path, options);
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    const auto state = store_->Restore();
    if (!state) return tl::unexpected(state.error());
    position_ = state->last_number;
    reserved_numbers_ = state->reserved_numbers_end;
    reserved_frames_ = state->reserved_frames_end;
    // One that has readings and no name was never copied anywhere: it is a hub's own.
    if (was_there && position_ != 0) {
      const auto own = hub::OriginOfStore(path);
      if (!own) return tl::unexpected(own.error());
    }
    return hub::TakeOriginOf(origin, path);
  }
  hub::JournalNumber position() const override { return position_; }
  Done Write(const hub::RecordBatch& batch, const Side& source, bool with_series) override {
    hub::CommitUnit unit;
    if (with_series) {
      unit.devices = source.devices();
      unit.series = source.series();
    }
    hub::RecordBatch& copy = unit.batches.emplace_back();
    for (const hub::Record& record : batch.records) {
      copy.Add(record);
      reserved_frames_ = std::max(reserved_frames_, record.frame + 1);
    }
    // The hub that goes on here gives out numbers beyond.
    reserved_numbers_ = std::max(reserved_numbers_, batch.records.back().number + 1);
    unit.reserved_numbers_end = reserved_numbers_;
    unit.reserved_frames_end = reserved_frames_;
    if (auto done = store_->Commit(unit); !done) return done;
    position_ = batch.records.back().number;
    return Fold();
  }
  Done Finish() override { return Fold(); }

 private:
  Done Fold() {
    while (true) {
      const auto more = store_->FoldStep();
      if (!more) return tl::unexpected(more.error());
      if (!*more) return {};
    }
  }

  std::unique_ptr<hub::SqliteStore> store_;
  hub::JournalNumber position_ = 0;
  hub::JournalNumber reserved_numbers_ = 0;
  hub::FrameId reserved_frames_ = 0;
};

tl::expected<std::unique_ptr<Side>, StoreError> OpenDatabase(const CopyPlan& plan, const std::string& url,
                                                             std::string* origin) {
  auto side = std::make_unique<DatabaseSide>(plan, url);
  if (auto done = side->Open(); !done) return tl::unexpected(done.error());
  const auto facts = side->database().Facts();
  if (!facts) return tl::unexpected(facts.error());
  *origin = facts->origin;
  return std::unique_ptr<Side>(std::move(side));
}

// Readings by series on both sides, up to where the copy came.
tl::expected<uint64_t, StoreError> Verify(const CopyPlan& plan, Side& source, hub::JournalNumber up_to) {
  std::string origin;
  auto target = hub::postgres::IsPostgresUrl(plan.to) ? OpenDatabase(plan, plan.to, &origin) : OpenFolder(plan.to);
  if (!target) return tl::unexpected(target.error());
  const auto there = (*target)->Count(up_to);
  if (!there) return tl::unexpected(there.error());
  const auto here = source.Count(up_to);
  if (!here) return tl::unexpected(here.error());
  uint64_t readings = 0;
  for (const auto& [series, count] : *there) readings += count;
  // What the source's retention took meanwhile may be left in the target; nothing may be missing there.
  for (const auto& [series, count] : *here) {
    const auto found = there->find(series);
    const uint64_t copied = found == there->end() ? 0 : found->second;
    if (copied >= count) continue;
    return tl::unexpected(StoreError{StoreErrorKind::kCorrupt,
                                     fmt::format("series {}: {} readings there, {} here", series, copied, count)});
  }
  return readings;
}

}  // namespace

tl::expected<CopyReport, StoreError> CopyStore(const CopyPlan& plan,
                                               const std::function<void(const CopyProgress&)>& tell) {
  const bool from_database = hub::postgres::IsPostgresUrl(plan.from);
  if (from_database == hub::postgres::IsPostgresUrl(plan.to)) {
    return tl::unexpected(
        Wrong("one side is a data folder, the other a postgresql:// URL; `vesta store backup` copies"
              " a folder to a folder"));
  }
  std::string origin;
  auto source = from_database ? OpenDatabase(plan, plan.from, &origin) : OpenFolder(plan.from);
  if (!source) return tl::unexpected(source.error());
  if (!from_database) {
    auto own = hub::OriginOfStore(plan.from + "/vesta.db");
    if (!own) return tl::unexpected(own.error());
    origin = std::move(*own);
  }
  std::unique_ptr<Target> target;
  if (from_database) {
    auto folder = std::make_unique<FolderTarget>();
    if (auto opened = folder->Open(plan, origin); !opened) return tl::unexpected(opened.error());
    target = std::move(folder);
  } else {
    auto database = std::make_unique<DatabaseTarget>(plan, origin);
    if (auto opened = database->Open(); !opened) return tl::unexpected(opened.error());
    target = std::move(database);
  }
  CopyReport report;
  bool with_series = true;
  while (true) {
    const auto batch = (*source)->reader().ReadJournal(target->position(), kCopyReadings);
    if (!batch) return tl::unexpected(batch.error());
    if (batch->records.empty()) break;
    if (auto done = target->Write(*batch, **source, with_series); !done) return tl::unexpected(done.error());
    with_series = false;
    report.copied += batch->records.size();
    tell({report.copied, batch->records.back().time_us});
  }
  if (auto done = target->Finish(); !done) return tl::unexpected(done.error());
  const hub::JournalNumber up_to = target->position();
  target.reset();
  const auto readings = Verify(plan, **source, up_to);
  if (!readings) return tl::unexpected(readings.error());
  report.readings = *readings;
  report.already_there = report.readings - std::min(report.readings, report.copied);
  return report;
}

}  // namespace vesta::app
