#include "hub/store/journal_tail.h"

#include <algorithm>

namespace vesta::hub {
namespace {

// Readings of unpacked entries kept for the next page: 2 MiB.
constexpr size_t kRecentRecords = 32768;

bool SameEntry(const EntryHead& a, const EntryHead& b) {
  return a.place.unit == b.place.unit && a.place.segment == b.place.segment && a.place.offset == b.place.offset &&
         a.records == b.records && a.last_number == b.last_number && a.size() == b.size();
}

}  // namespace

int JournalTail::Follow(const JournalPlace& start) {
  if (const int code = segments_.Refresh(); code != SQLITE_OK) return code;
  if (!segments_.Holds(start.segment) && segments_.newest_segment() > start.segment) return SQLITE_BUSY;
  while (!heads_.empty() && heads_.front().place.unit < start.unit) heads_.pop_front();
  if (heads_.empty() || heads_.front().place.unit != start.unit) {
    heads_.clear();
    next_ = start;
  }
  // A write that failed may be followed by another one of the same commit, with other bytes, at the same place.
  if (!heads_.empty()) {
    EntryHead again;
    JournalPlace place = heads_.back().place;
    const int code = segments_.ReadHead(&place, &again);
    if (code != SQLITE_OK && code != SQLITE_DONE) return code;
    if (code == SQLITE_DONE || !SameEntry(again, heads_.back())) {
      next_ = heads_.back().place;
      heads_.pop_back();
    }
  }
  while (true) {
    EntryHead head;
    const int code = segments_.ReadHead(&next_, &head);
    if (code == SQLITE_DONE) return SQLITE_OK;
    if (code != SQLITE_OK) return code;
    heads_.push_back(head);
    next_.offset += head.size();
    ++next_.unit;
  }
}

int JournalTail::StillThere() {
  if (const int code = segments_.Refresh(); code != SQLITE_OK) return code;
  uint64_t checked = 0;
  for (const EntryHead& head : heads_) {
    if (head.place.segment == checked) continue;
    checked = head.place.segment;
    if (segments_.Holds(checked)) continue;
    heads_.clear();
    recent_.clear();
    recent_records_ = 0;
    return SQLITE_BUSY;
  }
  return SQLITE_DONE;
}

int JournalTail::Unpack(size_t head, SeriesId series, const std::vector<Record>** records) {
  const EntryHead& wanted = heads_[head];
  *records = nullptr;
  for (auto one = recent_.begin(); one != recent_.end(); ++one) {
    if (one->unit != wanted.place.unit) continue;
    recent_.splice(recent_.begin(), recent_, one);
    *records = &one->records;
    return SQLITE_OK;
  }
  JournalPlace place = wanted.place;
  const int code = segments_.ReadEntry(&place, &entry_);
  if (code != SQLITE_OK) return code == SQLITE_DONE ? SQLITE_OK : code;
  // The newest entry may still be written anew, after a write that failed.
  const bool keep = head + 1 < heads_.size() && wanted.records <= kRecentRecords;
  while (keep && recent_records_ + wanted.records > kRecentRecords) {
    recent_records_ -= recent_.back().records.size();
    recent_.pop_back();
  }
  Unpacked& unpacked = keep ? recent_.emplace_front() : last_;
  unpacked.records.clear();
  if (!entry_.Readings(&packer_, &unpacked.bytes) ||
      !reader_.Read(unpacked.bytes, keep ? 0 : series, &unpacked.records)) {
    if (keep) recent_.pop_front();
    return SQLITE_CORRUPT;
  }
  *records = &unpacked.records;
  if (!keep) return SQLITE_OK;
  unpacked.unit = wanted.place.unit;
  recent_records_ += unpacked.records.size();
  return SQLITE_OK;
}

int JournalTail::Read(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch) {
  if (const int code = Follow(start); code != SQLITE_OK) return code;
  const auto earlier = [](const Record& a, const Record& b) { return a.time_us < b.time_us; };
  auto& found = batch->records;
  const size_t before = found.size();
  const bool cut = wanted.by_time && wanted.limit < heads_.size() * kRecentRecords;
  std::vector<UtcUs> earliest_us;  // of this entry and those behind it
  if (cut) {
    earliest_us.assign(heads_.size(), INT64_MAX);
    UtcUs earliest = INT64_MAX;
    for (size_t i = heads_.size(); i-- > 0;) {
      if (heads_[i].records != 0) earliest = std::min(earliest, heads_[i].first_us);
      earliest_us[i] = earliest;
    }
  }
  UtcUs to_us = wanted.to_us;  // when there are enough, only earlier ones count
  const auto cut_to_limit = [&] {
    // In journal order, which is the order of time but for late ones.
    std::stable_sort(found.begin() + static_cast<std::ptrdiff_t>(before), found.end(), earlier);
    if (found.size() - before < wanted.limit) return;
    found.resize(before + wanted.limit);
    // One of the same time and a later number would come behind those that are there.
    if (found.back().time_us > INT64_MIN) to_us = std::min(to_us, found.back().time_us - 1);
  };
  for (size_t i = 0; i < heads_.size(); ++i) {
    if (!wanted.by_time && found.size() - before >= wanted.limit) break;
    if (cut && earliest_us[i] > to_us) break;
    const EntryHead& head = heads_[i];
    if (head.records == 0 || head.last_number <= wanted.after) continue;
    if (head.first_number > wanted.up_to) break;
    if (head.last_us < wanted.from_us || head.first_us > to_us) continue;
    const std::vector<Record>* records = nullptr;
    if (const int code = Unpack(i, wanted.series, &records); code != SQLITE_OK) return code;
    if (records == nullptr) {  // under way, or gone
      next_ = head.place;
      heads_.resize(i);
      break;
    }
    for (const Record& record : *records) {
      if ((wanted.series != 0 && record.series != wanted.series) || record.number <= wanted.after ||
          record.number > wanted.up_to || record.time_us < wanted.from_us || record.time_us > to_us ||
          (record.time_us == wanted.from_us && record.number <= wanted.from_number)) {
        continue;
      }
      if (!wanted.by_time && found.size() - before == wanted.limit) break;
      batch->Add(record);
      if (cut && found.size() - before >= 2 * wanted.limit) cut_to_limit();
    }
    if (cut && found.size() - before >= wanted.limit) cut_to_limit();
  }
  if (wanted.by_time) cut_to_limit();
  return StillThere();
}

int JournalTail::ReadNewest(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch) {
  if (const int code = Follow(start); code != SQLITE_OK) return code;
  bool found = false;
  for (size_t i = heads_.size(); i-- > 0;) {
    const EntryHead& head = heads_[i];
    if (head.records == 0 || head.first_number > wanted.up_to || head.first_us > wanted.to_us) continue;
    if (head.last_number <= wanted.after) break;
    // An earlier entry has lower numbers: at the same time the one that was found stays.
    if (found && head.last_us <= batch->records.back().time_us) continue;
    const std::vector<Record>* records = nullptr;
    if (const int code = Unpack(i, wanted.series, &records); code != SQLITE_OK) return code;
    if (records == nullptr) continue;
    const Record* best = nullptr;
    for (const Record& record : *records) {
      if (record.series != wanted.series || record.number <= wanted.after || record.number > wanted.up_to ||
          record.time_us > wanted.to_us) {
        continue;
      }
      if (best == nullptr || record.time_us >= best->time_us) best = &record;
    }
    if (best == nullptr || (found && best->time_us <= batch->records.back().time_us)) continue;
    if (found) batch->records.pop_back();
    batch->Add(*best);
    found = true;
  }
  return StillThere();
}

int JournalTail::Earliest(const JournalPlace& start, UtcUs from_us, UtcUs* earliest_us) {
  if (const int code = Follow(start); code != SQLITE_OK) return code;
  *earliest_us = INT64_MAX;
  for (const EntryHead& head : heads_) {
    if (head.records == 0 || head.last_us < from_us) continue;
    *earliest_us = std::min(*earliest_us, std::max(head.first_us, from_us));
  }
  return StillThere();
}

}  // namespace vesta::hub
