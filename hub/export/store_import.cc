#include "hub/export/store_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "formats/utf8.h"
#include "hub/export/cell.h"
#include "hub/export/series_stream.h"
#include "hub/store/sqlite_store.h"

namespace vesta::hub {
namespace {

using Identity = std::tuple<UtcUs, uint16_t, ValueKind, std::string>;

// Exports show bytes that are not UTF-8 as U+FFFD: what comes back from one is the same reading.
std::string AsExported(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t size = text.front() == '\0' ? 0 : Utf8Length(text);
    shown += size == 0 ? kUtf8Replacement : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return shown;
}

Identity IdentityOf(const Record& record) {
  std::string text;
  if (record.value.kind() == ValueKind::kText) {
    text = AsExported(record.value.text());
  } else if (record.value.kind() != ValueKind::kReal || std::isfinite(record.value.real())) {
    AppendNumber(record.value, &text);
  }
  return {record.time_us, record.index, record.value.kind(), std::move(text)};
}

}  // namespace

tl::expected<std::unique_ptr<StoreImport>, std::string> StoreImport::Open(const std::string& folder) {
  std::unique_ptr<StoreImport> import(new StoreImport());
  auto store = SqliteStore::Open(folder + "/vesta.db", {});
  if (!store) return tl::unexpected(store.error().text);
  import->store_ = std::move(*store);
  auto state = import->store_->Restore();
  if (!state) return tl::unexpected(state.error().text);
  import->directory_.Restore(std::move(state->devices), std::move(state->series));
  import->next_number_ = std::max<JournalNumber>(state->reserved_numbers_end, 1);
  import->reserved_frames_end_ = state->reserved_frames_end;
  auto reader = import->store_->OpenReader();
  if (!reader) return tl::unexpected(reader.error().text);
  import->reader_ = std::move(*reader);
  return import;
}

StoreImport::~StoreImport() = default;

tl::expected<void, std::string> StoreImport::Add(Record record) {
  record.frame = 0;
  waiting_.Add(record);
  if (waiting_.records.size() >= kImportChunk) return Finish();
  return {};
}

// What the history has already, and what stands in the chunk twice.
tl::expected<void, std::string> StoreImport::DropKnown(std::vector<bool>* known) {
  std::map<SeriesId, std::vector<size_t>> by_series;
  for (size_t i = 0; i < waiting_.records.size(); ++i) by_series[waiting_.records[i].series].push_back(i);
  for (auto& [series, places] : by_series) {
    std::stable_sort(places.begin(), places.end(),
                     [this](size_t a, size_t b) { return waiting_.records[a].time_us < waiting_.records[b].time_us; });
    const UtcUs first_us = waiting_.records[places.front()].time_us;
    const UtcUs last_us = waiting_.records[places.back()].time_us;
    SeriesStream there(series, first_us, last_us + 1);
    std::set<Identity> at_this_time;
    UtcUs at_us = INT64_MIN;
    for (const size_t place : places) {
      const Record& record = waiting_.records[place];
      if (record.time_us != at_us) {
        at_this_time.clear();
        at_us = record.time_us;
        while (true) {
          auto next = there.Peek(*reader_);
          if (!next) return tl::unexpected(next.error().text);
          if (*next == nullptr || (*next)->time_us > at_us) break;
          if ((*next)->time_us == at_us) at_this_time.insert(IdentityOf(**next));
          there.Advance();
        }
      }
      if (!at_this_time.insert(IdentityOf(record)).second) (*known)[place] = true;
    }
  }
  return {};
}

tl::expected<void, std::string> StoreImport::Finish() {
  std::vector<bool> known(waiting_.records.size(), false);
  if (auto dropped = DropKnown(&known); !dropped) return dropped;
  CommitUnit unit;
  const Directory::Changes changes = directory_.TakeChanges();
  for (const DeviceId id : changes.devices) unit.devices.push_back(*directory_.FindDevice(id));
  for (const SeriesId id : changes.series) unit.series.push_back(*directory_.FindSeries(id));
  RecordBatch batch;
  JournalNumber number = next_number_;
  uint64_t repeats = 0;
  for (size_t i = 0; i < waiting_.records.size(); ++i) {
    if (known[i]) {
      ++repeats;
      continue;
    }
    Record record = waiting_.records[i];
    record.number = number++;
    batch.Add(record);
  }
  const uint64_t added = batch.records.size();
  if (added > 0 || !unit.devices.empty() || !unit.series.empty()) {
    unit.batches.push_back(std::move(batch));
    unit.reserved_numbers_end = number;
    if (auto committed = store_->Commit(unit); !committed) return tl::unexpected(committed.error().text);
    // The next chunk looks into the history: what is folded is found faster. What can't be folded waits for the hub.
    for (auto more = store_->FoldStep(); more && *more;) more = store_->FoldStep();
  }
  next_number_ = number;
  imported_ += added;
  already_there_ += repeats;
  waiting_ = {};
  return {};
}

}  // namespace vesta::hub
