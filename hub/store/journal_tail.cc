#include "hub/store/journal_tail.h"

#include "hub/store/unit_coding.h"

namespace vesta::hub {

int JournalTail::Follow(const JournalPlace& start) {
  if (const int code = segments_.Refresh(); code != SQLITE_OK) return code;
  while (!heads_.empty() && heads_.front().place.unit < start.unit) heads_.pop_front();
  if (heads_.empty() || heads_.front().place.unit != start.unit) {
    heads_.clear();
    next_ = start;
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

int JournalTail::StillThere(bool* there) {
  if (const int code = segments_.Refresh(); code != SQLITE_OK) return code;
  *there = true;
  uint64_t checked = 0;
  for (const EntryHead& head : heads_) {
    if (head.place.segment == checked) continue;
    checked = head.place.segment;
    *there = *there && segments_.Holds(checked);
  }
  return SQLITE_OK;
}

int JournalTail::Read(const JournalPlace& start, const Wanted& wanted, RecordBatch* batch) {
  if (const int code = Follow(start); code != SQLITE_OK) return code;
  ReadingsReader reader;
  Entry entry;
  std::string bytes;
  std::vector<Record> records;
  for (size_t i = 0; i < heads_.size() && batch->records.size() < wanted.limit; ++i) {
    const EntryHead& head = heads_[i];
    if (head.records == 0 || head.last_number <= wanted.after) continue;
    if (head.first_number > wanted.up_to) break;
    if (head.last_us < wanted.from_us || head.first_us > wanted.to_us) continue;
    JournalPlace place = head.place;
    const int code = segments_.ReadEntry(&place, &entry);
    if (code == SQLITE_DONE) {  // under way, or gone
      next_ = head.place;
      heads_.resize(i);
      break;
    }
    if (code != SQLITE_OK) return code;
    records.clear();
    if (!entry.Readings(&packer_, &bytes) || !reader.Read(bytes, wanted.series, &records)) return SQLITE_CORRUPT;
    for (const Record& record : records) {
      if (record.number <= wanted.after || record.number > wanted.up_to || record.time_us < wanted.from_us ||
          record.time_us > wanted.to_us) {
        continue;
      }
      if (batch->records.size() == wanted.limit) break;
      batch->Add(record);
    }
  }
  bool there = false;
  if (const int code = StillThere(&there); code != SQLITE_OK) return code;
  if (there) return SQLITE_DONE;
  heads_.clear();
  return SQLITE_BUSY;
}

}  // namespace vesta::hub
